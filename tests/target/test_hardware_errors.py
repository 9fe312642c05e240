"""What is wrong with a lab's board is said in one line that names the file and what to do."""
import stat

import pytest

from bench.errors import BenchError, BoardError, Broken
from bench.rig.rig import Rig

BOARD = """\
description: a board that is not there
compatible: lab,nothing
devices: {ethernet: {driver: e1000, exercisers: [net], arguments: {interface: eth0}}}
"""
POWER = "ExternalPowerDriver: {cmd_on: 'true', cmd_off: 'true', cmd_cycle: 'true'}"
CONSOLE = "ExternalConsoleDriver: {cmd: \"sh -c 'echo login: ; exec sleep 60'\"}"
SSH = "SSHDriver: {connection_timeout: 1.0}"
# Runs the last argument here, as ssh does there; `-MN` starts a master, whose control socket is only looked for.
FAKE_SSH = """#!/bin/sh
for last; do :; done
case " $* " in
*" -MN "*) while [ "$1" != -S ]; do shift; done; : > "$2"; exit 0 ;;
*" -O "*) exit 0 ;;
esac
PATH={folder}/bin:$PATH exec sh -c "$last"
"""


@pytest.fixture
def make(tmp_path):
    """make(drivers…, ssh=…, commands on the target…): the folder of a board."""
    def board(*drivers, ready="login:", **programs):
        lines = "".join(f"      - {driver}\n" for driver in drivers)
        (tmp_path / "board.yaml").write_text(BOARD)
        (tmp_path / "bin").mkdir()
        for name, text in {"id": "echo 0", **programs}.items():
            script(tmp_path / "bin" / name, f"#!/bin/sh\n{text}\n")
        tool = f"tools: {{ssh: {tmp_path}/fake-ssh}}\n" if programs else ""
        script(tmp_path / "fake-ssh", FAKE_SSH.format(folder=tmp_path))
        (tmp_path / "env.yaml").write_text(
            f"imports: [bench.target.labgrid]\n{tool}targets:\n  main:\n"
            "    resources: {NetworkService: {address: 127.0.0.1, port: 1, username: root}}\n"
            f"    drivers:\n{lines}      - BenchStrategy: {{ready: '{ready}', boot_timeout: 2.0}}\n")
        return str(tmp_path)
    return board


def script(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def error_of(board, kind):
    """The one line that starting the board gives."""
    rig = None
    try:
        with pytest.raises(BenchError) as raised:
            rig = Rig(board)
            rig.start()
    finally:
        if rig:
            rig.close()
    assert raised.type is kind
    [line] = str(raised.value).splitlines()
    return line.replace(board, "BOARD")


def test_a_missing_power_driver_is_named(make):
    line = error_of(make(CONSOLE, SSH), BoardError)
    assert line.startswith("BOARD/env.yaml:1: binding BenchStrategy failed: no PowerProtocol driver found")
    assert line.endswith("add a driver that switches power (e.g. NetworkPowerDriver, ExternalPowerDriver) to drivers:")


def test_a_missing_console_driver_is_named(make):
    line = error_of(make(POWER, SSH), BoardError)
    assert line.startswith("BOARD/env.yaml:1: binding BenchStrategy failed: no ConsoleProtocol driver found")
    assert line.endswith("add a driver of the console (e.g. SerialDriver) to drivers:")


def test_a_missing_ssh_driver_is_named(make):
    assert error_of(make(POWER, CONSOLE), BoardError) == (
        "BOARD/env.yaml: drivers: no SSHDriver: the agent of a real board runs over ssh; add a NetworkService resource "
        "and an SSHDriver")


def test_a_console_that_never_says_what_was_waited_for_shows_its_last_lines(make):
    assert error_of(make(POWER, CONSOLE, SSH, ready="up and running"), Broken) == (
        "BOARD/env.yaml: BenchStrategy: ready: the console did not say 'up and running' within 2 s; its last lines: "
        "['login:']")


def test_ssh_that_is_refused_is_reported_with_its_address(make):
    line = error_of(make(POWER, CONSOLE, SSH), Broken)
    assert line.startswith("BOARD/env.yaml: ssh root@127.0.0.1 port 1: Timeout while waiting for ssh connection; ")
    assert "return code 255" in line


def test_a_user_who_is_not_root_is_refused(make):
    assert error_of(make(POWER, CONSOLE, SSH, id="echo 1000"), Broken) == (
        "BOARD/env.yaml: NetworkService: username: user id 1000 on the target, expected root: the agent binds drivers, "
        "loads modules and traces")


def test_a_python_that_is_too_old_is_refused(make):
    assert error_of(make(POWER, CONSOLE, SSH, python3="echo 3.7"), Broken) == (
        "BOARD/env.yaml: the target's python3 is 3.7, expected 3.8 or later: install it there")


def test_a_target_without_python_is_refused(make):
    assert error_of(make(POWER, CONSOLE, SSH, python3="echo 'sh: python3: not found' >&2; exit 127"), Broken) == (
        "BOARD/env.yaml: no python3 on the target (sh: python3: not found): install Python 3.8 or later there")


def test_an_agent_that_does_not_start_says_why(make):
    starts = 'case $1 in -c) echo 3.11 ;; *) echo "no module named zlib" >&2; exit 1 ;; esac'
    assert error_of(make(POWER, CONSOLE, SSH, python3=starts), Broken) == (
        "ssh to the target ended: status 1: no module named zlib")


def test_a_target_of_another_kind_is_refused_when_its_agent_says_hello(make):
    line = error_of(make(POWER, CONSOLE, SSH, id="echo 0"), BoardError)
    assert line.startswith("BOARD/board.yaml:1: compatible: the target says [") and line.endswith("not 'lab,nothing'")
