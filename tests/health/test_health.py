"""Kernel health: reports in the log, taints and counters, declared splats, leaks, crashes on the console."""
import pytest

from bench.health import HealthIssue, compare, crash_in, head_of, kernel_lines

CALM = {"taint": 0, "counts": {"warn_count": 0, "oops_count": 0}, "modules": {"dm9000": 0}, "fds": 7, "uptime_s": 9.5,
        "interrupts": {"38": {"count": 5, "names": ["eth0"]}, "Err": {"count": 0, "names": []}}}
WARNED = {**CALM, "taint": 0x200, "counts": {"warn_count": 1, "oops_count": 0}}
WARNING = [
    (10, 4, "------------[ cut here ]------------"),
    (11, 4, "WARNING: CPU: 0 PID: 0 at net/sched/sch_generic.c:525 dev_watchdog+0x1b4/0x1c0"),
    (12, 4, "Modules linked in: dm9000"),
    (13, 4, "Call trace: "),
    (14, 4, " dev_watchdog from call_timer_fn+0x30/0xe0"),
    (15, 4, "---[ end trace 0000000000000000 ]---"),
]
WATCHDOG = [(20, 2, "dm9000 10000000.ethernet eth0: NETDEV WATCHDOG: CPU: 0: transmit queue 0 timed out 5200 ms")]


@pytest.mark.parametrize(("line", "kind"), [
    ("Kernel panic - not syncing: Fatal exception in interrupt", "crash"),
    ("Internal error: Oops: 17 [#1] SMP ARM", "crash"),
    ("8<--- cut here ---", None),
    ("Unable to handle kernel NULL pointer dereference at virtual address 00000000 when read", "crash"),
    ("kernel BUG at net/core/skbuff.c:192!", "crash"),
    ("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [python3:210]", "crash"),
    ("rcu: INFO: rcu_sched self-detected stall on CPU", "crash"),
    ("INFO: task ip:311 blocked for more than 120 seconds.", "crash"),
    ("BUG: KASAN: slab-out-of-bounds in dm9000_inblk_32bit+0x3c/0x50", "splat"),
    ("BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585", "splat"),
    ("BUG kmalloc-2k (Not tainted): Objects remaining in kmalloc-2k on __kmem_cache_shutdown()", "splat"),
    ("UBSAN: array-index-out-of-bounds in drivers/net/ethernet/davicom/dm9000.c:412:9", "splat"),
    ("irq 38: nobody cared (try booting with the \"irqpoll\" option)", "splat"),
    ("WARNING: possible circular locking dependency detected", "splat"),
    ("unregister_netdevice: waiting for eth0 to become free. Usage count = 2", "splat"),
    ("DMA-API: spi 0000:00:02.0: device driver has pending DMA allocations while released", "splat"),
    ("WARNING: no IRQ resource flags set.", None),
    ("INFO: lockdep is turned off.", None),
    ("INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.2 msecs", None),
    ("dm9000 10000000.ethernet eth0: link up, 100Mbps, full-duplex, lpa 0x45E1", None),
    ("Debugging enabled", None),
])
def test_kernel_reports_are_known_by_their_heads(line, kind):
    assert head_of(line) == kind


def test_a_calm_kernel_gives_no_finding():
    assert compare(CALM, CALM, [(1, 6, "eth0: link up"), (2, 4, "eth0: link down")]) == ()


def test_a_warning_is_one_finding_and_its_taint_and_counter_are_others():
    findings = compare(CALM, WARNED, WARNING)
    assert findings == (
        HealthIssue("splat", WARNING[1][2], "fail"),
        HealthIssue("taint", "taint W appeared: the kernel issued a warning", "fail"),
        HealthIssue("counter", "warn_count went from 0 to 1", "fail"),
    )


def test_a_declared_warning_excuses_its_taint_and_counter_too():
    findings = compare(CALM, WARNED, WARNING, ["dev_watchdog"])
    assert [f.severity for f in findings] == ["info", "info", "info"]


