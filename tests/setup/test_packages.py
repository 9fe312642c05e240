"""What is missing is installed, or named with the command to type; a mirror that cannot be had is named too."""
import os
import subprocess
import sys

import pytest

from bench.errors import SetupError
from bench.setup import debian, packages
from bench.setup.progress import Plain

ABSENT = "driver-bench-no-such-package"


def run_as_nobody(code, path="/usr/bin:/bin"):
    """Run Python code as a user without rights (or as this one, when it has none)."""
    switch = "import os; os.geteuid() or os.setresuid(65534, 65534, 65534)\n"
    return subprocess.run([sys.executable, "-c", IMPORT + switch + code], capture_output=True, text=True,
                          env={**os.environ, "PATH": path, "HOME": "/nonexistent"}, check=False, timeout=20)


IMPORT = """
import sys
from bench.errors import SetupError
from bench.setup import packages
from bench.setup.progress import Plain
"""
ENSURE = f"try: packages.ensure(['dpkg', '{ABSENT}'], Plain(sys.stderr))\nexcept SetupError as e: print(e)\n"


@pytest.fixture
def tools_without_sudo(tmp_path):
    """A PATH with everything that set-up runs and no sudo."""
    for folder in ("/usr/bin", "/bin"):
        for tool in ("sh", "dpkg-query", "test", "apt-get", "env"):
            if os.path.exists(f"{folder}/{tool}") and not (tmp_path / tool).exists():
                (tmp_path / tool).symlink_to(f"{folder}/{tool}")
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    return str(tmp_path)


def test_a_user_who_is_neither_root_nor_has_sudo_is_told_the_packages_and_the_command(tools_without_sudo):
    done = run_as_nobody(ENSURE, tools_without_sudo)
    assert done.stdout == (f"missing packages: {ABSENT}; this user is not root and there is no sudo: as root type: "
                           f"apt-get install --no-install-recommends {ABSENT}\n"), done.stderr


def test_a_user_without_rights_passes_when_nothing_is_missing(tools_without_sudo):
    done = run_as_nobody("print(*packages.ensure(['dpkg'], Plain(sys.stderr)))", tools_without_sudo)
    assert done.stdout == "dpkg\n", done.stderr


def test_versions_are_given_for_installed_packages_only():
    assert list(packages.installed(["dpkg", ABSENT])) == ["dpkg"]


def test_the_mirror_can_be_named(monkeypatch):
    monkeypatch.setenv("BENCH_DEBIAN_MIRROR", "http://mirror.invalid/debian")
    assert debian.mirror() == "http://mirror.invalid/debian"


def test_a_machine_whose_apt_knows_no_mirror_is_told_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_DEBIAN_MIRROR", raising=False)
    (tmp_path / "apt.conf").write_text(f'Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "{tmp_path}";\n'
                                       f'Dir::State::Lists "{tmp_path}";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    with pytest.raises(SetupError, match="apt knows no Debian mirror on this machine: set BENCH_DEBIAN_MIRROR"):
        debian.mirror()


def test_a_mirror_that_is_away_is_named_with_what_it_should_hold(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_DEBIAN_MIRROR", f"file://{tmp_path}/nothing")
    with Plain(sys.stderr).step("root") as step, pytest.raises(SetupError) as e:
        debian.extract(tmp_path / "tree", "armhf", ["busybox-static"], ["trixie"], step)
    assert f"from file://{tmp_path}/nothing failed" in str(e.value)
    assert str(e.value).endswith("is the mirror reachable, and does it hold trixie? "
                                 "BENCH_DEBIAN_MIRROR names another one")


def test_the_folders_apt_goes_through_this_machines_proxy(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_DEBIAN_MIRROR", "http://mirror.invalid/debian")
    (tmp_path / "apt.conf").write_text('Acquire::http::Proxy "http://127.0.0.1:9";\nAcquire::Retries "0";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    lines = []

    class Step:
        def update(self, detail):
            lines.append(detail)

    with pytest.raises(SetupError):
        debian.extract(tmp_path / "tree", "armhf", ["busybox-static"], ["trixie"], Step())
    assert "127.0.0.1" in "\n".join(lines)
