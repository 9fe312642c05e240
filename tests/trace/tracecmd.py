"""`trace-cmd report` as the reference: its raw report, parsed back into events."""
import re
import shutil
import subprocess

import pytest

LINE = re.compile(r"\s*(?P<comm>.*)-(?P<pid>\d+)\s+\[(?P<cpu>\d+)\]\s+(?:\S+ )?(?P<s>\d+)\.(?P<ns>\d{9}): "
                  r"(?P<event>\S+): *(?P<rest>.*)")


def needed():
    """Skip a test where trace-cmd is not installed."""
    return pytest.mark.skipif(shutil.which("trace-cmd") is None, reason="trace-cmd is not installed")


def report(path, *options):
    """The lines of `trace-cmd report -t`, each event's as one."""
    done = subprocess.run(["trace-cmd", "report", "-t", "-N", *options, str(path)], capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "backslashreplace").splitlines()[1:]


def events(path):
    """(time, cpu, pid, comm, event, text of its fields) of every event."""
    found = None
    for line in report(path, "-R"):
        match = LINE.match(line)
        if match is None and found is not None:  # a text with line feeds in it continues
            found = (*found[:-1], found[-1] + "\n" + line)
            continue
        if found is not None:
            yield found
        found = match and (int(match["s"]) * 10**9 + int(match["ns"]), int(match["cpu"]), int(match["pid"]),
                           match["comm"], match["event"], match["rest"])
    if found is not None:
        yield found


def fields(text, names):
    """`a=1 b=x y` with the names in order → {"a": "1", "b": "x y"}."""
    pattern = r"\s*" + r" ".join(rf"{re.escape(name)}=(.*?)" for name in names) + r"\s*$"
    match = re.match(pattern, text, re.S)
    assert match, (text, names)
    return dict(zip(names, match.groups(), strict=True))
