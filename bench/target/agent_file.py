"""The one file that runs on the target: drivers/ as a zip, named by the hash of its content."""
from __future__ import annotations

import hashlib
import io
import subprocess
import tempfile
import zipfile
from pathlib import Path

import drivers
from bench.errors import SetupError
from bench.setup.cache import default_folder

EPOCH = (1980, 1, 1, 0, 0, 0)  # equal sources give an equal file
COMPILE = """
import importlib._bootstrap_external as b, sys, marshal, struct
for line in sys.stdin:
    source, name, target = line.rstrip("\\n").split("\\t")
    code = compile(open(source, "rb").read(), name, "exec", dont_inherit=True, optimize=0)
    open(target, "wb").write(bytes(b._code_to_hash_pyc(code, b"\\0" * 8, False)))
"""


def build(target_python: tuple[str, ...] = ()) -> Path:
    """Return the agent's file, made once for equal sources.

    With `target_python` (a command that runs the target's version of Python here) byte code is added
    beside each source: the first start need not compile, and another Python falls back to the source.
    """
    sources = _sources()
    for folder in sorted({path.parent for path in sources.values() if not (path.parent / "__init__.py").exists()}):
        raise SetupError(f"{folder}/__init__.py is missing: without it the target cannot import what is in that folder")
    sha = hashlib.sha256("\0".join(target_python).encode())
    for name, path in sources.items():
        sha.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    target = default_folder() / "agent" / f"{sha.hexdigest()[:16]}.pyz"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:  # two benches may be at it at once
            aside = Path(scratch) / target.name
            aside.write_bytes(_zip(sources, target_python, Path(scratch)))
            aside.rename(target)
    return target


def _sources() -> dict[str, Path]:
    """The sources by their name in the file: of the bench's own drivers/ and of those outside."""
    roots = [Path(folder) for folder in drivers.__path__]
    sources = {p.relative_to(root.parent).as_posix(): p for root in reversed(roots) for p in sorted(root.rglob("*.py"))}
    return {name: path for name, path in sources.items() if _ships(name)}


def _ships(name: str) -> bool:
    """Everything in drivers/ is shipped to the target, except folders `checks` and `contract`."""
    return not {"checks", "contract"} & set(name.split("/"))


def _zip(sources: dict[str, Path], target_python: tuple[str, ...], folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        main = "import sys\nfrom drivers.agent.main import main\nsys.exit(main(sys.argv[1:]))\n"
        z.writestr(zipfile.ZipInfo("__main__.py", EPOCH), main)
        compiled = _compile(sources, target_python, folder) if target_python else {}
        for name, path in sources.items():
            z.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes())
            if name in compiled:
                z.writestr(zipfile.ZipInfo(name + "c", EPOCH), compiled[name])
    return out.getvalue()


def _compile(sources: dict[str, Path], target_python: tuple[str, ...], folder: Path) -> dict[str, bytes]:
    scratch = {name: folder / (name.replace("/", "-") + "c") for name in sources}
    lines = "".join(f"{path}\t{name}\t{scratch[name]}\n" for name, path in sources.items())
    command = [*target_python, "-I", "-c", COMPILE]
    done = subprocess.run(command, input=lines, text=True, capture_output=True, timeout=60)
    if done.returncode:
        raise SetupError(f"byte code for the target's Python: {done.stderr.strip()[-300:]}")
    return {name: path.read_bytes() for name, path in scratch.items()}
