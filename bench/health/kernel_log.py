"""The kernel log: which lines begin a report of a crash or a splat, and which lines belong to it.

Log lines are (ns, level, text) tuples.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.health.issue import FAIL, HealthIssue

LogLine = tuple[int, int, str]

# Heads of kernel reports, after syzkaller's, LAVA's and xfstests' lists of what such reports begin with. The name
# on the left is the issue's kind; `crash` means that the kernel (or the part that oopsed) cannot be trusted further.
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
# A kernel or its boot loader starts again: on a running board that is an unexpected reset.
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


def crash_in(lines: Iterable[tuple[int, str] | str]) -> HealthIssue | None:
    """The first crash, hang report or unexpected reset in console `lines`, each (ns, text) or text."""
    for line in lines:
        text = line if isinstance(line, str) else line[1]
        if RESET.search(text):
            return HealthIssue("reset", f"the board rebooted: {text.strip()}", FAIL)
        if head_of(text) == "crash":
            return HealthIssue("crash", text.strip(), FAIL)
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
