"""Ask a network interface's driver by ioctl.

Ref: include/uapi/linux/{ethtool,sockios,mii}.h; ethtool(8)
"""
from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import struct
from collections.abc import Iterator

SIOCETHTOOL, SIOCGMIIPHY, SIOCGMIIREG, SIOCSMIIREG = 0x8946, 0x8947, 0x8948, 0x8949
ETHTOOL_GDRVINFO, ETHTOOL_GREGS, ETHTOOL_GWOL, ETHTOOL_SWOL = 0x03, 0x04, 0x05, 0x06
ETHTOOL_GMSGLVL, ETHTOOL_SMSGLVL, ETHTOOL_NWAY_RST, ETHTOOL_GLINK = 0x07, 0x08, 0x09, 0x0A
ETHTOOL_GEEPROM, ETHTOOL_SEEPROM = 0x0B, 0x0C
ETHTOOL_GSTRINGS, ETHTOOL_GSSET_INFO = 0x1B, 0x37
ETHTOOL_GFEATURES, ETHTOOL_SFEATURES, ETHTOOL_GLINKSETTINGS = 0x3A, 0x3B, 0x4C
ETH_SS_FEATURES, ETH_GSTRING_LEN = 4, 32

IFREQ = struct.Struct("@16sP16x")  # ifreq with a pointer, padded to the longest form
MII_IFREQ = struct.Struct("=16sHHHH16x")  # ifreq with mii_ioctl_data
DRVINFO = struct.Struct("=I32s32s32s32s32s12sIIIII")
EEPROM = struct.Struct("=IIII")  # cmd, magic, offset, len
LINKSETTINGS = struct.Struct("=II7Bb4B28x")  # ethtool_link_settings up to its masks

LINK_MODES = {
    0: "10baseT/Half", 1: "10baseT/Full", 2: "100baseT/Half", 3: "100baseT/Full",
    4: "1000baseT/Half", 5: "1000baseT/Full", 6: "Autoneg", 7: "TP", 9: "MII", 13: "Pause",
}  # fmt: skip


def text(field: bytes) -> str:
    """A C string's text."""
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


@contextlib.contextmanager
def control() -> Iterator[socket.socket]:
    """A socket to give network ioctls to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        yield sock


def ethtool(interface: str, request: bytes) -> bytes:
    """Do SIOCETHTOOL with `request` (it starts with its u32 command) and return
    what the driver left in it.
    """
    buffer = array.array("B", request)
    with control() as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, IFREQ.pack(interface.encode(), buffer.buffer_info()[0]))
    return buffer.tobytes()


def value(interface: str, command: int) -> int:
    """The u32 that an ethtool_value command reads."""
    return int(struct.unpack_from("=I", ethtool(interface, struct.pack("=II", command, 0)), 4)[0])


def set_value(interface: str, command: int, number: int) -> None:
    """Give a u32 to an ethtool_value command."""
    ethtool(interface, struct.pack("=II", command, number))


def driver_info(interface: str) -> dict[str, str | int]:
    """What ETHTOOL_GDRVINFO says."""
    fields = DRVINFO.unpack(
        ethtool(interface, DRVINFO.pack(ETHTOOL_GDRVINFO, *[b""] * 6, *[0] * 5))
    )
    return {
        "driver": text(fields[1]),
        "version": text(fields[2]),
        "firmware": text(fields[3]),
        "bus_info": text(fields[4]),
        "statistics": fields[8],
        "eeprom_length": fields[10],
        "register_dump_length": fields[11],
    }


def registers(interface: str, length: int) -> bytes:
    """The driver's register dump, EOPNOTSUPP when it makes none."""
    answer = ethtool(interface, struct.pack("=III", ETHTOOL_GREGS, 0, length) + bytes(length))
    return answer[12 : 12 + int(struct.unpack_from("=I", answer, 8)[0])]


def read_eeprom(interface: str, offset: int, length: int) -> tuple[int, bytes]:
    """(magic, data) of `length` bytes from `offset`."""
    answer = ethtool(interface, EEPROM.pack(ETHTOOL_GEEPROM, 0, offset, length) + bytes(length))
    return EEPROM.unpack_from(answer)[1], answer[EEPROM.size :]


def write_eeprom(interface: str, offset: int, data: bytes, magic: int) -> None:
    """Write `data` from `offset`; the driver takes only its own magic."""
    ethtool(interface, EEPROM.pack(ETHTOOL_SEEPROM, magic, offset, len(data)) + data)


