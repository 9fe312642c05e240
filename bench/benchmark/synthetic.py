"""A synthetic recording of any size with every form of record, for measurements.

Some pages are written event by event; the rest are copies of them with later time stamps.
"""
from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.trace.recording import Recording

PAGE, HEADER = 4096, 16
TEMPLATES = 64  # different pages per CPU
PAGE_NS = 200_000  # time from page to page

COMMON = """	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

"""
ENTER, EXIT, SWITCH, QUEUE, PRINT, MARK = 401, 402, 403, 404, 5, 406


def _text(name: str, number: int, print_fmt: str, *fields: tuple[str, int, int, int]) -> str:
    lines = "".join(f"\tfield:{decl};\toffset:{offset};\tsize:{size};\tsigned:{signed};\n"
                    for decl, offset, size, signed in fields)
    return f"name: {name}\nID: {number}\nformat:\n{COMMON}{lines}\nprint fmt: {print_fmt}\n"


FORMATS = {
    "raw_syscalls:sys_enter": _text(
        "sys_enter", ENTER, '"NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)", REC->id, REC->args[0], REC->args[1], '
        "REC->args[2], REC->args[3], REC->args[4], REC->args[5]", ("long id", 8, 8, 1),
        ("unsigned long args[6]", 16, 48, 0)),
    "raw_syscalls:sys_exit": _text("sys_exit", EXIT, '"NR %ld = %ld", REC->id, REC->ret', ("long id", 8, 8, 1),
                                   ("long ret", 16, 8, 1)),
    "sched:sched_switch": _text(
        "sched_switch", SWITCH, '"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s ==> next_comm=%s next_pid=%d '
        'next_prio=%d", REC->prev_comm, REC->prev_pid, REC->prev_prio, __print_flags(REC->prev_state, "|", '
        '{ 0x00000001, "S" }, { 0x00000002, "D" }, { 0x00000004, "T" }), REC->next_comm, REC->next_pid, REC->next_prio',
        ("char prev_comm[16]", 8, 16, 0), ("pid_t prev_pid", 24, 4, 1), ("int prev_prio", 28, 4, 1),
        ("long prev_state", 32, 8, 1), ("char next_comm[16]", 40, 16, 0), ("pid_t next_pid", 56, 4, 1),
        ("int next_prio", 60, 4, 1)),
    "net:net_dev_queue": _text(
        "net_dev_queue", QUEUE, '"dev=%s skbaddr=%p len=%u", __get_str(name), REC->skbaddr, REC->len',
        ("void * skbaddr", 8, 8, 0), ("unsigned int len", 16, 4, 0), ("__data_loc char[] name", 20, 4, 0)),
    "ftrace:print": _text("print", PRINT, '"%ps: %s", (void *)REC->ip, REC->buf', ("unsigned long ip", 8, 8, 0),
                          ("char buf[]", 16, 0, 0)),
    "timer:tick": _text("tick", MARK, '"now=%llu", REC->now', ("u64 now", 8, 8, 0)),
}


