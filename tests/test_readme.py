"""What the README shows, works."""
import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_five_line_script_runs():
    [script] = re.findall(r"```python\n(.*?)```", README, re.S)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["dm9000", "3", "pings", "answered"]


def test_the_commands_it_names_exist():
    from bench.cli.main import parser

    known = parser()._subparsers._group_actions[0].choices  # argparse has no public way to ask
    named = set(re.findall(r"^bench (\w+)", README, re.M)) | set(re.findall(r"`bench (\w+)", README))
    assert named and named <= set(known)


def test_the_files_it_links_to_are_there():
    root = Path(__file__).parent.parent
    for name in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (root / name).exists(), name
