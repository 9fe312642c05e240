"""The kernel's own health: what its log, its taint bits and its counters say about a check.

Ref: Documentation/admin-guide/tainted-kernels.rst, Documentation/admin-guide/sysctl/kernel.rst

Log lines are (ns, level, text) tuples. A finding's severity is `fail` (the check fails), `warn` (shown, does not
fail it) or `info` (kept for the record).
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LogLine = tuple[int, int, str]

FAIL, WARN, INFO = "fail", "warn", "info"


@dataclass(frozen=True)
class HealthFinding:
    """One thing that the kernel's health says.

    `kind` is crash, splat, log, taint, counter, leak, irq, reset, or declared (the check said that it would come).
    """

    kind: str
    text: str
    severity: str


@dataclass(frozen=True)
class Taint:
    """One bit of /proc/sys/kernel/tainted; `severity` is that of a bit which appears during a check."""

    bit: int
    letter: str
    meaning: str
    severity: str


TAINTS = (
    Taint(0, "P", "a proprietary module was loaded", INFO),
    Taint(1, "F", "a module was force-loaded", WARN),
    Taint(2, "S", "the kernel runs on an out of specification system", WARN),
    Taint(3, "R", "a module was force-unloaded", WARN),
    Taint(4, "M", "a processor reported a machine check exception", FAIL),
    Taint(5, "B", "a bad page was referenced, or page flags were unexpected", FAIL),
    Taint(6, "U", "user space asked for this taint", WARN),
    Taint(7, "D", "the kernel died: there was an OOPS or a BUG", FAIL),
    Taint(8, "A", "an ACPI table was overridden", WARN),
    Taint(9, "W", "the kernel issued a warning", FAIL),
    Taint(10, "C", "a staging driver was loaded", INFO),
    Taint(11, "I", "a workaround for a bug in the firmware was applied", WARN),
    Taint(12, "O", "an out-of-tree module was loaded", INFO),
    Taint(13, "E", "an unsigned module was loaded", INFO),
    Taint(14, "L", "a soft lockup occurred", FAIL),
    Taint(15, "K", "the kernel was live patched", INFO),
    Taint(16, "X", "auxiliary taint, defined by the distribution", INFO),
    Taint(17, "T", "the kernel was built with randomised structures", INFO),
    Taint(18, "N", "an in-kernel test ran", INFO),
    Taint(19, "J", "user space used a mutating debug operation in fwctl", WARN),
)

# Heads of kernel reports, after syzkaller's, LAVA's and xfstests' lists of what such reports begin with. The name
# on the left is the finding's kind; `crash` means that the kernel (or the part that oopsed) cannot be trusted further.
_HEADS: tuple[tuple[str, str], ...] = (
    ("crash", r"Kernel panic - not syncing"),
    ("crash", r"PANIC: double fault|rust_kernel: panicked|trusty: panic"),
    ("crash", r"\bOops(?: -|:)|Internal error:"),
    ("crash", r"[Uu]nable to handle kernel|[Uu]nhandled (?:fault|prefetch abort)|Alignment trap:"),
    ("crash", r"general protection fault|stack segment:|divide error:|invalid opcode:|int3:"),
    ("crash", r"[Kk]ernel BUG(?: at|:| \[)|BUG: unable to handle"),
    ("crash", r"BUG: soft lockup|watchdog: .*(?:soft|hard) LOCKUP|watchdog: BUG:|BUG: workqueue lockup"),
    ("crash", r"rcu: INFO: .*(?:self-)?detected .*stalls?|rcu_\w+ kthread starved"),
    ("crash", r"INFO: task .* blocked (?:for more than|in I/O wait)|blocked for more than \d+ seconds"),
    ("splat", r"BUG: (?:KCSAN|KASAN|KFENCE|KMSAN|sleeping function|scheduling while atomic|spinlock|memory leak)"),
    ("splat", r"\bBUG:|BUG kmalloc-|BUG .* remaining"),
    ("splat", r"\bWARNING: |\bUBSAN:"),
    ("splat", r"possible (?:recursive locking|circular locking dependency|irq lock inversion) "),
    ("splat", r"suspicious RCU usage|inconsistent lock state|lock held when returning to user space"),
    ("splat", r"still has locks held|bad unlock balance|Invalid wait context|HARDIRQ-safe -> HARDIRQ-unsafe"),
    ("splat", r"unregister_netdevice: waiting for|VFS: (?:Close: file count is 0|Busy inodes after unmount)"),
    ("splat", r"NETDEV WATCHDOG|irq \d+: nobody cared|DMA-API: |spurious interrupt"),
    ("splat", r"(?:blk_update_request|Buffer) ?:? I/O error|I/O error, dev |failed to transfer one message"),
    ("splat", r"refcount_t: |list_(?:add|del) corruption|page allocation failure|Out of memory: Killed"),
)
HEADS = tuple((kind, re.compile(pattern)) for kind, pattern in _HEADS)

# What looks like the head of a report and is none.
IGNORED = re.compile(
    r"ODEBUG: (?:Out of memory|selftest)|INFO: lockdep is turned off|INFO: NMI handler .* took too long"
    r"|took too long to run|WARNING: Unprivileged eBPF|WARNING: KVM|WARNING: The mand mount option"
    r"|Warning: unable to open an initial console|WARNING: no IRQ resource flags|trace_printk\(\) being used"
)
# A kernel or its boot loader starts anew: on a running board that is an unasked reset.
RESET = re.compile(
    r"^(?:\[[ .\d]+\] )?(?:Booting Linux on physical CPU|Linux version \d|Uncompressing Linux)|U-Boot (?:SPL )?20\d\d"
)

_CUT_HERE = re.compile(r"-+\[ cut here \]-+")
_END_TRACE = re.compile(r"-+\[ end (?:trace|Kernel panic)")
_ERR = 3  # KERN_ERR


def kernel_lines(records: Iterable[Mapping[str, Any]]) -> tuple[LogLine, ...]:
    """Return the kernel's own log lines of what drivers.kernel's `kmsg` read: no program can write with facility 0."""
    return tuple((int(r["time_s"] * 1e9), r["level"], r["text"]) for r in records if r["facility"] == 0)


def head_of(text: str) -> str | None:
    """Return the kind of kernel report that `text` begins (crash or splat), None when it begins none."""
    if IGNORED.search(text):
        return None
    return next((kind for kind, pattern in HEADS if pattern.search(text)), None)


def taint_findings(before: int, after: int) -> tuple[HealthFinding, ...]:
    """Return a finding for each taint bit that `after` has and `before` has not."""
    new = after & ~before
    known = [taint for taint in TAINTS if new >> taint.bit & 1]
    found = [HealthFinding("taint", f"taint {t.letter} appeared: {t.meaning}", t.severity) for t in known]
    unknown = new >> len(TAINTS) << len(TAINTS)
    if unknown:
        found.append(HealthFinding("taint", f"taint bits {unknown:#x} appeared: unknown to this bench", WARN))
    return tuple(found)


def crash_in(lines: Iterable[tuple[int, str] | str]) -> HealthFinding | None:
    """Return the first crash, hang report or unasked reset in console `lines`, (ns, text) or text; None without one."""
    for line in lines:
        text = line if isinstance(line, str) else line[1]
        if RESET.search(text):
            return HealthFinding("reset", f"the board started anew: {text.strip()}", FAIL)
        if head_of(text) == "crash":
            return HealthFinding("crash", text.strip(), FAIL)
    return None


def reports_in(kmsg: Sequence[LogLine]) -> list[tuple[str, str, list[str]]]:
    """Group log lines into kernel reports: (kind, title, all its lines); a line outside any report has kind `log`."""
    reports: list[tuple[str, str, list[str]]] = []
    block: list[str] | None = None  # the lines since "cut here"
    for _, level, text in kmsg:
        if _CUT_HERE.search(text):
            if block:
                reports.append(_closed(block))
            block = []
        elif block is not None:
            block.append(text)
            if _END_TRACE.search(text):
                reports.append(_closed(block))
                block = None
        elif (kind := head_of(text)) is not None:
            reports.append((kind, text, [text]))
        elif level <= _ERR and not IGNORED.search(text) and not _END_TRACE.search(text):
            reports.append(("log", text, [text]))
    if block:
        reports.append(_closed(block))
    return reports


def _closed(block: list[str]) -> tuple[str, str, list[str]]:
    heads = [(head_of(line), line) for line in block]
    for wanted in ("crash", "splat"):
        for kind, line in heads:
            if kind == wanted:
                return kind, line, block
    return "splat", block[0] if block else "cut here", block


def compare(before: Mapping[str, Any], after: Mapping[str, Any], kmsg: Sequence[LogLine],
            expected: Iterable[str] = ()) -> tuple[HealthFinding, ...]:
    """Judge what happened to the kernel between two snapshots.

    `before`, `after`: {taint: bits, counts: {warn_count: …, oops_count: …}, modules: {name: refcount}, fds: number,
    interrupts: {line: {count, names}}, uptime_s}, as drivers.kernel's `snapshot` returns them; what either lacks is
    not judged.
    `expected`: regular expressions of reports that the check declares; a declared report and the taint W and
    warn_count that come with it are `info`.
    """
    patterns = [(text, re.compile(text)) for text in expected]
    findings: list[HealthFinding] = []
    seen: set[str] = set()
    excused = 0  # reports that were declared
    undeclared = 0
    for kind, title, lines in reports_in(kmsg):
        declared = next((text for text, pattern in patterns if any(pattern.search(line) for line in lines)), None)
        if declared is not None:
            seen.add(declared)
            excused += kind != "log"
            findings.append(HealthFinding("declared", f"declared by the check: {title}", INFO))
        else:
            undeclared += kind != "log"
            findings.append(HealthFinding(kind, title, FAIL))
    quiet = bool(excused) and not undeclared
    for text, pattern in patterns:
        if text not in seen and not any(pattern.search(line) for _, _, line in kmsg):
            findings.append(HealthFinding("declared", f"declared by the check, but did not come: {text}", WARN))
    taints = taint_findings(_int(before, "taint"), _int(after, "taint"))
    findings += [_excuse(finding, quiet and " W " in finding.text) for finding in taints]
    findings += _counters(before, after, quiet)
    findings += _leaks(before, after)
    findings += _interrupts(_map(before, "interrupts"), _map(after, "interrupts"))
    return tuple(findings)


def _excuse(finding: HealthFinding, declared: bool) -> HealthFinding:
    return HealthFinding("declared", finding.text, INFO) if declared else finding


def _counters(before: Mapping[str, Any], after: Mapping[str, Any], quiet: bool) -> list[HealthFinding]:
    was, now = _map(before, "counts"), _map(after, "counts")
    return [
        _excuse(HealthFinding("counter", f"{n} went from {was[n]} to {now[n]}", FAIL), quiet and n == "warn_count")
        for n in now if n in was and now[n] > was[n]
    ]


def _leaks(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[HealthFinding]:
    found = []
    if after.get("uptime_s", 0) < before.get("uptime_s", 0):
        text = f"the board started anew: its uptime went from {before['uptime_s']:.1f} s to {after['uptime_s']:.1f} s"
        return [HealthFinding("reset", text, FAIL)]
    was, now = _map(before, "modules"), _map(after, "modules")
    for name in sorted(was.keys() | now.keys()):
        if name not in now:
            found.append(HealthFinding("leak", f"module {name} is no longer loaded", WARN))
        elif name not in was:
            found.append(HealthFinding("leak", f"module {name} was loaded and stayed", INFO))
        elif was[name] != now[name]:
            found.append(HealthFinding("leak", f"module {name}: use count went from {was[name]} to {now[name]}", FAIL))
    if "fds" in before and "fds" in after and after["fds"] > before["fds"]:
        found.append(HealthFinding("leak", f"open file descriptors went from {before['fds']} to {after['fds']}", FAIL))
    return found


def _interrupts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[HealthFinding]:
    found = []
    for line in sorted(before.keys() & after.keys()):
        was, now = before[line], after[line]
        if line.lower() in ("err", "mis") and now["count"] > was["count"]:
            text = f"bad interrupts ({line}) went from {was['count']} to {now['count']}"
            found.append(HealthFinding("irq", text, FAIL))
        # The same handler twice on a line that had it once: it was not released before it was requested anew.
        for name in sorted(set(now["names"])):
            times = now["names"].count(name)
            if times > max(1, was["names"].count(name)):
                found.append(HealthFinding("irq", f"interrupt {line}: {name} holds it {times} times", FAIL))
    return found


def slab_leaks(samples: Sequence[Mapping[str, int]], per_loop: float = 0.9) -> tuple[HealthFinding, ...]:
    """Find slab caches that grow by `per_loop` objects or more in each loop.

    `samples`: active objects per cache, one sample after each loop, at least 4. The slope is the median of the slopes
    between all pairs (Theil-Sen), so one burst of allocation is no leak.
    """
    if len(samples) < 4:
        raise ValueError(f"a slope needs at least 4 samples, there are {len(samples)}")
    found = []
    for cache in sorted(set.intersection(*(set(s) for s in samples))):
        row = [s[cache] for s in samples]
        slopes = sorted((row[j] - row[i]) / (j - i) for j in range(len(row)) for i in range(j))
        slope = slopes[len(slopes) // 2]
        if slope >= per_loop:
            text = f"slab {cache} grows by {slope:.1f} objects a loop ({row[0]} to {row[-1]})"
            found.append(HealthFinding("leak", text, FAIL))
    return tuple(found)


def _int(snapshot: Mapping[str, Any], key: str) -> int:
    return int(snapshot.get(key, 0) or 0)


def _map(snapshot: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return snapshot.get(key) or {}