def link_settings(interface: str) -> dict[str, object]:
    """Speed in Mbit/s, duplex, autonegotiation, port, and the three lists of link modes."""
    request = LINKSETTINGS.pack(ETHTOOL_GLINKSETTINGS, *[0] * 13)
    words = -LINKSETTINGS.unpack(ethtool(interface, request))[
        9
    ]  # the kernel answers how many u32 a mask has, negated
    request = LINKSETTINGS.pack(ETHTOOL_GLINKSETTINGS, *[0] * 8, words, *[0] * 4) + bytes(
        12 * words
    )
    answer = ethtool(interface, request)
    fields = LINKSETTINGS.unpack_from(answer)
    masks = [answer[LINKSETTINGS.size + at * 4 * words :][: 4 * words] for at in range(3)]
    return {
        "speed": fields[1],
        "duplex": {0: "half", 1: "full"}.get(fields[2], "unknown"),
        "port": fields[3],
        "phy_address": fields[4],
        "autoneg": bool(fields[5]),
        "supported": modes(masks[0]),
        "advertising": modes(masks[1]),
        "partner": modes(masks[2]),
    }


def modes(mask: bytes) -> list[str]:
    """The names of the link modes in a mask: u32 words, lowest first."""
    bits = sum(word << 32 * at for at, (word,) in enumerate(struct.iter_unpack("=I", mask)))
    return [name for bit, name in LINK_MODES.items() if bits >> bit & 1]


def feature_names(interface: str) -> list[str]:
    """The running kernel's names of netdev features, in the order of their bits."""
    answer = ethtool(
        interface, struct.pack("=IIQI", ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_FEATURES, 0)
    )
    count = int(struct.unpack_from("=I", answer, 16)[0])
    size = count * ETH_GSTRING_LEN
    answer = ethtool(
        interface, struct.pack("=III", ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count) + bytes(size)
    )[12:]
    return [text(answer[at : at + ETH_GSTRING_LEN]) for at in range(0, size, ETH_GSTRING_LEN)]


def features(interface: str) -> dict[str, dict[str, bool]]:
    """Each feature's name → whether it is available (can be changed), requested, active."""
    names = feature_names(interface)
    words = (len(names) + 31) // 32
    answer = ethtool(interface, struct.pack("=II", ETHTOOL_GFEATURES, words) + bytes(16 * words))[
        8:
    ]
    found = {}
    for bit, name in enumerate(names):
        available, requested, active, _ = struct.unpack_from("=IIII", answer, bit // 32 * 16)
        flag = 1 << bit % 32
        found[name] = {
            "available": bool(available & flag),
            "requested": bool(requested & flag),
            "active": bool(active & flag),
        }
    return found


def set_features(interface: str, wanted: dict[str, bool]) -> None:
    """Switch features by name, as `ethtool -K` does; KeyError for a name that
    the kernel does not have.
    """
    names = feature_names(interface)
    blocks = [[0, 0] for _ in range((len(names) + 31) // 32)]
    for name, on in wanted.items():
        if name not in names:
            raise KeyError(
                f"no feature named {name!r}; this kernel has {', '.join(filter(None, names))}"
            )
        word, bit = divmod(names.index(name), 32)
        blocks[word][0] |= 1 << bit
        blocks[word][1] |= on << bit
    body = b"".join(struct.pack("=II", *block) for block in blocks)
    ethtool(interface, struct.pack("=II", ETHTOOL_SFEATURES, len(blocks)) + body)


def mii_read(interface: str, register: int) -> int:
    """One register of the interface's PHY."""
    with control() as sock:
        answer = fcntl.ioctl(sock, SIOCGMIIPHY, MII_IFREQ.pack(interface.encode(), 0, 0, 0, 0))
        phy = MII_IFREQ.unpack(answer)[1]
        answer = fcntl.ioctl(
            sock, SIOCGMIIREG, MII_IFREQ.pack(interface.encode(), phy, register, 0, 0)
        )
    return int(MII_IFREQ.unpack(answer)[4])


def mii_write(interface: str, register: int, number: int) -> None:
    """Set one register of the interface's PHY."""
    with control() as sock:
        answer = fcntl.ioctl(sock, SIOCGMIIPHY, MII_IFREQ.pack(interface.encode(), 0, 0, 0, 0))
        phy = MII_IFREQ.unpack(answer)[1]
        fcntl.ioctl(sock, SIOCSMIIREG, MII_IFREQ.pack(interface.encode(), phy, register, number, 0))


def settle(interface: str) -> None:
    """Return when what the driver wrote to its chip has arrived there: a read does
    not overtake posted writes.

    Reads the PHY's identifier; a driver without one is given no time.
    """
    with contextlib.suppress(OSError):
        mii_read(interface, 2)
