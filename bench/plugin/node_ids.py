"""Node ids that name a check in the same way wherever its folder is: drivers/<name>/checks/test_x.py::test_y."""
from __future__ import annotations

from pathlib import Path

import pytest

from bench import paths


class NodeIds:
    """Modules of checks are named from the folder that holds drivers/, not from pytest's rootdir."""

    def __init__(self) -> None:
        self.roots = paths.roots()

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        root = next((root for root in self.roots if module_path.is_relative_to(root)), None)
        if root is None or root == parent.config.rootpath:
            return None
        name = module_path.relative_to(root).as_posix()
        module: pytest.Module = pytest.Module.from_parent(parent, path=module_path, nodeid=name)
        return module
