"""What is shipped to the target: no module of the host's, Python 3.8 only, and importable by an old Python."""
import ast
import json
import shutil
import subprocess
import zipfile

import pytest

from bench.target import agent_file

HOST_NAMES = ("conftest", "contracts", "known_defects")
HOST_IMPORTS = {"bench", "fixtures", "pytest", "numpy", "yaml", "labgrid", "_pytest"}

# Names that came after Python 3.8, by the version that brought them (https://docs.python.org/3/whatsnew/).
NEW_MODULES = {"zoneinfo": "3.9", "graphlib": "3.9", "tomllib": "3.11"}
NEW_NAMES = {
    "functools.cache": "3.9", "math.lcm": "3.9", "math.nextafter": "3.9", "math.ulp": "3.9", "random.randbytes": "3.9",
    "os.pidfd_open": "3.9", "os.waitstatus_to_exitcode": "3.9", "ast.unparse": "3.9", "asyncio.to_thread": "3.9",
    "signal.pidfd_send_signal": "3.9", "socket.send_fds": "3.9", "socket.recv_fds": "3.9", "typing.Annotated": "3.9",
    "itertools.pairwise": "3.10", "contextlib.aclosing": "3.10", "os.eventfd": "3.10", "types.NoneType": "3.10",
    "typing.TypeAlias": "3.10", "typing.ParamSpec": "3.10", "typing.Concatenate": "3.10", "typing.TypeGuard": "3.10",
    "dataclasses.KW_ONLY": "3.10", "sys.stdlib_module_names": "3.10", "datetime.UTC": "3.11", "enum.StrEnum": "3.11",
    "hashlib.file_digest": "3.11", "contextlib.chdir": "3.11", "math.cbrt": "3.11", "typing.Self": "3.11",
    "typing.NotRequired": "3.11", "typing.Required": "3.11", "typing.assert_never": "3.11", "typing.Never": "3.11",
    "typing.LiteralString": "3.11", "typing.Unpack": "3.11", "itertools.batched": "3.12", "typing.override": "3.12",
}
NEW_METHODS = {"removeprefix": "3.9", "removesuffix": "3.9", "is_relative_to": "3.9", "with_stem": "3.9",
               "bit_count": "3.10", "add_note": "3.11"}
NEW_KEYWORDS = {("zip", "strict"): "3.10", ("dataclass", "slots"): "3.10", ("dataclass", "kw_only"): "3.10",
                ("bisect_left", "key"): "3.10", ("bisect_right", "key"): "3.10", ("Popen", "process_group"): "3.11",
                ("run", "process_group"): "3.11", ("TemporaryDirectory", "delete"): "3.12"}
BUILTIN_GENERICS = {"list", "dict", "tuple", "set", "frozenset", "type"}
GENERIC_MODULES = {"collections", "collections.abc", "contextlib", "os", "queue", "re", "subprocess", "functools"}


@pytest.fixture(scope="module")
def agent():
    """The agent's file and its sources by their names in it."""
    path = agent_file.build()
    with zipfile.ZipFile(path) as content:
        return path, {name: content.read(name).decode() for name in content.namelist() if name.endswith(".py")}


def annotations_of(tree):
    """Every node below an annotation: they stay strings under `from __future__ import annotations`."""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            annotation = getattr(node, name, None)
            if annotation is not None:
                yield from ast.walk(annotation)


def newer_than_3_8(source):
    """(line, what) of each thing in a module that Python 3.8 does not have."""
    try:
        tree = ast.parse(source, feature_version=(3, 8))
    except SyntaxError as error:
        return [(error.lineno, f"syntax: {error.msg}")]
    annotations = set(map(id, annotations_of(tree)))
    postponed = any(isinstance(node, ast.ImportFrom) and node.module == "__future__"
                    and "annotations" in [alias.name for alias in node.names] for node in tree.body)
    generics, wrong = set(BUILTIN_GENERICS), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wrong += [(node.lineno, f"module {alias.name}") for alias in node.names if alias.name in NEW_MODULES]
        elif isinstance(node, ast.ImportFrom):
            wrong += [(node.lineno, f"module {node.module}")] if node.module in NEW_MODULES else []
            for alias in node.names:
                wrong += [(node.lineno, f"{node.module}.{alias.name}")] * (f"{node.module}.{alias.name}" in NEW_NAMES)
                if node.module in GENERIC_MODULES:
                    generics.add(alias.asname or alias.name)
    for node in ast.walk(tree):
        if id(node) in annotations and postponed:
            continue
        wrong += [(node.lineno, what) for what in _newer(node, generics)]
    return sorted(wrong)