def test_a_second_warning_that_was_not_declared_still_fails():
    other = [(ns + 100, level, text.replace("dev_watchdog", "other")) for ns, level, text in WARNING]
    findings = compare(CALM, WARNED, WARNING + other, ["dev_watchdog"])
    assert [(f.kind, f.severity) for f in findings] == [
        ("declared", "info"), ("splat", "fail"), ("taint", "fail"), ("counter", "fail")]


def test_a_watchdog_line_fails_unless_it_was_declared():
    assert [f.severity for f in compare(CALM, CALM, WATCHDOG)] == ["fail"]
    assert [f.severity for f in compare(CALM, CALM, WATCHDOG, ["NETDEV WATCHDOG"])] == ["info"]


def test_a_declared_report_that_did_not_come_is_said():
    assert compare(CALM, CALM, [], ["NETDEV WATCHDOG"]) == (
        HealthIssue("declared", "declared by the check, but did not come: NETDEV WATCHDOG", "warn"),)


def test_an_error_line_of_the_kernel_is_a_finding():
    assert compare(CALM, CALM, [(1, 3, "dm9000 10000000.ethernet: eeprom read failed")]) == (
        HealthIssue("log", "dm9000 10000000.ethernet: eeprom read failed", "fail"),)


@pytest.mark.parametrize(("bit", "severity"), [
    (0, "info"), (1, "warn"), (4, "fail"), (5, "fail"), (7, "fail"), (9, "fail"), (12, "info"), (14, "fail"),
])
def test_taint_bits_fail_or_are_only_kept(bit, severity):
    assert [f.severity for f in compare(CALM, {**CALM, "taint": 1 << bit}, [])] == [severity]


def test_a_taint_that_was_there_before_is_not_charged_to_this_check():
    assert compare({**CALM, "taint": 0x1200}, {**CALM, "taint": 0x1200}, []) == ()


def test_a_taint_bit_of_a_newer_kernel_is_named_by_its_number():
    [finding] = compare(CALM, {**CALM, "taint": 1 << 25}, [])
    assert finding.text == "taint bits 0x2000000 appeared: unknown to this bench"


def test_what_must_return_to_zero_is_compared():
    after = {**CALM, "modules": {"dm9000": 1, "seeded_bug": 0}, "fds": 9, "interrupts": {
        "38": {"count": 900, "names": ["eth0", "eth0"]}, "Err": {"count": 2, "names": []}}}
    assert compare(CALM, after, []) == (
        HealthIssue("leak", "module dm9000: use count went from 0 to 1", "fail"),
        HealthIssue("leak", "module seeded_bug was loaded and stayed", "info"),
        HealthIssue("leak", "open file descriptors went from 7 to 9", "fail"),
        HealthIssue("irq", "interrupt 38: eth0 holds it 2 times", "fail"),
        HealthIssue("irq", "bad interrupts (Err) went from 0 to 2", "fail"),
    )


def test_a_board_that_started_anew_is_told_by_its_uptime():
    assert compare(CALM, {**CALM, "uptime_s": 1.2}, []) == (
        HealthIssue("reset", "the board rebooted: its uptime went from 9.5 s to 1.2 s", "fail"),)


def test_only_lines_of_the_kernel_itself_are_judged():
    records = [{"seq": 1, "level": 2, "facility": 1, "time_s": 1.0, "text": "Kernel panic - not syncing: forged"},
               {"seq": 2, "level": 6, "facility": 0, "time_s": 1.5, "text": "eth0: link up"}]
    assert kernel_lines(records) == ((1_500_000_000, 6, "eth0: link up"),)


def test_a_crash_and_an_unasked_reset_are_seen_on_the_console():
    lines = [(1, "all well"), (2, "[    3.2] Internal error: Oops: 5 [#1] SMP ARM"), (3, "x")]
    assert crash_in(lines) == HealthIssue("crash", "[    3.2] Internal error: Oops: 5 [#1] SMP ARM", "fail")
    assert crash_in(["[    0.000000] Booting Linux on physical CPU 0x0"]) == HealthIssue(
        "reset", "the board rebooted: [    0.000000] Booting Linux on physical CPU 0x0", "fail")
    assert crash_in(["U-Boot SPL 2026.01 (Jan 05 2026)"]).kind == "reset"
    assert crash_in([(1, "login:")]) is None
