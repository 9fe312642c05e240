"""The house's rules, kept by reading the imports."""
import ast
import graphlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHIP_TESTS = {p for pattern in ("test_*.py", "conftest.py") for p in (ROOT / "fixtures").rglob(pattern)}
ORDER = ["errors", "paths", "verdict", "health", "board", "setup", "trace", "capture", "judge", "export", "twin",
         "target", "rig", "faults", "probe", "benchmark", "store", "results", "report", "plugin", "cli"]
LIBRARIES = {"spi": {"spidev"}, "fingerprint": {"gpiod"}, "serial_line": {"serial"}, "usb": {"usb"}, "i2c": {"smbus2"},
             "gpio": {"gpiod"}, "serial": {"serial"}}  # fmt: skip


def imports_of(path, ignored=()):
    """(line, dotted module) of every import in a file, wherever it stands."""
    ignored = {node.lineno for node in ignored}
    for node in ast.walk(ast.parse(path.read_text())):
        if getattr(node, "lineno", 0) in ignored:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides where it goes"
            assert node.module
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def files(folder):
    """The modules below a folder; a chip's own tests are no part of fixtures/, as they are not installed."""
    return sorted(p for p in (ROOT / folder).rglob("*.py") if "__pycache__" not in p.parts and p not in CHIP_TESTS)


