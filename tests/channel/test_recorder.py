"""Recorders beside a call: drivers/<name>/recorder.py, asked for by name in the request."""


def ask(agent, name, recorders):
    agent.channel.exchange(None, 10)
    return agent.channel.exchange({"id": 1, "call": name, "arguments": {}, "recorders": recorders}, 10)


def test_the_reply_has_what_each_recorder_recorded(agent):
    reply = ask(agent, "agent.noop", {"usb": {"vendor": 0x1209, "product": 0, "ring_bytes": 1 << 20}})
    assert reply["error"] is None
    assert set(reply["recorders"]["usb"]) == {"bus", "device", "data", "lost", "clock", "missing"}
    assert (reply["recorders"]["usb"]["bus"], reply["recorders"]["usb"]["device"]) == (0, 0)


def test_the_reply_has_the_recording_of_a_call_that_raised(agent):
    reply = ask(agent, "agent.echo", {"usb": {"vendor": 0x1209, "product": 0, "ring_bytes": 1 << 20}})
    assert reply["error"]["type"] == "TypeError"
    assert len(reply["recorders"]["usb"]["clock"]) == 2


def test_a_recorder_that_does_not_exist_is_a_lookup_error_and_the_call_is_not_run(agent):
    reply = ask(agent, "agent.die", {"net": {}})
    assert reply["error"]["type"] == "LookupError"
    assert reply["error"]["text"] == "there is no drivers/net/recorder.py: No module named 'drivers.net.recorder'"
    assert agent.call("agent.echo", value=7)["value"] == 7


def test_a_setting_that_a_recorder_does_not_know_is_a_type_error(agent):
    assert ask(agent, "agent.noop", {"usb": {"colour": 1}})["error"]["type"] == "TypeError"


def test_without_recorders_the_reply_has_none(agent):
    assert "recorders" not in ask(agent, "agent.noop", {})