def _newer(node, generics):
    if isinstance(node, ast.Attribute):
        if node.attr in NEW_METHODS:
            yield f".{node.attr}"
        if isinstance(node.value, ast.Name) and f"{node.value.id}.{node.attr}" in NEW_NAMES:
            yield f"{node.value.id}.{node.attr}"
    elif isinstance(node, ast.Subscript):
        if isinstance(node.value, ast.Name) and node.value.id in generics:
            yield f"{ast.unparse(node)} outside an annotation"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)
        if any(isinstance(side, ast.Dict | ast.DictComp) for side in sides):
            yield "dict | dict"
        if any(isinstance(side, ast.Constant) and side.value is None for side in sides):
            yield f"{ast.unparse(node)} outside an annotation"
    elif isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        yield from (f"{name}({keyword.arg}=)" for keyword in node.keywords if (name, keyword.arg) in NEW_KEYWORDS)


@pytest.mark.parametrize(("source", "what"), [
    ("match x:\n    case 1: pass", "syntax: Pattern matching is only supported in Python 3.10 and greater"),
    ("with (open(a) as b, open(c) as d): pass",
     "syntax: Parenthesized context managers are only supported in Python 3.9 and greater"),
    ("'a'.removeprefix('b')", ".removeprefix"),
    ("import functools\nfunctools.cache(f)", "functools.cache"),
    ("from functools import cache", "functools.cache"),
    ("zip(a, b, strict=True)", "zip(strict=)"),
    ("{**a} | b", "dict | dict"),
    ("import math\nmath.lcm(2, 3)", "math.lcm"),
    ("X = list[int]", "list[int] outside an annotation"),
    ("from collections.abc import Callable\nX = Callable[[], int]", "Callable[[], int] outside an annotation"),
    ("X = int | None", "int | None outside an annotation"),
    ("def f(a: list[int]) -> int | None: ...", "int | None outside an annotation"),
    ("import zoneinfo", "module zoneinfo"),
])  # fmt: skip
def test_what_python_3_8_lacks_is_seen(source, what):
    assert what in [name for _, name in newer_than_3_8(source)]


def test_annotations_may_use_what_they_postpone():
    source = "from __future__ import annotations\nx: dict[str, int] = {}\ndef f(a: list[int]) -> int | None: pass"
    assert newer_than_3_8(source) == []


def test_no_module_of_the_hosts_is_shipped(agent):
    wrong = []
    for name, source in agent[1].items():
        *folders, file = name.removesuffix(".py").split("/")
        if {"checks", "contract"} & set(folders) or file in HOST_NAMES or file.startswith("test_"):
            wrong.append(f"{name}: shipped to the target")
        for node in ast.walk(ast.parse(source)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                if module.split(".")[0] in HOST_IMPORTS or {"checks", "contract"} & set(module.split(".")):
                    wrong.append(f"{name}:{node.lineno}: imports {module}")
    assert wrong == []


def test_each_exerciser_and_what_it_needs_are_shipped(agent):
    assert {"__main__.py", "drivers/__init__.py", "drivers/agent/main.py", "drivers/agent/trace/tracer.py",
            "drivers/uapi/sysfs.py", "drivers/kernel/calls.py", "drivers/net/calls.py", "drivers/usb/recorder.py"
            } <= set(agent[1])  # fmt: skip


def test_shipped_modules_use_nothing_newer_than_python_3_8(agent):
    assert [f"{name}:{line}: {what}" for name, source in agent[1].items()
            for line, what in newer_than_3_8(source)] == []


IMPORT_ALL = """
import importlib, json, sys
agent, names = sys.argv[1], json.load(sys.stdin)
sys.path.insert(0, agent)
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
libraries = sorted({"spidev", "gpiod", "smbus2", "usb", "serial"} & set(sys.modules))
print(json.dumps({"failed": failed, "libraries": libraries}))
"""


def oldest_python():
    """The oldest Python from 3.8 on that runs here; a Debian package's unless something older is on the PATH."""
    for minor in range(8, 20):
        path = shutil.which(f"python3.{minor}")
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    raise FileNotFoundError("no python3.N on the PATH")


def test_every_shipped_module_can_be_imported_without_the_library_that_it_exercises(agent):
    path, sources = agent
    names = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in sources]
    names.remove("__main__")
    run = subprocess.run([oldest_python(), "-I", "-c", IMPORT_ALL, str(path)], input=json.dumps(names), text=True,
                         capture_output=True, timeout=60, check=True)  # fmt: skip
    assert json.loads(run.stdout) == {"failed": {}, "libraries": []}
