"""The net exerciser's calls, done for real on a veth pair."""
from __future__ import annotations

import errno

import pytest

from drivers.uapi.frames import ETH_P_TEST, checksum, ethernet, icmp_echo, ipv4, numbered, tcp, transport, udp

HERE, THERE = "02:00:00:00:00:01", "02:00:00:00:00:02"


def test_a_link_tells_its_state_and_follows_what_is_set(board):
    board.net("set_link", interface="veth0", mtu=1400)
    link = board.net("link", interface="veth0")
    board.net("set_link", interface="veth0", mtu=1500)
    told = [link[key] for key in ("name", "up", "carrier", "operstate", "mtu")]
    assert told == ["veth0", True, True, "up", 1400]


def test_an_interface_that_does_not_exist_is_enodev(board):
    with pytest.raises(OSError, match="no network interface named eth9") as raised:
        board.net("link", interface="eth9")
    assert raised.value.errno == errno.ENODEV


def test_frames_of_every_length_arrive_byte_for_byte_and_are_counted(board, other):
    frames = [numbered(HERE, THERE, length, length) for length in range(60, 1515)]
    before = board.net("statistics", interface="veth0")
    board.listening("capture", interface="veth0", count=len(frames), ethertype=ETH_P_TEST)
    assert other.net("send_frames", interface="veth1", frames=frames) == sum(map(len, frames))
    heard = board.finish()
    after = board.net("statistics", interface="veth0")
    assert heard["frames"] == frames and heard["drops"] == 0
    assert after["rx_packets"] - before["rx_packets"] >= 1455


def test_numbered_frames_made_on_the_target_are_those_that_the_host_expects(board, other):
    source = board.net("identity", interface="veth0")["address"]
    other.listening("capture", interface="veth1", count=3, ethertype=ETH_P_TEST)
    assert board.net("send_numbered", interface="veth0", destination=THERE, lengths=[60, 61, 1514], first=7) == 1635
    wanted = [numbered(THERE, source, length, seed) for length, seed in ((60, 7), (61, 8), (1514, 9))]
    assert other.finish()["frames"] == wanted


def test_a_capture_ends_at_the_frame_that_it_waits_for(board, other):
    board.listening("capture", interface="veth0", count=100, ethertype=ETH_P_TEST, until=b"last one")
    sent = [ethernet(HERE, THERE, ETH_P_TEST, text) for text in (b"first", b"last one", b"too late")]
    other.net("send_frames", interface="veth1", frames=sent)
    assert board.finish()["frames"] == sent[:2]


def test_a_vlan_tag_that_the_kernel_took_off_is_put_back(board, other):
    tagged = numbered(HERE, THERE, 1518, 5, vlan=0x6007)
    board.listening("capture", interface="veth0", count=1)
    other.net("send_frames", interface="veth1", frames=[tagged])
    assert board.finish()["frames"] == [tagged]


def test_an_echo_sends_back_what_it_heard(board, other):
    frames = [numbered(HERE, THERE, length) for length in (60, 777, 1514)]
    board.listening("echo", interface="veth0", count=3)
    other.net("send_frames", interface="veth1", frames=frames)
    heard = board.finish()
    assert heard == {"frames": frames, "drops": 0}


def test_ping_arp_and_neighbours_know_the_other_end(board, other):
    there = other.net("identity", interface="veth1")["address"]
    assert board.net("exchange_arp", interface="veth0", source="10.9.0.1", target="10.9.0.2") == there
    assert len(board.net("ping", interface="veth0", address="10.9.0.2", count=3, size=1400)) == 3
    assert board.net("neighbours", interface="veth0") == {"10.9.0.2": there}
    board.net("set_neighbour", interface="veth0", address="10.9.0.77", mac=THERE)
    assert board.net("neighbours", interface="veth0")["10.9.0.77"] == THERE
    board.net("set_neighbour", interface="veth0", address="10.9.0.77")
    assert "10.9.0.77" not in board.net("neighbours", interface="veth0")


def test_udp_and_tcp_reach_the_other_end(board, other):
    other.listening("recv_udp", interface="veth1", port=4000, count=2)
    board.net("send_udp", interface="veth0", address="10.9.0.2", port=4000, payloads=[b"one", b"two" * 400])
    assert other.finish() == [b"one", b"two" * 400]
    board.listening("connect_tcp", interface="veth0", address="10.9.0.2", port=9, source_port=5000)
    assert board.finish() == "refused"


