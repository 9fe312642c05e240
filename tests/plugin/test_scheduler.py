"""How checks are dealt out to several workers, by real pytest-xdist."""
import os
import subprocess
import sys

CHECK = """
import os, pathlib, pytest, time

@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    time.sleep(0.05)
    with open(pathlib.Path(__file__).parents[2] / "ran", "a") as ran:
        print({name!r}, number, os.environ["PYTEST_XDIST_WORKER"], file=ran)
"""


def ran(tmp_path, **counts):
    """Exerciser → the workers that ran its checks, in their order; all of it on two workers."""
    for name, count in counts.items():
        (tmp_path / name / "checks").mkdir(parents=True)
        (tmp_path / name / "checks" / "test_it.py").write_text(CHECK.format(name=name, count=count))
    words = ["-p", "xdist", "-p", "bench.plugin.scheduler", "-p", "no:cacheprovider", "-n", "2", "--maxschedchunk", "1",
             "--import-mode=importlib", f"--rootdir={tmp_path}", "-q", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pytest", *words], check=True, capture_output=True, timeout=60,
                   env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    lines = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert sorted((name, int(number)) for name, number, _ in lines) == [
        (name, number) for name in sorted(counts) for number in range(counts[name])]
    return {name: [worker for of, _, worker in lines if of == name] for name in counts}


def test_each_worker_keeps_to_one_exerciser(tmp_path):
    workers = ran(tmp_path, net=12, spi=12)
    assert {len(set(of[:8])) for of in workers.values()} == {1}  # at the end one may help the other
    assert workers["net"][0] != workers["spi"][0]


def test_a_worker_whose_exerciser_is_done_helps_the_other(tmp_path):
    workers = ran(tmp_path, net=24, spi=3)
    assert set(workers["net"]) == {"gw0", "gw1"}


def test_an_exerciser_that_no_worker_is_at_comes_first(tmp_path):
    workers = ran(tmp_path, gpio=3, net=24, spi=8)
    assert len(set(workers["spi"][:6])) == 1
    assert workers["spi"][0] == workers["gpio"][0] != workers["net"][0]