def outside(path, allowed):
    found = []
    for line, name in imports_of(path):
        top = name.split(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names:
            found.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    return found


def side_of(path):
    """The folder below drivers/ that a module belongs to, and whether it is the host's."""
    parts = path.relative_to(ROOT / "drivers").parts
    return parts[0], bool({"checks", "contract"} & set(parts[:-1]))


def test_what_is_shipped_imports_the_standard_library_and_what_is_shipped_only():
    wrong = []
    for path in files("drivers"):
        folder, host = side_of(path)
        if not host:
            wrong += outside(path, {"drivers"} | (LIBRARIES.get(folder, set()) if path.name == "calls.py" else set()))
            wrong += [f"{path.relative_to(ROOT)}:{line}: {name} stays on the host" for line, name in imports_of(path)
                      if name.startswith("drivers.") and {"checks", "contract"} & set(name.split(".")[1:])]
    assert wrong == []


def test_checks_import_the_bench_and_the_contract_language_imports_itself_only():
    wrong = []
    for path in files("drivers"):
        folder, host = side_of(path)
        if host:
            wrong += outside(path, {"drivers"} if folder == "contract" else {"drivers", "bench", "pytest"})
    assert wrong == []


def test_no_exerciser_imports_another():
    """They share drivers/uapi and drivers/agent on the target, drivers/checks and drivers/contract on the host."""
    wrong = []
    for path in files("drivers"):
        folder, host = side_of(path)
        shared = {"agent"} if folder == "agent" else {"agent", "uapi"} | ({"checks", "contract"} if host else set())
        for line, name in imports_of(path):
            parts = name.split(".")
            if parts[0] == "drivers" and len(parts) > 1 and parts[1] not in {folder, *shared}:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert wrong == []


def test_the_chips_import_the_standard_library_and_themselves_only():
    assert [w for path in files("fixtures") for w in outside(path, {"fixtures"})] == []


def test_the_tests_of_a_chip_import_fixtures_and_the_helpers_in_tests_only():
    assert len(CHIP_TESTS) > 15
    assert [w for path in sorted(CHIP_TESTS)
            for w in outside(path, {"fixtures", "tests", "pytest", "hypothesis"})] == []


def test_the_bench_imports_only_leftwards():
    wrong = []
    for path in files("bench"):
        own = path.relative_to(ROOT / "bench").parts[0].removesuffix(".py")
        if own in ("__init__", "__main__"):
            continue
        assert own in ORDER, f"bench/{own} has no place in the order {' < '.join(ORDER)}"
        for line, name in imports_of(path):
            parts = name.split(".")
            known = parts[0] == "bench" and len(parts) > 1 and parts[1] in ORDER
            rightwards = known and ORDER.index(own) < ORDER.index(parts[1])
            if rightwards:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {own} imports {parts[1]}")
    assert wrong == []


def module_name(path):
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def under(tree, wanted):
    """The imports below the nodes that are `wanted`."""
    return {inner for node in ast.walk(tree) if wanted(node) for inner in ast.walk(node)
            if isinstance(inner, ast.Import | ast.ImportFrom)}


def only_for_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_no_modules_import_each_other_in_a_circle_not_even_inside_a_function():
    modules = {module_name(path): path for folder in ("bench", "drivers", "fixtures") for path in files(folder)}
    graph = {}
    for name, path in modules.items():
        # A name that only annotations use is no dependency where a chip's class and its parts are several modules.
        ignored = under(ast.parse(path.read_text()), only_for_types) if name.startswith("fixtures") else set()
        named = {imported for _, imported in imports_of(path, ignored)}
        packages = {imported.rpartition(".")[0] for imported in named if imported in modules}
        graph[name] = {imported for imported in named & set(modules) - packages if imported != name}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from None


# Imports inside functions of the bench, each for the time that a command takes to start.
LATE = {
    "bench/__init__.py": "start-up time: `import bench.errors` must not load labgrid",
    "bench/benchmark/rig.py": "start-up time: numpy and the decoder, only after the rig was measured",
    "bench/cli/": "start-up time: a command loads what it needs",
    "bench/rig/rig.py": "start-up time: labgrid, only where a board is held",
    "bench/plugin/__init__.py": "start-up time: pytest loads the plugin in every project, used or not",
    "bench/setup/progress.py": "start-up time: rich, only on a terminal",
    "bench/trace/dat/packing.py": "start-up time: zstandard, only for files that are compressed with it",
}


def test_an_import_inside_a_function_is_for_start_up_time_only_and_written_down():
    late = set()
    for path in files("bench") + files("drivers") + files("fixtures"):
        inside = under(ast.parse(path.read_text()), lambda node: isinstance(node, ast.FunctionDef))
        shipped = path.is_relative_to(ROOT / "drivers")  # the library that an exerciser uses may be missing there
        if any(not shipped or ast.unparse(node).split()[1].split(".")[0] == "drivers" for node in inside):
            late.add(re.sub(r"^bench/cli/.*", "bench/cli/", str(path.relative_to(ROOT))))
    assert late == set(LATE)
    assert all(reason.startswith("start-up time: ") for reason in LATE.values())


def test_nothing_outside_the_twins_own_modules_asks_a_rig_or_a_driver_for_its_twin():
    """`board.twin` and `run.twin` are data (which machine); everything else goes through bench.target.protocol."""
    own = {ROOT / "bench/target/twin_driver.py", *files("bench/twin"), *files("bench/board")}
    wrong = []
    for path in sorted({*files("bench"), *files("drivers"), *files("fixtures")} - own):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("twin", "_twin"):
                of = ast.unparse(node.value).rpartition(".")[2]
                if of not in ("board", "run"):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
            elif isinstance(node, ast.Call) and re.match(r"(get|has)attr\(.*['\"]_?twin['\"]", ast.unparse(node)):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def test_chips_share_no_code_with_drivers():
    for path in files("fixtures"):
        assert not [n for _, n in imports_of(path) if n.split(".")[0] in ("drivers", "bench")], path


@pytest.mark.parametrize("folder", ["drivers", "fixtures", "bench", "boards"])
def test_every_module_says_what_it_is(folder):
    for path in files(folder):
        if path.stat().st_size:
            assert ast.get_docstring(ast.parse(path.read_text())), f"{path}: no docstring on top"


def test_boards_are_data_and_their_only_python_is_contracts_in_the_words_of_drivers():
    wrong = []
    for path in files("boards"):
        if path.relative_to(ROOT / "boards").parts[1:-1] != ("contracts",):
            wrong.append(f"{path.relative_to(ROOT)}: Python lies in boards/<name>/contracts/ only")
        wrong += [f"{path.relative_to(ROOT)}:{line}: {name}" for line, name in imports_of(path)
                  if name != "drivers.contract" and not name.startswith("drivers.contract.")
                  and not re.fullmatch(r"drivers\.(\w+\.)?checks\.(\w+_)?contracts(\.\w+)?", name)]
    assert wrong == []
