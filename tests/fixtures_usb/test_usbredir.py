"""The usbredir protocol: bytes as the specification has them, any pieces, any garbage, a conversation over a socket."""
import socket
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.chips import find
from fixtures.transports import usbredir
from fixtures.transports.server import ProtocolError
from fixtures.transports.usbredir_codec import Decoder, Message, pack
from fixtures.transports.usbredir_messages import AltSetting, Byte, ControlPacket, Hello, Nothing, Type
from fixtures.usb.requests import Setup

HELLO = struct.pack("<III64sI", 0, 68, 0, b"qemu usb-redir guest 11.1.3", 0xFF)
GET_DEVICE = struct.pack("<IIQBBBBHHH", 100, 10, 7, 0x80, 6, 0x80, 0, 0x0100, 0, 18)


def guest(kind, number, body=b""):
    """A message as a guest with 64-bit ids sends it."""
    return struct.pack("<IIQ", kind, len(body), number) + body


def test_a_hello_makes_the_ids_after_it_wide():
    decoder = Decoder()
    assert decoder.feed(HELLO + GET_DEVICE) == [
        Message(Type.HELLO, 0, Hello(b"qemu usb-redir guest 11.1.3".ljust(64, b"\0"), 0xFF)),
        Message(Type.CONTROL_PACKET, 7, ControlPacket(0x80, 6, 0x80, 0, 0x0100, 0, 18))]
    narrow = Decoder()
    narrow.feed(struct.pack("<III64sI", 0, 68, 0, b"old", 0x12))
    assert narrow.feed(struct.pack("<IIIB", 6, 1, 9, 1)) == [Message(Type.SET_CONFIGURATION, 9, Byte(1))]


def test_messages_are_packed_as_the_specification_has_them():
    assert pack(Type.CONFIGURATION_STATUS, 5, (0, 1)) == bytes.fromhex("08000000 02000000 0500000000000000 0001")
    assert pack(Type.HELLO, 0, (b"x", 0x7A), wide=False) == (
        struct.pack("<III", 0, 68, 0) + b"x".ljust(64, b"\0") + b"\x7a\0\0\0")
    assert len(pack(Type.EP_INFO, 0, (bytes(32), bytes(32), bytes(32), *[0] * 32))) == 16 + 160
    assert len(pack(Type.INTERFACE_INFO, 0, (0, b"", b"", b"", b""))) == 16 + 132


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([
    (GET_DEVICE, Message(Type.CONTROL_PACKET, 7, ControlPacket(0x80, 6, 0x80, 0, 0x0100, 0, 18))),
    (guest(100, 8, struct.pack("<BBBBHHH", 0, 9, 0x21, 0, 0x200, 0, 3) + b"abc"),
     Message(Type.CONTROL_PACKET, 8, ControlPacket(0, 9, 0x21, 0, 0x200, 0, 3), b"abc")),
    (guest(3, 0), Message(Type.RESET, 0, Nothing())),
    (guest(9, 3, b"\0\1"), Message(Type.SET_ALT_SETTING, 3, AltSetting(0, 1))),
]), max_size=8), st.integers(1, 40))
def test_messages_come_out_whole_whatever_pieces_they_come_in(sent, size):
    stream = HELLO + b"".join(data for data, _ in sent)
    decoder = Decoder()
    found = [m for at in range(0, len(stream), size) for m in decoder.feed(stream[at:at + size])]
    assert found[1:] == [message for _, message in sent]


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_garbage_is_refused_or_waited_for_and_never_anything_else(data, greeted):
    decoder = Decoder()
    if greeted:
        decoder.feed(HELLO)
    try:
        for message in decoder.feed(data):
            assert isinstance(message.type, Type)
    except ProtocolError as error:
        assert str(error)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([0, 3, 6, 9, 15, 21, 100, 101, 103]), st.binary(max_size=64), st.integers(0, 1 << 40))
