"""A record as a run on the twin leaves it, with one check that fails: a DM9000 that swallows a TX completion.

Times: the check starts at host time ZERO; the target's clock is OFFSET ahead of the host's.
"""
import struct

import pytest

from bench import report
from bench.errors import SetupError
from bench.health import HealthIssue
from bench.judge.judge import judge
from bench.report.screenshot import QUIET, browser
from bench.store import CallError, CallRecord, CheckRecord, Measurement, RunInfo, WireEvent, Writer, read
from bench.trace import Trace
from bench.verdict import Outcome, Verdict
from drivers.contract import Tracepoint, contract, never, pair, role

ZERO, OFFSET, MS = 9_000_000_000_000, -8_988_400_000_000, 1_000_000
FRAME = bytes.fromhex("525400123456 02000000aa01 88b5".replace(" ", "")) + bytes(range(46))
HOSTILE = "\x1b]0;owned\x07\x1b[31m<script>document.title='owned'</script>\x00\u202etxt.exe\x9b2J\"'&\ud800\x85"

FIELDS = {  # event → id and its fields, in the kernel's order
    "net:net_dev_queue": (1001, "void * skbaddr; unsigned int len; __data_loc char[] name"),
    "net:net_dev_xmit": (1002, "void * skbaddr; unsigned int len; int rc; __data_loc char[] name"),
    "net:net_dev_xmit_timeout": (1003, "__data_loc char[] name; __data_loc char[] driver; int queue_index"),
    "irq:irq_handler_entry": (1004, "int irq; __data_loc char[] name"),
    "irq:irq_handler_exit": (1005, "int irq; int ret"),
    "irq:softirq_entry": (1006, "unsigned int vec"),
    "irq:softirq_exit": (1007, "unsigned int vec"),
    "bench:dm9000_start_xmit": (1501, "unsigned long __probe_ip; u32 skb"),
    "bench:dm9000_tx_done": (1502, "unsigned long __probe_ip; u32 nsr"),
    "bench:dm9000_timeout": (1503, "unsigned long __probe_ip"),
}


def format_text(event):
    number, fields = FIELDS[event]
    lines = [f"name: {event.partition(':')[2]}", f"ID: {number}", "format:"]
    common = [("unsigned short common_type", 2), ("unsigned char common_flags", 1),
              ("unsigned char common_preempt_count", 1), ("int common_pid", 4)]
    offset = 0
    for decl, size in common + [(field.strip(), 4) for field in fields.split(";")]:
        signed = int(decl.startswith("int "))
        lines.append(f"\tfield:{decl};\toffset:{offset};\tsize:{size};\tsigned:{signed};")
        offset += size
    return "\n".join(lines) + '\n\nprint fmt: ""\n'


def encoded(event, pid, *values):
    """The event's bytes as a 32-bit little-endian kernel writes them; strings go behind the fixed part."""
    number = FIELDS[event][0]
    fixed, tail, at = b"", b"", 8 + 4 * len(values)
    for value in values:
        if isinstance(value, str):
            text = value.encode() + b"\0"
            fixed += struct.pack("<I", (len(text) << 16) | (at + len(tail)))
            tail += text
        else:
            fixed += struct.pack("<I", value & 0xFFFFFFFF)
    data = struct.pack("<HBBi", number, 0, 0, pid) + fixed + tail
    return data + bytes(-len(data) % 4)


