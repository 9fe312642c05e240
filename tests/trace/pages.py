"""A plain writer of ring-buffer pages, record by record, for tests: the kernel's format from the other side."""
import struct
from dataclasses import dataclass, field

from bench.trace import Recording, Trace

FIELDS = {  # event: (id, ((declaration, offset, size, signed), …))
    "t:open": (301, (("u32 key", 8, 4, 0), ("s32 value", 12, 4, 1))),
    "t:close": (302, (("u32 key", 8, 4, 0), ("s32 value", 12, 4, 1))),
    "t:mark": (303, (("u32 key", 8, 4, 0), ("s32 value", 12, 4, 1))),
    "t:named": (304, (("__data_loc char[] name", 8, 4, 0), ("char comm[8]", 12, 8, 0), ("u16 port", 20, 2, 0),
                      ("u8 mac[6]", 22, 6, 0), ("__rel_loc u8[] rest", 28, 4, 0))),
    "t:tail": (305, (("u32 ip", 8, 4, 0), ("char buf[]", 12, 0, 0))),
    "t:words": (306, (("s8 tiny", 8, 1, 1), ("bool flag", 9, 1, 0), ("s16 pair[3]", 10, 6, 1), ("u64 wide", 16, 8, 0),
                      ("long signed_long", 24, 8, 1), ("pid_t pid", 32, 4, 1))),
}
COMMON = (("unsigned short common_type", 0, 2, 0), ("unsigned char common_flags", 2, 1, 0),
          ("unsigned char common_preempt_count", 3, 1, 0), ("int common_pid", 4, 4, 1))


def format_text(event):
    number, fields = FIELDS[event]
    lines = [f"\tfield:{decl};\toffset:{offset};\tsize:{size};\tsigned:{signed};"
             for decl, offset, size, signed in (*COMMON, *fields)]
    lines.insert(4, "")
    names = [decl.replace("[", " [").split(" [")[0].split()[-1] for decl, *_ in fields]
    fmt = " ".join(f"{name}=%d" for name in names)
    return f"name: {event.split(':')[1]}\nID: {number}\nformat:\n" + "\n".join(lines) + \
        f'\n\nprint fmt: "{fmt}", ' + ", ".join(f"REC->{name}" for name in names) + "\n"


FORMATS = {event: format_text(event) for event in FIELDS}


@dataclass(frozen=True)
class Layout:
    big: bool = False
    long: int = 8
    size: int = 4096

    @property
    def order(self):
        return ">" if self.big else "<"

    @property
    def head(self):
        return 8 + self.long

    def pack(self, fmt, *values):
        return struct.pack(self.order + fmt, *values)

    def header_page(self):
        return (f"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
                f"\tfield: local_t commit;\toffset:8;\tsize:{self.long};\tsigned:1;\n"
                f"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
                f"\tfield: char data;\toffset:{self.head};\tsize:4080;\tsigned:1;\n")


def payload(layout, event, pid, /, **fields):
    """The bytes of an event, from common_type on."""
    number = FIELDS[event][0]
    head = layout.pack("HBBi", number, fields.pop("flags", 0), 0, pid)
    if event == "t:named":
        name, rest = fields["name"].encode() + b"\0", fields["rest"]
        return (head + layout.pack("I", len(name) << 16 | 32) + struct.pack("8s", fields["comm"].encode())
                + layout.pack("H", fields["port"]) + fields["mac"] + layout.pack("I", len(rest) << 16 | len(name))
                + name + rest)
    if event == "t:tail":
        return head + layout.pack("I", fields["ip"]) + fields["buf"].encode() + b"\0"
    if event == "t:words":
        return head + layout.pack("b?3hQqi", fields["tiny"], fields["flag"], *fields["pair"], fields["wide"],
                                  fields["signed_long"], fields["pid"])
    return head + layout.pack("Ii", fields["key"], fields["value"])


@dataclass
class Writer:
    """Pages of one CPU."""

    layout: Layout = Layout()
    pages: list = field(default_factory=list)
    data: bytes = b""
    start: int = 0
    now: int = 0
    missed: int | None = None  # of the page being written: None none, 0 unknown, else how many

    def word(self, kind, delta):
        self.data += self.layout.pack("I", kind << 27 | delta if self.layout.big else delta << 5 | kind)

    def room(self):
        return self.layout.size - self.layout.head - len(self.data)

    def begin(self, ts, missed=None):
        """Start a page at a time."""
        self.end()
        self.start = self.now = ts
        self.missed = missed

    def end(self):
        """Finish the page, if there is one."""
        if self.data or self.missed is not None:
            commit = len(self.data)
            tail = b""
            if self.missed is not None:
                commit |= 1 << 31
                if self.missed:
                    commit |= 1 << 30
                    tail = self.layout.pack("Q" if self.layout.long == 8 else "I", self.missed)
            head = self.layout.pack("QQ" if self.layout.long == 8 else "QI", self.start, commit)
            self.pages.append((head + self.data + tail).ljust(self.layout.size, b"\0"))
        self.data, self.missed = b"", None

    def event(self, ts, data, long=False):
        """A data event; a new page when this one is full; a time extend when the delta needs one."""
        data += b"\0" * (-len(data) % 4)
        if not self.data and not self.pages and self.missed is None:
            self.begin(ts)
        if self.room() < len(data) + 16:
            self.begin(ts)
        delta = ts - self.now
        if delta >= 1 << 27:
            self.extend(delta)
            delta = 0
        if long or len(data) > 112:
            self.word(0, delta)
            self.data += self.layout.pack("I", len(data) + 4)
        else:
            self.word(len(data) // 4, delta)
        self.data += data
        self.now = ts

    def extend(self, delta):
        self.word(30, delta & (1 << 27) - 1)
        self.data += self.layout.pack("I", delta >> 27)
        self.now += delta

    def stamp(self, ts):
        low = ts & (1 << 59) - 1
        self.word(31, low & (1 << 27) - 1)
        self.data += self.layout.pack("I", low >> 27)
        self.now = ts

    def discarded(self, delta, size):
        """A record that was taken back: `size` bytes with its length word; its delta still counts."""
        self.word(29, delta)
        self.data += self.layout.pack("I", size) + b"\xee" * (size - 4)
        self.now += delta

    def rest_empty(self):
        self.word(29, 0)
        self.data += b"\0" * 4

    def blob(self):
        self.end()
        return b"".join(self.pages)


def recording(writers, layout=None, **more):
    layout = layout or Layout()
    more.setdefault("armed", tuple(FIELDS))
    return Recording([writer.blob() for writer in writers], FORMATS, layout.header_page(), long_size=layout.long,
                     big_endian=layout.big, subbuf_size=layout.size, **more)


def simple(*events, cpus=2, layout=None, **more):
    """A trace of (ts, cpu, event, key, value) tuples in order; pid is 100 + cpu."""
    layout = layout or Layout()
    writers = [Writer(layout) for _ in range(cpus)]
    for ts, cpu, event, key, value in events:
        writers[cpu].event(ts, payload(layout, event, 100 + cpu, key=key, value=value))
    return Trace(recording(writers, layout, **more))