def test_a_message_of_any_body_is_decoded_or_refused(kind, body, number):
    decoder = Decoder()
    decoder.feed(HELLO)
    try:
        for message in decoder.feed(guest(kind, number, body)):
            assert (message.type, message.id) == (kind, number)
    except ProtocolError:
        pass


@pytest.mark.parametrize(("wrong", "said"), [
    (guest(7, 0), "before hello"),
    (HELLO + HELLO[:12] + b"\0" * 56, "after hello"),
    (HELLO + guest(99, 0), "message of type 99; a usb-guest has none such"),
    (HELLO + guest(6, 0, b"\1\2"), "set_configuration of 2 bytes; expected 1"),
    (HELLO + struct.pack("<IIQ", 100, 1 << 30, 0), "control_packet of 1073741824 bytes; expected 10 and its data"),
    (HELLO + guest(100, 0, struct.pack("<BBBBHHH", 0, 9, 0x21, 0, 0, 0, 4) + b"abc"), "3 bytes of data; expected 4"),
    (HELLO + guest(100, 0, struct.pack("<BBBBHHH", 0x80, 6, 0x80, 0, 0, 0, 1) + b"a"), "1 bytes of data; expected 0"),
    (HELLO + guest(103, 0, struct.pack("<BBH", 0x81, 0, 0)), "a guest sends none for IN"),
])
def test_what_breaks_the_protocol_is_said(wrong, said):
    with pytest.raises(ProtocolError, match=said):
        Decoder().feed(wrong)


