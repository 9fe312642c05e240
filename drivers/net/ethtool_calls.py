"""What ethtool(8) and mii-tool(8) show and set, as calls."""
from __future__ import annotations

import threading
import time

from drivers.agent.call import call
from drivers.uapi import ethtool, packet
from drivers.uapi.frames import numbered
from drivers.uapi.sysfs import read


@call
def driver_info(interface: str) -> dict[str, str | int]:
    """driver, version, firmware, bus_info, EEPROM length and register dump
    length, as `ethtool -i` shows.
    """
    return ethtool.driver_info(interface)


@call
def registers(interface: str, length: int = 4096) -> bytes:
    """The register dump of `ethtool -d`; EOPNOTSUPP from a driver that makes none."""
    return ethtool.registers(interface, length)


@call
def read_eeprom(interface: str, offset: int = 0, length: int = 0) -> dict[str, int | bytes]:
    """magic and data of `length` bytes of EEPROM, all of it for 0."""
    magic, data = ethtool.read_eeprom(
        interface, offset, length or int(ethtool.driver_info(interface)["eeprom_length"])
    )
    return {"magic": magic, "data": data}


@call
def write_eeprom(interface: str, offset: int, data: bytes, magic: int) -> None:
    """Write `data` to the EEPROM from byte `offset` on; EINVAL for a magic
    that is not the driver's.
    """
    ethtool.write_eeprom(interface, offset, data, magic)


@call
def link_settings(interface: str) -> dict[str, object]:
    """Speed (Mbit/s), duplex, autonegotiation and link modes, as `ethtool DEV` shows."""
    return ethtool.link_settings(interface)


@call
def features(interface: str) -> dict[str, dict[str, bool]]:
    """Each offload's name → available, requested, active, as `ethtool -k` shows."""
    return ethtool.features(interface)


@call
def set_features(interface: str, wanted: dict[str, bool]) -> None:
    """Switch offloads by the kernel's names, as `ethtool -K` does."""
    ethtool.set_features(interface, wanted)


@call
def message_level(interface: str, level: int | None = None) -> int:
    """The driver's message level (NETIF_MSG_*); sets it first when `level` is given."""
    if level is not None:
        ethtool.set_value(interface, ethtool.ETHTOOL_SMSGLVL, level)
    return ethtool.value(interface, ethtool.ETHTOOL_GMSGLVL)


@call
def restart_link(interface: str) -> None:
    """Negotiate again (`ethtool -r`); EINVAL while autonegotiation is off."""
    ethtool.value(interface, ethtool.ETHTOOL_NWAY_RST)


@call
def mii_read(interface: str, register: int) -> int:
    """One register of the PHY."""
    return ethtool.mii_read(interface, register)


@call
def mii_write(interface: str, register: int, value: int) -> None:
    """Set one register of the PHY."""
    ethtool.mii_write(interface, register, value)


@call
def poll_ethtool(
    interface: str, destination: str, count: int, length: int = 60, timeout_s: float = 10.0
) -> dict[str, float]:
    """Send `count` numbered frames while a thread polls the link at full rate.

    Answers polls, seconds until every frame was counted as sent, and the
    frames counted in `timeout_s`.
    """
    stop = threading.Event()
    polls = [0]

    def poll() -> None:
        while not stop.is_set():
            ethtool.value(interface, ethtool.ETHTOOL_GLINK)
            polls[0] += 1

    thread = threading.Thread(target=poll, daemon=True)
    source = read(f"/sys/class/net/{interface}/address")
    before = packet.sent(interface)
    started = time.monotonic()
    thread.start()
    try:
        with packet.open_socket(interface, 0) as sock:
            frames = [numbered(destination, source, length, seed) for seed in range(count)]
            packet.send(sock, frames, timeout_s)
        while packet.sent(interface) - before < count and time.monotonic() - started < timeout_s:
            time.sleep(0.002)
    finally:
        stop.set()
        thread.join()
    return {
        "polls": polls[0],
        "seconds": time.monotonic() - started,
        "sent": packet.sent(interface) - before,
    }