@dataclass
class _Page:
    """One page as it is written: words of events, and where absolute stamps lie (word, ns after the page's stamp)."""

    data: bytearray = field(default_factory=bytearray)
    now: int = 0
    stamps: list[tuple[int, int]] = field(default_factory=list)
    events: int = 0

    def room(self, size: int) -> bool:
        return len(self.data) + size + 24 <= PAGE - HEADER

    def word(self, kind: int, delta: int) -> None:
        self.data += struct.pack("<I", kind | delta << 5)

    def event(self, delta: int, payload: bytes) -> None:
        payload += bytes(-len(payload) % 4)
        self.now += delta
        if len(payload) <= 112:
            self.word(len(payload) // 4, delta)
        else:
            self.word(0, delta)
            self.data += struct.pack("<I", len(payload) + 4)
        self.data += payload
        self.events += 1

    def extend(self, delta: int) -> None:
        self.now += delta
        self.word(30, delta & (1 << 27) - 1)
        self.data += struct.pack("<I", delta >> 27)

    def stamp(self, delta: int) -> None:
        self.now += delta
        self.stamps.append(((HEADER + len(self.data)) // 4, self.now))
        self.data += bytes(8)

    def discarded(self, delta: int, size: int) -> None:
        self.now += delta
        self.word(29, delta)
        self.data += struct.pack("<I", size) + bytes(size - 4)


def _fill(rng: random.Random, cpu: int) -> _Page:
    """A page of system calls, switches, frames, markers and ticks, and every other form of record now and then."""
    page = _Page()
    while page.room(600):
        pid = 1000 + cpu * 64 + rng.randrange(64)
        number = rng.randrange(400)
        head = struct.pack("<BBi", 0, 0, pid)
        page.event(rng.randrange(50, 900), struct.pack("<H", ENTER) + head + struct.pack("<q6Q", number, *range(6)))
        kind = rng.randrange(100)
        if kind < 30:
            page.event(rng.randrange(50, 900), struct.pack("<H", SWITCH) + head +
                       struct.pack("<16siiq16sii", b"python3", pid, 120, 1 << kind % 3, b"swapper/0", 0, 120))
        elif kind < 60:
            skb, length = 0xffff888100000000 + 256 * rng.randrange(64), 60 + rng.randrange(1400)
            body = struct.pack("<QII", skb, length, 5 << 16 | 24)
            page.event(rng.randrange(50, 900), struct.pack("<H", QUEUE) + head + body + b"eth0\0")
        elif kind < 66:
            text = b"step %d begin\n" % number * rng.choice((1, 1, 1, 12))
            page.event(rng.randrange(50, 900), struct.pack("<H", PRINT) + head + struct.pack("<Q", 0xffffffff81000000) +
                       text + b"\0")
        elif kind < 70:
            page.event(rng.randrange(50, 900), struct.pack("<H", MARK) + head + struct.pack("<Q", number))
        elif kind == 70:
            page.extend(1000)
        elif kind == 71:
            page.stamp(500)
        elif kind == 72:
            page.discarded(100, rng.choice((4, 16, 64)))
        result = struct.pack("<qq", number, -rng.randrange(40))
        page.event(rng.randrange(50, 900), struct.pack("<H", EXIT) + head + result)
    if page.room(0) and rng.random() < 0.5:
        page.word(29, 0)  # nothing more on this page
    return page


def recording(events: int, cpus: int = 2) -> Recording:
    """At least `events` events on `cpus` CPUs, 64-bit, little endian, 4 KiB sub-buffers; the same one every time."""
    rng = random.Random(20)
    blobs = []
    for cpu in range(cpus):
        templates = [_fill(rng, cpu) for _ in range(TEMPLATES)]
        rounds = -(-events // (cpus * sum(page.events for page in templates)))
        blobs.append(_copies(templates, rounds).reshape(-1).data)
    names = {1000 + number: f"task-{number}" for number in range(64 * cpus)}
    return Recording(blobs, FORMATS, long_size=8, subbuf_size=PAGE, cmdlines=names, name="synthetic")


def _copies(templates: list[_Page], rounds: int) -> NDArray[np.uint8]:
    """`rounds` copies of all template pages, each page `PAGE_NS` after the one before it."""
    pages = np.zeros((len(templates), PAGE), np.uint8)
    for number, page in enumerate(templates):
        data = struct.pack("<QQ", 0, len(page.data)) + bytes(page.data)
        pages[number, :len(data)] = np.frombuffer(data, np.uint8)
    copies = np.tile(pages, (rounds, 1))
    words = copies.view("<u4")
    start = np.arange(copies.shape[0], dtype=np.uint64) * np.uint64(PAGE_NS) + np.uint64(10**12)
    copies.view("<u8")[:, 0] = start
    for number, page in enumerate(templates):
        for word, after in page.stamps:
            chosen = slice(number, None, len(templates))
            value = start[chosen] + np.uint64(after)
            words[chosen, word] = np.uint32(31) | (value & np.uint64((1 << 27) - 1)).astype(np.uint32) << 5
            words[chosen, word + 1] = (value >> np.uint64(27)).astype(np.uint32)
    return copies
