"""Ship drivers/, fixtures/ and boards/ inside the package, as bench/_shipped: bench.paths makes them importable.

As top-level packages they would shadow those that others publish as `drivers` and `fixtures`.
"""
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
SKELETON = "bench/cli/skeleton"  # what `bench init` writes: Python files of another repository, not modules of bench
NOT_SHIPPED = {
    "boards": ("__pycache__",),
    "drivers": ("__pycache__", "ruff.toml"),
    "fixtures": ("__pycache__", "test_*.py", "conftest.py"),  # a chip's own tests; an exerciser's checks are shipped
}


class BuildPy(build_py):
    """Also copies the folders; an editable installation finds them beside bench/."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for name, left_out in NOT_SHIPPED.items():
                target = Path(self.build_lib) / "bench" / "_shipped" / name
                shutil.rmtree(target, ignore_errors=True)  # of an earlier build
                shutil.copytree(HERE / name, target, ignore=shutil.ignore_patterns(*left_out))
            skeleton = Path(self.build_lib) / SKELETON
            shutil.rmtree(skeleton, ignore_errors=True)
            shutil.copytree(HERE / SKELETON, skeleton, ignore=shutil.ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildPy})
