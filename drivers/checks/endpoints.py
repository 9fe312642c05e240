"""The two endpoints of the cable: the board's interface and the partner."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from drivers.contract import Contract
from drivers.uapi.frames import (
    ETH_P_ARP,
    ETH_P_IP,
    ETH_P_IPV6,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    arp,
    ethernet,
    icmp_echo,
    ipv4,
    ipv6,
    numbered,
    tcp,
    udp,
)

BOARD_IP = "192.0.2.2"
UNUSED = "00:00:00:00:00:00"


@dataclass(frozen=True)
class Endpoints:
    """The board's interface, and the partner at the other end of its cable."""

    interface: str
    mac: str
    ip: str
    partner_mac: str
    partner_ip: str

    def bind(self, contract: Contract, **values: object) -> Contract:
        """The contract bound to this interface, with further values."""
        return contract.bind(interface=self.interface, **values)

    def to_board(self, length: int, seed: int = 0, vlan: int | None = None) -> bytes:
        """A numbered frame from the partner to the board."""
        return numbered(self.mac, self.partner_mac, length, seed, vlan)

    def from_board(self, length: int, seed: int = 0, vlan: int | None = None) -> bytes:
        """A numbered frame from the board to the partner."""
        return numbered(self.partner_mac, self.mac, length, seed, vlan)

    def arp_request(self) -> bytes:
        """The partner's ARP request for the board's address."""
        question = arp(1, (self.partner_mac, self.partner_ip), (UNUSED, self.ip))
        return ethernet("ff:ff:ff:ff:ff:ff", self.partner_mac, ETH_P_ARP, question)

    def arp_reply(self) -> bytes:
        """The board's ARP reply to it."""
        answer = arp(2, (self.mac, self.ip), (self.partner_mac, self.partner_ip))
        return ethernet(self.partner_mac, self.mac, ETH_P_ARP, answer)

    def ping(self, sequence: int, payload: bytes, wrong: bool = False) -> bytes:
        """An echo request from the partner; `wrong` gives it a bad ICMP checksum."""
        return self._ip(IPPROTO_ICMP, icmp_echo(0x1234, sequence, payload, wrong=wrong))

    def is_pong(self, frame: bytes, sequence: int, payload: bytes) -> bool:
        """Whether `frame` is the board's echo reply to it, padding aside."""
        return frame[12:14] == b"\x08\0" and frame[34:].startswith(
            icmp_echo(0x1234, sequence, payload, reply=True)
        )

    def datagram(self, ports: tuple[int, int], payload: bytes, wrong: bool = False) -> bytes:
        """A UDP datagram from the partner; `wrong` gives it a bad checksum."""
        return self._ip(IPPROTO_UDP, udp(self.partner_ip, self.ip, ports, payload, wrong))

    def segment(
        self, ports: tuple[int, int], numbers: tuple[int, int], flags: int, wrong: bool = False
    ) -> bytes:
        """A TCP segment without data from the partner; `wrong` gives it a bad checksum."""
        return self._ip(IPPROTO_TCP, tcp(self.partner_ip, self.ip, ports, numbers, flags, wrong))

    def datagram6(
        self, source: str, destination: str, ports: tuple[int, int], payload: bytes, wrong: bool
    ) -> bytes:
        """A UDP datagram over IPv6 from the partner."""
        packet = ipv6(
            source, destination, IPPROTO_UDP, udp(source, destination, ports, payload, wrong)
        )
        return ethernet(self.mac, self.partner_mac, ETH_P_IPV6, packet)

    def _ip(self, protocol: int, segment: bytes) -> bytes:
        return ethernet(
            self.mac, self.partner_mac, ETH_P_IP, ipv4(self.partner_ip, self.ip, protocol, segment)
        )


@pytest.fixture
def endpoints(net: Any, cable: Any) -> Iterator[Endpoints]:
    """Both endpoints with the link up and quiet: no ARP is needed and the board
    sends nothing of its own.
    """
    partner = cable.partner
    state = net.set_up_link(address=BOARD_IP, partner=partner.ip, partner_mac=partner.mac).value
    cable.clear()
    yield Endpoints(
        net.device.arguments["interface"], state["mac"], BOARD_IP, partner.mac, partner.ip
    )
    cable.restore()
    _ = net.restore_link(state=state).value


def plug(net: Any, cable: Any, plugged: bool) -> float:
    """Plug or unplug the cable and return the seconds until the driver's carrier followed."""
    with net.watch_carrier(wanted=plugged) as waiting:
        cable.link = plugged
    return float(waiting.value)
