"""What a board should have beside what the kernel shows: on a twin whose devices have everything wrong with them."""
import json
import subprocess
import sys

import pytest

from bench import Rig, probe, report
from bench.report.screenshot import browser
from bench.store import Record, RunInfo

BOARD = """
description: a board with something wrong in most places
compatible: bench,twin210
twin: {}
devices:
  ethernet:
    driver: dm9000
    compatible: davicom,dm9000
    chip: dm9000
    slot: 1
    devicetree: ["vcc-supply = <&absent>;"]
  i2c:
    driver: s3c-i2c
    compatible: samsung,s3c2440-i2c
    chip: s3c2410_i2c
    slot: 3
  sensor: {driver: tmp102, compatible: "ti,tmp102", chip: tmp102, bus: i2c, address: 0x48}
  eeprom: {driver: at24, compatible: "atmel,24c02", bus: i2c, address: 0x50}
  clock: {driver: rtc-ds1307, compatible: "dallas,ds1307", bus: i2c, address: 0x68}
  pwm:
    driver: samsung-pwm
    compatible: samsung,s5pc100-pwm
    chip: samsung_pwm
    slot: 4
  second: {driver: dm9000, compatible: "davicom,dm9000"}
  lamp: {driver: lamp, compatible: "bench,lamp"}
  mouse: {driver: usbhid, arguments: {vendor: 0x24ae, product: 0x2002}}
  behind: {driver: spidev, bus: mouse, address: 0}
"""
TREE = """
/ {
    compatible = "bench,twin210", "linux,dummy-virt";
    absent: regulator { compatible = "bench,regulator-without-driver"; regulator-name = "absent"; };
    ethernet@1f000000 { compatible = "davicom,dm9010"; reg = <0 0x1f000000 0 4>; };
    lamp { compatible = "bench,lamp"; status = "disabled"; };
};
"""
ENVIRONMENT = """
imports: [bench.target.labgrid]
targets:
  main:
    drivers:
      - TwinDriver: {board: FOLDER}
      - ShellDriver: {prompt: 'twin# ', login_prompt: 'login: ', username: root}
      - BenchStrategy: {}
"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boards") / "wrong210"
    folder.mkdir()
    (folder / "board.yaml").write_text(BOARD)
    (folder / "twin.dtsi").write_text(TREE)
    (folder / "env.yaml").write_text(ENVIRONMENT.replace("FOLDER", str(folder)))
    with Rig(str(folder)) as rig:
        rig.kernel.unload_module(name="pwm-samsung")
        yield rig


@pytest.fixture(scope="module")
def found(rig):
    return probe.probe(rig)


@pytest.fixture(scope="module")
def of(found):
    return {part.name: part for part in found.all}.__getitem__


def test_a_device_with_its_driver_is_bound_and_what_lies_behind_it_too(of):
    assert (of("i2c").state, of("i2c").place, of("i2c").has) == ("bound", "platform 10010000.i2c", "s3c-i2c")
    assert (of("sensor").state, of("sensor").place) == ("bound", "i2c 0-0048")
    assert of("sensor") in of("i2c").behind


def test_a_device_that_waits_is_deferred_with_what_it_waits_for(of):
    assert of("ethernet").state == "deferred"
    assert "10000000.ethernet" in of("ethernet").place
    assert "regulator" in of("ethernet").why or "supplier" in of("ethernet").why


def test_a_driver_whose_module_is_not_loaded_is_named_with_the_command_that_loads_it(of):
    assert (of("pwm").state, of("pwm").why) == ("no driver", "its module pwm_samsung is not loaded")
    assert of("pwm").fix == "modprobe pwm_samsung"


def test_a_blacklisted_module_is_named_with_the_file_that_forbids_it(rig):
    shell = rig.target.get_driver("ShellDriver")
    shell.run_check("mkdir -p /etc/modprobe.d; echo blacklist pwm-samsung > /etc/modprobe.d/test.conf")
    try:
        part = next(part for part in probe.probe(rig).all if part.name == "pwm")
    finally:
        shell.run_check("rm /etc/modprobe.d/test.conf")
    assert part.why == "its module pwm_samsung is blacklisted in /etc/modprobe.d/test.conf"
    assert part.fix == "remove it there, or modprobe pwm_samsung"


def test_a_wrong_compatible_is_found_by_its_likeness(of):
    assert of("second").state == "missing"
    assert of("second").why == (
        "no devicetree node has compatible davicom,dm9000; /ethernet@1f000000 is davicom,dm9010, "
        "which has no driver: is that it?")


def test_a_disabled_node_says_so(of):
    assert (of("lamp").state, of("lamp").why) == ("disabled", "its node /lamp has status disabled")


@pytest.mark.parametrize(("name", "why"), [
    ("eeprom", "no devicetree node has compatible atmel,24c02"),
    ("clock", "no devicetree node has compatible dallas,ds1307"),
    ("mouse", "no device has the driver usbhid"),
    ("behind", "it is on mouse, which is missing"),
])
def test_what_is_not_there_is_missing_and_why(of, name, why):
    assert (of(name).state, of(name).why) == ("missing", why)


def test_devices_without_a_driver_and_bound_ones_that_no_board_lists_are_reported(found):
    idle = {part.place: part.why for part in found.idle}
    assert idle["platform 1f000000.ethernet"] == "davicom,dm9010"
    assert next(why for place, why in idle.items() if "virtio_mmio and" in place) == "virtio,mmio"
    assert ("platform reg-dummy", "reg-dummy") in {(part.place, part.has) for part in found.extra}


def test_the_tree_in_the_terminal_and_json_say_the_same(found):
    from rich.console import Console

    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(report.devices("wrong210", "6.12", found))
    text = console.export_text()
    assert found.headline == "8 of 10 devices do not have their driver."
    for part in found.all:
        assert part.name in text
    assert "→ modprobe pwm_samsung" in text
    as_json = json.loads(json.dumps(found.as_dict()))
    assert as_json["whole"] is False
    assert [part["name"] for part in as_json["parts"][1]["behind"]] == ["sensor", "eeprom", "clock"]


def test_the_page_shows_what_is_wrong_open_and_what_is_right_folded(found, tmp_path):
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    record = Record(tmp_path, RunInfo("wrong210", "6.12", probe=found))
    report.write(record)
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"file://{tmp_path}/report.html")
        tree = page.locator("#devices .tree").first
        assert tree.is_visible()
        assert "its module pwm_samsung is not loaded" in tree.inner_text()
        assert page.locator("#devices .pill.pass").count() == 2
        page.screenshot(path=str(tmp_path / "devices.png"), full_page=True)
        chromium.close()


def test_a_chip_that_is_not_the_one_fails_the_probe_with_the_kernels_own_words():
    words = ["--board", "twin210", "--json", "--fault", "dm9000:wrong_chip_id"]
    done = subprocess.run([sys.executable, "-m", "bench", "probe", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    [ethernet] = (part for part in json.loads(done.stdout)["parts"] if part["name"] == "ethernet")
    assert (ethernet["state"], ethernet["has"]) == ("no driver", "")
    assert "not found" in ethernet["why"] and "/sys/bus/platform/drivers/dm9000/bind" in ethernet["fix"]