def test_a_carrier_change_is_heard_over_netlink_and_read_from_sysfs(board, other):
    board.listening("watch_link", interface="veth0", wanted=False, timeout_s=3.0)
    other.net("set_link", interface="veth1", up=False)
    notices = board.finish()
    assert notices[-1]["carrier"] is False and 0 <= notices[-1]["at_s"] < 3
    board.listening("watch_carrier", interface="veth0", wanted=True, timeout_s=3.0)
    other.net("set_link", interface="veth1", up=True)
    assert 0 <= board.finish() < 3


def test_a_carrier_that_does_not_come_is_a_timeout(board):
    with pytest.raises(TimeoutError, match="veth0: carrier not False"):
        board.net("wait_for_carrier", interface="veth0", wanted=False, timeout_s=0.01)


def test_vlan_interfaces_come_and_go(board):
    try:
        board.net("add_vlan", interface="veth0", vlan=7, name="veth0.7")
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            pytest.skip("this kernel has no VLAN interfaces")
        raise
    assert board.net("link", interface="veth0.7")["up"] is True
    board.net("remove_link", name="veth0.7")
    with pytest.raises(OSError, match="no network interface"):
        board.net("link", interface="veth0.7")


def test_the_queue_is_told_and_counted(board):
    assert board.net("qdiscs", interface="veth0")[0]["kind"] in ("noqueue", "pfifo_fast", "fq_codel", "pfifo")


def test_ethtool_tells_driver_features_and_refusals(board):
    assert board.net("driver_info", interface="veth0")["driver"] == "veth"
    features = board.net("features", interface="veth0")
    assert features["rx-checksum"]["available"] is True
    was = features["tx-checksum-ip-generic"]["active"]
    board.net("set_features", interface="veth0", wanted={"tx-checksum-ip-generic": not was})
    assert board.net("features", interface="veth0")["tx-checksum-ip-generic"]["active"] is not was
    board.net("set_features", interface="veth0", wanted={"tx-checksum-ip-generic": was})
    assert board.net("link_settings", interface="veth0")["speed"] == 10000
    with pytest.raises(KeyError, match="no feature named"):
        board.net("set_features", interface="veth0", wanted={"tx-checksum-perfect": True})
    with pytest.raises(OSError) as raised:
        board.net("read_eeprom", interface="veth0", length=2)
    assert raised.value.errno == errno.EOPNOTSUPP


def test_polling_ethtool_during_traffic_counts_all_frames(board):
    answer = board.net("poll_ethtool", interface="veth0", destination=THERE, count=20, timeout_s=5.0)
    assert answer["sent"] >= 20 and answer["polls"] > 0


def test_identity_and_settings_are_those_of_sysfs(board):
    who = board.net("identity", interface="veth0")
    assert who["driver"] == "" and who["address"] == board.net("link", interface="veth0")["address"]
    assert board.net("interface_of", device="no-such-device", timeout_s=0.01) == ""
    was = board.net("set_sysctl", name="ipv4/conf/veth0/forwarding", value="0")
    assert was in ("0", "1")


def test_counters_of_ip_are_read_by_protocol(board):
    counters = board.net("snmp")
    assert counters["Udp"]["InCsumErrors"] == 0 and counters["Icmp"]["InMsgs"] >= 0


def test_checksums_are_those_of_the_rfc():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D  # RFC 1071, section 3: sum ddf2, complemented
    assert checksum(b"\x01") == 0xFEFF
    assert checksum(icmp_echo(1, 2, b"odd")) == 0
    ends = ("10.9.0.1", "10.9.0.2")
    for segment, protocol in ((udp(*ends, (1, 2), b"hello"), 17), (tcp(*ends, (1, 2), (3, 4), 2), 6)):
        frame = ethernet(HERE, THERE, 0x0800, ipv4(*ends, protocol, segment))
        found, pseudo, body = transport(frame)
        assert (found, checksum(pseudo + body), checksum(frame[14:34])) == (protocol, 0, 0)
    good, wrong = (udp(*ends, (1, 2), b"hello", wrong=spoilt) for spoilt in (False, True))
    assert good[:6] == wrong[:6] and good[6:8] != wrong[6:8] and good[8:] == wrong[8:]


def test_numbered_frames_have_their_length_and_differ():
    assert [len(numbered(HERE, THERE, length)) for length in (60, 61, 1514)] == [60, 61, 1514]
    assert len(numbered(HERE, THERE, 1518, vlan=7)) == 1518
    assert len({numbered(HERE, THERE, 100, seed) for seed in range(500)}) == 500
