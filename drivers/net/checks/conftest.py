"""What the net checks set up and undo."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from drivers.checks.endpoints import BOARD_IP, Ends


@pytest.fixture
def ends(net: Any, cable: Any) -> Iterator[Ends]:
    """Both ends of the cable, link up, quiet: no ARP is needed and the board says nothing of its own."""
    interface = net.device.arguments["interface"]
    partner = cable.partner
    was = net.enter(address=BOARD_IP, partner=partner.ip, partner_mac=partner.mac).value
    cable.clear()
    yield Ends(interface, was["mac"], BOARD_IP, partner.mac, partner.ip)
    cable.restore()
    _ = net.leave(was=was).value
