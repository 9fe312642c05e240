"""A writer of trace.dat version 7, for tests."""
import struct


def version_7(trace, name, compress, chunk_pages=2, page=4096, lie=lambda plain: plain, formats=None, more=()):
    """A version 7 file of a trace, by the manual page; `lie` changes the uncompressed size that chunks claim.

    `formats` stand in place of the trace's own; `more` options follow behind the others.
    """
    raw = trace.recording
    out = bytearray(b"\x17\x08\x44tracing7\0\0\x08" + struct.pack("<I", page) + name + b"\x001\0")
    first = len(out)
    out += bytes(8)
    places = {}

    def text(value, fmt="<I"):
        data = value.encode()
        return struct.pack(fmt, len(data)) + data

    def section(number, data):
        places[number] = len(out)
        body = struct.pack("<II", len(packed := compress(data)), lie(len(data))) + packed if compress else data
        out.extend(struct.pack("<HHIQ", number, bool(compress), 0, len(body)) + body)

    systems = {}
    for full, fmt in (formats or raw.formats).items():
        systems.setdefault(full.split(":")[0], []).append(fmt)
    ftrace = systems.pop("ftrace", [])
    section(16, b"header_page\0" + text(raw.header_page, "<Q") + b"header_event\0" + text(raw.header_event, "<Q"))
    section(17, struct.pack("<I", len(ftrace)) + b"".join(text(fmt, "<Q") for fmt in ftrace))
    section(18, struct.pack("<I", len(systems)) + b"".join(
        system.encode() + b"\0" + struct.pack("<I", len(fmts)) + b"".join(text(fmt, "<Q") for fmt in fmts)
        for system, fmts in systems.items()))
    section(19, struct.pack("<I", 0))
    section(20, text(raw.printk_formats))
    section(21, text("".join(f"{pid} {comm}\n" for pid, comm in raw.cmdlines.items()), "<Q"))
    buffer, spots = len(out), []
    out += bytes(16)
    for pages in raw.pages:
        if not compress:
            out += bytes(-len(out) % page)
        start = len(out)
        if compress:
            chunks = [bytes(pages[at:at + chunk_pages * page]) for at in range(0, len(pages), chunk_pages * page)]
            out += struct.pack("<I", len(chunks))
            for chunk in chunks:
                out += struct.pack("<II", len(packed := compress(chunk)), lie(len(chunk))) + packed
        else:
            out += pages
        spots.append((start, len(out) - start))
    struct.pack_into("<HHIQ", out, buffer, 3, bool(compress), 0, len(out) - buffer - 16)
    cpus = b"".join(struct.pack("<IQQ", cpu, *spot) for cpu, spot in zip(raw.cpus, spots, strict=True))
    options = [(number, struct.pack("<Q", place)) for number, place in places.items()]
    options += [(8, struct.pack("<I", len(raw.cpus))), (4, b"[mono]\0"),
                (3, struct.pack("<Q", buffer) + b"\0mono\0" + struct.pack("<II", page, len(raw.cpus)) + cpus)]
    options += [*more, (0, bytes(8))]
    body = b"".join(struct.pack("<HI", number, len(data)) + data for number, data in options)
    struct.pack_into("<Q", out, first, len(out))
    return bytes(out + struct.pack("<HHIQ", 0, 0, 0, len(body)) + body)
