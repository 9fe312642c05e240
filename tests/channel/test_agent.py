"""The agent answers calls, reports what they raise, and is started once more when it dies."""
import time

import pytest

from bench.errors import AgentDied, ChannelError, Hang


def test_the_first_frame_says_who_is_there(agent):
    hello = agent.channel.exchange(None, 10)["hello"]
    assert hello["python"].count(".") == 2
    assert hello["release"]


def test_sixteen_megabytes_arrive_intact_both_ways(agent):
    agent.channel.exchange(None, 10)
    data = bytes(range(256)) * (16 * 4096)
    assert len(data) == 16 << 20
    assert agent.call("agent.echo", value=data)["value"] == data


def test_an_exception_comes_back_as_an_answer_with_its_traceback(agent):
    agent.channel.exchange(None, 10)
    error = agent.call("agent.echo")["error"]
    assert error["type"] == "TypeError"
    assert "missing 1 required positional argument: 'value'" in error["traceback"]


def test_an_errno_comes_back_as_a_number_and_its_name(agent):
    agent.channel.exchange(None, 10)
    error = agent.call("agent.open_file", path="/nonexistent")["error"]
    assert (error["errno"], error["name"]) == (2, "ENOENT")


def test_an_unknown_call_is_an_answer(agent):
    agent.channel.exchange(None, 10)
    assert agent.call("agent.nothing")["error"]["text"] == "drivers.agent.calls has no call named 'nothing'"
    assert agent.call("nobody.nothing")["error"]["type"] == "ModuleNotFoundError"


def test_a_listening_call_says_ready_first(agent):
    agent.channel.exchange(None, 10)
    assert agent.call("agent.listen_once") == {"ready": True, "id": 1}
    assert agent.channel.exchange(None, 10)["value"] == "ready came first"


def test_a_dead_agent_is_noticed_within_a_second_and_restarted_once(agent):
    agent.channel.exchange(None, 10)
    began = time.monotonic()
    with pytest.raises(AgentDied, match=r"killed by signal 9\); it was restarted"):
        agent.call("agent.die")
    assert time.monotonic() - began < 1.0
    assert agent.channel.exchange(None, 10)["turn"] == 1
    assert agent.call("agent.echo", value=7)["value"] == 7
    with pytest.raises(AgentDied, match="it is not restarted again"):
        agent.call("agent.die")


def test_a_call_past_its_deadline_is_a_hang(agent):
    agent.channel.exchange(None, 10)
    with pytest.raises(Hang, match=r"no answer within 0\.3 s"):
        agent.call("agent.wait", deadline_s=0.3, seconds=5.0)


def test_a_lost_connection_is_an_error(agent):
    agent.channel.exchange(None, 10)
    agent.process.kill()
    agent.process.wait()
    agent.ours.shutdown(2)
    with pytest.raises(ChannelError, match="the connection to the agent was lost"):
        agent.call("agent.echo", value=1)


def test_what_a_call_prints_does_not_end_up_between_the_frames(agent):
    agent.channel.exchange(None, 10)
    assert agent.call("agent.print_text", text="hello\n" * 1000)["value"] is None
    assert agent.call("agent.echo", value=[1, None, "x"])["value"] == [1, None, "x"]
