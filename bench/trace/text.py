"""Text for display. Text from a target is untrusted: it may hold escapes, NULs, right-to-left overrides.

`plain` is for the terminal (without sequences that move the cursor or reverse text), `visible` for HTML and XML (it is
shown as a picture or a code point; escaping `<` and `&` is the template's and the XML writer's work).
"""
from __future__ import annotations

import itertools
import re
import unicodedata
from typing import Any

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC: window title, links, clipboard
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"
)
_ADDRESS = re.compile(r"addr|skb|ptr|_ip$|^ip$|location|call_site|func|^(?:msg|xfer|urb|req|napi|dev|page|buf)$")
_KEPT = "\n\t"
_BAD = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """Return `text` without escape sequences, control, format and unassigned characters; tabs and new lines stay."""
    return "".join(char for char in _ESCAPES.sub("", text) if not _bad(char))


def line(text: str) -> str:
    """Return `plain` text on one line, with runs of white space as one blank."""
    return " ".join(plain(text).split())


def visible(text: str) -> str:
    """Return `text` without colour and cursor sequences, and every other control character as something to be seen."""
    if text.isprintable():  # fast path for nearly all text: no character of the categories below is printable
        return text
    return "".join(_picture(char) if _bad(char) else char for char in _ESCAPES.sub("", text).rstrip("\r"))


def _bad(char: str) -> bool:
    return char not in _KEPT and (unicodedata.category(char) in _BAD)


def _picture(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures of Unicode
    return "␡" if code == 0x7F else f"‹U+{code:04X}›"


def value_text(value: Any, most: int = 240) -> str:
    """Return a call's value or argument as short text: bytes in hex with their length, the rest as Python writes it."""
    text = _value(value, 4)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def field_text(value: Any, name: str, most: int = 60) -> str:
    """Return the value of an event's field; a field whose name denotes an address is in hex."""
    if isinstance(value, int) and value > 0xFFF and _ADDRESS.search(name):
        return f"{value:#x}"
    return value_text(value, most)


def _value(value: Any, deep: int) -> str:
    if isinstance(value, bytes):
        return f"‹{hex_text(value.hex(), 24 if deep == 4 else 8)}› {len(value)} B"
    if isinstance(value, (list, tuple, dict)) and not deep:
        return "…"
    if isinstance(value, dict):
        shown = [f"{key}: {_value(item, deep - 1)}" for key, item in list(value.items())[:24]]
        return "{" + ", ".join(shown) + (f", … {len(value)} in all" if len(value) > 24 else "") + "}"
    if isinstance(value, (list, tuple)):
        runs = [(len(list(same)), text) for text, same in itertools.groupby(_value(item, deep - 1) for item in value)]
        shown = [f"{count} × {text}" if count > 1 else text for count, text in runs[:12]]
        return "[" + ", ".join(shown) + (f", … {len(value)} in all" if len(runs) > 12 else "") + "]"
    return repr(value)


def hex_text(data: str, most: int = 24) -> str:
    """Return hex digits as pairs with blanks between, at most `most` bytes of them."""
    pairs = [data[at : at + 2] for at in range(0, min(len(data), 2 * most), 2)]
    return " ".join(pairs) + (" …" if len(data) > 2 * most else "")


def duration(ns: float) -> str:
    """Return nanoseconds with four digits and the unit: 1.2 ms."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size:
            return f"{ns / size:.4g} {unit}"
    return f"{ns:.0f} ns"


def seconds_text(seconds: float) -> str:
    """Return a duration with three digits and its unit: 412 µs, 1.25 s, 3 min 20 s."""
    if seconds >= 120:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        scaled = seconds * factor
        if abs(scaled) >= 1:
            return f"{scaled:.3g} {unit}" if abs(scaled) < 1000 else f"{scaled:.0f} {unit}"
    return f"{seconds * 1e9:.0f} ns" if seconds else "0 s"


def number_text(value: float) -> str:
    """Return a measured number with at most four significant digits, whole numbers whole."""
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else f"{value:.4g}"