def page(events):
    """One 4 KiB sub-buffer of (time, bytes)."""
    body, last = b"", events[0][0]
    for ts, data in events:
        delta, last = ts - last, ts
        if delta >= 1 << 27:
            body += struct.pack("<II", (delta & 0x7FFFFFF) << 5 | 30, delta >> 27)
            delta = 0
        body += struct.pack("<I", delta << 5 | len(data) // 4) + data
    return (struct.pack("<QI", events[0][0], len(body)) + body).ljust(4096, b"\0")


SENT = (12.1, 14.3, 16.2)  # ms after the start; the third is never completed
WATCHDOG = 5_216.4


def kernel_events():
    """(ms after the check's start, cpu, event, pid, values)"""
    for number, ms in enumerate(SENT):
        skb = 0xC1A4_4000 + 0x100 * number
        yield ms, 0, "net:net_dev_queue", 214, (skb, 60, "eth0")
        yield ms + 0.021, 0, "bench:dm9000_start_xmit", 214, (0xBF00_1F84, skb)
        yield ms + 0.412, 0, "net:net_dev_xmit", 214, (skb, 60, 0, "eth0")
        if number < 2:
            yield ms + 0.482, 0, "irq:irq_handler_entry", 0, (38, "eth0")
            yield ms + 0.731, 0, "bench:dm9000_tx_done", 0, (0xBF00_1C10, 0x48)
            yield ms + 0.902, 0, "irq:irq_handler_exit", 0, (38, 1)
        yield ms + 0.95, 1, "irq:softirq_entry", 17, (1,)
        yield ms + 0.98, 1, "irq:softirq_exit", 17, (1,)
    yield WATCHDOG - 0.01, 1, "irq:softirq_entry", 17, (1,)
    yield WATCHDOG, 1, "net:net_dev_xmit_timeout", 17, ("eth0", "dm9000", 0)
    yield WATCHDOG + 0.32, 1, "bench:dm9000_timeout", 17, (0xBF00_1A40,)
    yield WATCHDOG + 2.9, 1, "irq:softirq_exit", 17, (1,)
    yield WATCHDOG + 3.2, 0, "irq:irq_handler_entry", 0, (38, "eth0")
    yield WATCHDOG + 3.6, 0, "irq:irq_handler_exit", 0, (38, 1)


def target(ms):
    return ZERO + OFFSET + round(ms * MS)


def host(ms):
    return ZERO + round(ms * MS)


def trace():
    events = sorted(kernel_events())
    pages = [page([(target(ms), encoded(event, pid, *values)) for ms, at, event, pid, values in events if at == cpu])
             for cpu in (0, 1)]
    return Trace.from_pages(pages, {event: format_text(event) for event in FIELDS}, long_size=4, subbuf_size=4096,
                            cmdlines={214: "python3", 17: "ksoftirqd/1"}, armed=tuple(FIELDS))


def wire():
    for number, ms in enumerate(SENT):
        yield WireEvent(host(ms + 0.18), "chip", "out", "MWCMD: 60 bytes into TX SRAM", FRAME.hex())
        yield WireEvent(host(ms + 0.39), "chip", "out", "TCR.TXREQ, TXPL = 60", "")
        yield WireEvent(host(ms + 0.40), "cable", "out", "frame of 60 bytes, type 88b5", FRAME.hex())
        if number < 2:
            yield WireEvent(host(ms + 0.44), "chip", "in", f"NSR.TX{number + 1}END, ISR.PTS, interrupt", "")
        else:
            yield WireEvent(host(ms + 0.44), "chip", "", "fault swallow_tx_completion: no TX1END, no PTS", "")
    yield WireEvent(host(WATCHDOG + 0.6), "chip", "out", "NCR.RST: software reset", "")


LOG = (
    (11.0, 6, "dm9000 10000000.ethernet eth0: link up, 100Mbps, full-duplex, lpa 0x45E1"),
    (WATCHDOG + 0.05, 2, "dm9000 10000000.ethernet eth0: NETDEV WATCHDOG: CPU: 1: transmit queue 0 timed out 5200 ms"),
    (WATCHDOG + 3.0, 6, "dm9000 10000000.ethernet eth0: link up, 100Mbps, full-duplex, lpa 0x45E1"),
)
queued = role("frame queued", Tracepoint("net:net_dev_queue", fields={"skb": "skbaddr"}))
sent = role("hand-over to the driver", Tracepoint("net:net_dev_xmit", fields={"skb": "skbaddr"}))
given = role("frame given to the chip", Tracepoint("bench:dm9000_start_xmit"))
completed = role("completion", Tracepoint("bench:dm9000_tx_done"))
timeout = role("transmit timeout", Tracepoint("net:net_dev_xmit_timeout"))
freed = role("frame dropped", Tracepoint("skb:kfree_skb"))
CONTRACTS = (
    contract("every queued frame reaches the driver", pair(queued, sent, key="skb")),
    contract("every frame is completed", pair(given, completed, within="100 ms")),
    contract("the watchdog stays quiet", never(timeout)),
    contract("no frame is dropped", never(freed)),
)
FAILING = CheckRecord(
    name="drivers/dm9000/checks/test_transmit.py::test_every_frame_that_is_sent_is_completed", device="ethernet",
    sentence="every frame that is sent is completed", exerciser="dm9000", outcome=Outcome.FAIL,
    reason="3 frames were handed to the chip and 2 completions came back; the queue stood still for 5.2 s until the "
           "kernel's watchdog reset the chip.",
    failure="    def test_every_frame_that_is_sent_is_completed(net, cable):\n"
            "        answer = net.tracing(every_frame_is_completed).send_frames(count=3)\n"
            ">       assert every_frame_is_completed(answer)\n"
            "E       assert fail: every frame is completed: each frame given to the chip is followed by one completion "
            "within 100 ms\n"
            "E         (1 × frame given to the chip without completion)\n",
    faults=("dm9000:swallow_tx_completion",), started_ns=ZERO, seconds=5.41,
    measured=(Measurement("completion, longest", 5200.2, "ms", 100, False), Measurement("frames", 3, "", None, True)),
    calls=(
        CallRecord("net.statistics", {"interface": "eth0"}, {"tx_packets": 41, "tx_errors": 0}, None, host(3.1),
                   host(4.9), OFFSET, 41_000, device="ethernet"),
        CallRecord("net.send_frames", {"interface": "eth0", "frames": [FRAME] * 3, "timeout_s": 6.0},
                   {"sent": 3, "completed": 2}, None, host(11.4), host(5_230.0), OFFSET, 41_000, "traces/0001.dat", 0,
                   tuple(judge(contract, trace()) for contract in CONTRACTS), "ethernet"),
        CallRecord("net.statistics", {"interface": "eth0"}, None,
                   CallError("OSError", "[Errno 110] Connection timed out", 110, "Traceback:\n"),
                   host(5_240.0), host(5_390.0), OFFSET, 41_000, device="ethernet"),
    ),
    wire=tuple(wire()), pcap="wire/0001.pcap",
    health=(HealthIssue("splat", LOG[1][2], "fail"), HealthIssue("taint", "taint O appeared: an out-of-tree module "
                                                                     "was loaded", "info")),
    console=tuple((host(ms + 0.9), f"[{11.6 + ms / 1e3:12.6f}] {text}") for ms, _, text in LOG),
    kmsg=tuple((target(ms), level, text) for ms, level, text in LOG),
)


def check(sentence, outcome=Outcome.PASS, exerciser="net", **more):
    name = f"drivers/{exerciser}/test_{exerciser}.py::test_{sentence.replace(' ', '_')}"
    return CheckRecord(**{"name": name, "sentence": sentence, "exerciser": exerciser, "outcome": outcome,
                          "device": "ethernet", "started_ns": ZERO, "seconds": 0.4, **more})


OTHERS = (
    check("the driver is bound and says who it is", exerciser="dm9000", seconds=0.012),
    check("the MAC address comes from the devicetree", exerciser="dm9000", seconds=0.31),
    check("a bad EEPROM falls back to the devicetree", Outcome.FAIL, "dm9000", seconds=0.6,
          reason="the driver took ff:ff:ff:ff:ff:ff from the EEPROM as its address",
          known_defect="dm9000 accepts an EEPROM of all ones before it looks at the devicetree; reported upstream"),
    check("ethtool reads every register", exerciser="dm9000", seconds=0.055),
    check("ethtool writes the EEPROM and reads it back", exerciser="dm9000", seconds=1.94),
    check("an RX overflow is counted and survived", exerciser="dm9000", seconds=2.2,
          measured=(Measurement("recovery", 148, "ms", 1000, True),)),
    check("twenty module reloads leave nothing behind", exerciser="dm9000", seconds=31.7,
          measured=(Measurement("slab slope", 0.05, "objects/loop", 0.9), Measurement("irq released", 20, "times"))),
    check("the device wakes on a magic packet", Outcome.SKIP, "dm9000", seconds=0,
          reason="this board has no wake-up interrupt"),
    check("no skb is freed twice", Outcome.INCONCLUSIVE, "dm9000", seconds=0.8,
          reason="1,204 events were lost on cpu 0 while the burst ran: the buffer of 4 MiB was full",
          calls=(CallRecord("net.burst", {"interface": "eth0", "frames": 400}, {"sent": 400}, None, host(1), host(700),
                            OFFSET, 38_000, None, 1204,
                            (Verdict(Outcome.INCONCLUSIVE, "no skb is freed twice", "1,204 events were lost"),)),)),
    check("carrier follows the cable both ways within a second",
          measured=(Measurement("carrier up", 0.41, "s", 1.0), Measurement("carrier down", 0.97, "s", 1.0))),
    check("ARP is answered", seconds=0.09), check("ICMP echo comes back", seconds=0.22,
          measured=(Measurement("round trip", 8.6, "ms", 50, True),)),
    check("every length from 60 to 1514 goes both ways byte for byte", seconds=48.3,
          measured=(Measurement("rate", 212, "frames/s", 50, True),)),
    check("a VLAN-tagged frame of 1518 bytes goes both ways", seconds=0.2),
    check("bursts stop and wake the queue", seconds=3.4), check("unknown unicast is filtered", seconds=0.5),
    check("multicast follows the hash filter", seconds=1.1), check("promiscuous mode sees all", seconds=0.7),
    check("statistics equal what the cable saw", seconds=0.9),
    check("a hundred link flaps", Outcome.BROKEN, seconds=61, reason="the rig's power switch did not answer in 30 s"),
)
RUN = RunInfo("twin210", "6.12.107", "4be1d02c9a7755f1", "0.1.0", "2026-11-22T12:41:07+00:00", "lab-3", True,
              ("dm9000:swallow_tx_completion",),
              {"devicetree": "samsung,smdkv210", "ethernet": {"driver": "dm9000", "chip": "DM9000B, id 0x90000a46",
                                                              "MAC": "52:54:00:12:34:56"}})


@pytest.fixture(scope="session")
def failing():
    return FAILING


@pytest.fixture(scope="session")
def others():
    return OTHERS


@pytest.fixture(scope="session")
def hostile():
    return HOSTILE


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """Write `checks` into a new folder with the sample's trace in it, and read them back."""
    def write(*checks, run=RUN, end=True):
        folder = tmp_path_factory.mktemp("record") / "record"
        writer = Writer(folder)
        writer.start(run)
        trace().save(folder / "traces" / "0001.dat")
        for one in checks:
            writer.add(one)
        writer.close({} if end else None)
        return read(folder)
    return write


@pytest.fixture(scope="session")
def sample(recorded):
    return recorded(*OTHERS[:3], FAILING, *OTHERS[3:])


@pytest.fixture(scope="session")
def chromium():
    """A Chromium for all tests of pages, as a browser context; each test opens pages of its own."""
    api = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright")
    try:
        path = browser()
    except SetupError as error:
        pytest.skip(str(error))
    with api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=path, args=[arg for arg in QUIET if arg != "--headless"])
        yield running.new_context(viewport={"width": 1280, "height": 900})
        running.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """Open a record's page; `page.seen` gathers errors and requests."""
    pages = []

    def open_page(record, scheme="light"):
        page = chromium.new_page()
        pages.append(page)
        page.emulate_media(color_scheme=scheme)
        page.seen = []
        page.on("console", lambda message: page.seen.append(message.text))
        page.on("pageerror", lambda error: page.seen.append(str(error)))
        page.on("request", lambda request: page.seen.append(request.url))
        files = report.write(record, tmp_path)
        page.goto(files.html.as_uri())
        assert page.seen.pop(0) == files.html.as_uri()
        return page

    yield open_page
    for page in pages:
        page.close()