class Guest:
    """The other end of a server's socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(path)
        self.head = "<III"
        assert self.receive()[0] == 0
        self.socket.sendall(HELLO)
        self.head = "<IIQ"

    def receive(self):
        """(type, id, body) of the next message."""
        kind, length, number = struct.unpack(self.head, self._exactly(struct.calcsize(self.head)))
        return kind, number, self._exactly(length)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def ask(self, kind, number, body=b""):
        self.socket.sendall(guest(kind, number, body))
        return self.receive()


@pytest.fixture
def mouse():
    return find("mouse_24ae_2002")(interval_ms=1)


@pytest.fixture
def server(mouse, tmp_path):
    with usbredir.Server(tmp_path / "s", mouse) as server:
        yield server
        assert list(server.errors) == []


def connected(server):
    peer = Guest(server.path)
    assert [peer.receive()[0] for _ in range(3)] == [Type.EP_INFO, Type.INTERFACE_INFO, Type.DEVICE_CONNECT]
    return peer


def configured(server):
    peer = connected(server)
    assert peer.ask(6, 42, b"\1")[0] == Type.EP_INFO
    assert peer.receive()[0] == Type.INTERFACE_INFO
    assert peer.receive() == (Type.CONFIGURATION_STATUS, 42, b"\0\1")
    return peer


def test_the_device_is_introduced_endpoints_first(server):
    peer = Guest(server.path)
    kind, _, endpoints = peer.receive()
    assert (kind, endpoints[16:18], endpoints[32 + 17], endpoints[96 + 34:96 + 36]) == (
        Type.EP_INFO, b"\0\3", 1, b"\x08\0")
    assert peer.receive()[2][:36] == b"\1\0\0\0" + bytes(32)
    assert peer.receive() == (Type.DEVICE_CONNECT, 0, bytes.fromhex("01 00 00 00 ae 24 02 20 10 01"))


def test_a_control_request_is_answered_under_its_own_id(server):
    peer = connected(server)
    peer.socket.sendall(GET_DEVICE)
    kind, number, body = peer.receive()
    assert (kind, number, body[3], body[10:]) == (
        Type.CONTROL_PACKET, 7, 0, bytes.fromhex("12 01 10 01 00 00 00 08 ae 24 02 20 10 01 01 02 00 01"))


def test_interrupt_data_come_once_the_guest_listens_and_not_before(server, mouse):
    peer = configured(server)
    mouse.move(dx=5)
    assert peer.ask(15, 0, b"\x81") == (Type.INTERRUPT_RECEIVING_STATUS, 0, b"\0\x81")
    assert peer.receive() == (Type.INTERRUPT_PACKET, 1, b"\x81\0\4\0" + b"\0\5\0\0")
    assert peer.ask(16, 0, b"\x81") == (Type.INTERRUPT_RECEIVING_STATUS, 0, b"\0\x81")


def test_reports_keep_the_endpoints_interval(tmp_path):
    mouse = find("mouse_24ae_2002")(interval_ms=20)
    with usbredir.Server(tmp_path / "s", mouse) as server:
        peer = configured(server)
        peer.ask(15, 0, b"\x81")
        begun = time.monotonic()
        mouse.play([(1, 0, 0)] * 4)
        for _ in range(4):
            peer.receive()
        assert time.monotonic() - begun >= 0.055


def test_when_it_has_settled_the_device_knows_what_was_said(server, mouse):
    peer = configured(server)
    for _ in range(50):
        peer.socket.sendall(guest(15, 0, b"\x81"))
        server.settle()
        assert mouse.started == {0x81}
        peer.socket.sendall(guest(16, 0, b"\x81") + guest(3, 0))
        server.settle()
        assert mouse.started == set()
        mouse.control(Setup.set_configuration(1))
        assert [peer.receive()[0] for _ in range(2)] == [Type.INTERRUPT_RECEIVING_STATUS] * 2


def test_pulled_out_and_plugged_in_the_guest_hears_both(server, mouse):
    peer = configured(server)
    mouse.replug()
    assert [peer.receive()[0] for _ in range(4)] == [
        Type.DEVICE_DISCONNECT, Type.EP_INFO, Type.INTERFACE_INFO, Type.DEVICE_CONNECT]


def test_a_stall_ends_the_listening(server, mouse):
    peer = configured(server)
    peer.ask(15, 0, b"\x81")
    mouse.halt(0x81)
    assert peer.receive() == (Type.INTERRUPT_PACKET, 1, b"\x81\4\0\0")
    assert mouse.started == set()


def test_a_guest_that_breaks_the_protocol_is_hung_up_on_and_the_next_one_served(mouse, tmp_path):
    with usbredir.Server(tmp_path / "s", mouse) as server:
        peer = connected(server)
        peer.socket.sendall(guest(99, 0))
        with pytest.raises(EOFError):
            peer.receive()
        [error] = server.errors
        assert str(error) == "mouse_24ae_2002: message of type 99; a usb-guest has none such"
        connected(server)


def test_what_the_devices_own_code_raises_is_kept_with_its_traceback(mouse, tmp_path):
    with usbredir.Server(tmp_path / "s", mouse) as server:
        peer = connected(server)
        mouse.standard.declared = None
        peer.socket.sendall(GET_DEVICE)
        with pytest.raises(EOFError):
            peer.receive()
        assert "AttributeError" in str(server.errors[0])
        assert "Traceback" in str(server.errors[0])


def test_a_socket_that_cannot_be_made_is_named(mouse, tmp_path):
    (tmp_path / "s").touch()
    with pytest.raises(OSError, match="s: cannot listen for QEMU: Address already in use"):
        usbredir.Server(tmp_path / "s", mouse).start()


def test_the_attachment_names_its_own_controller(mouse, tmp_path):
    attachment = usbredir.attach(mouse, tmp_path, name="mouse", slot=None, bar_size=65536)
    assert attachment.arguments == [
        "-device", "qemu-xhci,id=mouse-xhci,addr=1e",
        "-chardev", f"socket,id=mouse-usb,path={tmp_path}/mouse.usb",
        "-device", "usb-redir,id=mouse-plug,chardev=mouse-usb,bus=mouse-xhci.0,port=1,suppress-remote-wake=off"]
    attachment.start()
    attachment.stop()
    assert not (tmp_path / "mouse.usb").exists()
