"""`bench init DIR`: a repository of one's own for boards, exercisers, chips and checks."""
from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from bench.cli import options as common
from bench.errors import UsageError

SKELETON = Path(__file__).parent / "skeleton"
RENAMED = {"gitignore": ".gitignore", "ci.yml": ".github/workflows/bench.yml"}  # hidden files do not get into a wheel
NEXT = """{folder} is ready: one board, one exerciser with its checks, one chip; README.md says which file is what.
next:
  cd {folder}
  bench run --board my_board -k my_eeprom"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = common.add_command(commands, "init", "write a commented skeleton of your own repository: a board, an "
                                "exerciser with its checks and a chip", "bench init my-lab")
    parser.add_argument("folder", metavar="DIR", help="an empty folder, or one that is made")


def run(options: argparse.Namespace) -> int:
    """Write the skeleton.  Raises UsageError for a folder that is not empty."""
    folder = Path(options.folder)
    write(folder)
    print(NEXT.format(folder=folder))
    return 0


def write(folder: Path) -> None:
    """Write the skeleton into `folder`, which is made; nothing is overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and not an empty folder; nothing was written")
    shutil.copytree(SKELETON, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name, target in RENAMED.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(folder / target)
