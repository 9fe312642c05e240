"""What a command loads: one that works on a file must not wait for labgrid, or for the report."""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import sys
from bench.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
own = {name.split(".")[1] for name in sys.modules if name.startswith("bench.")}
libraries = {"labgrid", "jinja2", "numpy", "rich", "ruamel", "zstandard", "pytest"} & set(sys.modules)
print("bench:", *sorted(own), "libraries:", *sorted(libraries), file=sys.stderr)
"""
RECORDING = "docs/traces/spi_pairing.dat"
CONTRACTS = "docs/traces/spi_pairing.py"


def loaded(command):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *command.split()], capture_output=True, text=True, cwd=ROOT)
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("command", "modules"), [
    ("--help", "bench: cli errors paths libraries:"),
    ("boards", "bench: board cli errors paths libraries: rich ruamel"),
    ("faults --board twin210", "bench: board cli errors faults paths libraries: rich ruamel"),
    (f"trace show {RECORDING}", "bench: cli errors paths trace verdict libraries: numpy"),
    (f"trace show {RECORDING} --summary", "bench: cli errors paths trace verdict libraries: numpy"),
    (f"trace check {CONTRACTS} {RECORDING}", "bench: cli errors judge paths trace verdict libraries: numpy rich"),
    (f"trace diff {RECORDING} {RECORDING}", "bench: cli errors judge paths trace verdict libraries: numpy rich"),
])
def test_a_command_loads_what_it_needs(command, modules):
    assert loaded(command) == modules


def test_exporting_a_recording_loads_no_report(tmp_path):
    assert loaded(f"trace export {RECORDING} --to {tmp_path}/out.pftrace") == (
        "bench: cli errors export judge paths trace verdict libraries: numpy")


def test_what_judges_and_reports_records_loads_no_labgrid():
    program = "import sys, bench.results, bench.report, bench.faults; sys.exit('labgrid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_the_plugin_loads_no_labgrid_before_a_board_is_held():
    program = "import sys, bench.plugin.checks, bench.plugin.fixtures; sys.exit('labgrid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
