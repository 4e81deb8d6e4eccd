"""What the environment's end of the channel does not send."""

import socket
from collections.abc import Iterator

import numpy as np
import pytest
from queueserver_environment.messages.frames import (
    EnvironmentHeartbeat,
    EnvironmentReady,
    FromEnvironment,
    PlanFinished,
    RunDocumentEmitted,
)
from queueserver_environment.messages.items import ItemResult, RunSummary
from queueserver_environment.messages.waiting import RunEngineWaits, Suspension
from queueserver_environment.process.channel import Channel, FrameTooLargeError
from queueserver_environment.process.frames import CONTAINER_VALUES, MAX_VALUES, count_values, decode, encode
from queueserver_inventory.descriptions import DeviceDescription, Inventory
from queueserver_worker.supervisor.frames.decoding import decode as decode_there
from queueserver_worker.supervisor.frames.packed import Array, unpack


@pytest.fixture
def channel() -> Iterator[Channel]:
    ours, theirs = socket.socketpair()
    yield Channel(ours, lambda _: None)
    ours.close()
    theirs.close()


def event(value: object) -> FromEnvironment:
    return FromEnvironment(document=RunDocumentEmitted("r", {"event": {"uid": "e", "data": {"x": value}}}))


@pytest.mark.parametrize(
    "value", [[1] * MAX_VALUES, [[1] * 1000] * (MAX_VALUES // 1000), b"x" * 51_000_000], ids=["flat", "nested", "long"]
)
def test_a_frame_beyond_the_limits_is_refused(channel: Channel, value: object) -> None:
    with pytest.raises(FrameTooLargeError, match="the channel carries at most"):
        channel.send(event(value))


def test_a_frame_within_the_limit_of_values_is_read_on_the_other_side() -> None:
    rows = (MAX_VALUES - 100) // (999 + 1 + CONTAINER_VALUES)
    document = decode_there(encode(event([[1] * 999] * rows))).document.document
    assert document.event.uid == "e"


class Many(dict[str, object]):
    """A map of a class of its own."""


PARTS = tuple(DeviceDescription(f"d{number}", class_name="c") for number in range(5))
FRAMES = {
    "values": event([1, 2.5, None, "a", b"b", [[]], {"a": {"b": [{}]}}, 2**70, np.float32(1), np.int64(2)]),
    "arrays": event([np.zeros(3), {"a": np.zeros((2, 2))}, np.float64(1)]),
    "tuples": event(((1, (2, {"a": ()})), Many(a=[1], b=Many()))),
    "results": FromEnvironment(
        finished=PlanFinished("x", ItemResult(runs=[RunSummary("a"), RunSummary("b", 1)], notices=["n"] * 3))
    ),
    "inventory": FromEnvironment(
        ready=EnvironmentReady(
            Inventory(devices=(DeviceDescription("d", components=PARTS), *PARTS)), docstrings={"a": "b"}
        )
    ),
    "waits": FromEnvironment(waits=RunEngineWaits(suspensions=[Suspension(), Suspension(signal="s")])),
    "heartbeat": FromEnvironment(heartbeat=EnvironmentHeartbeat()),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_values_are_counted_as_the_supervisor_counts_them(kind: str) -> None:
    assert count_values(FRAMES[kind]) == counted_there(unpack(encode(FRAMES[kind])))


def counted_there(value: object) -> int:
    if isinstance(value, Array):
        return CONTAINER_VALUES
    if not isinstance(value, dict | list):
        return 0
    inside = value.values() if isinstance(value, dict) else value
    return CONTAINER_VALUES + len(value) + sum(map(counted_there, inside))


@pytest.mark.parametrize("element", [[], (), {}, Many(), np.zeros(0)], ids=lambda element: type(element).__name__)
def test_lists_of_things_that_need_memory_are_refused_here_before_they_are_refused_there(
    channel: Channel, element: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As many as are allowed take seconds.
    monkeypatch.setattr("queueserver_environment.process.channel.MAX_VALUES", 30_000)
    monkeypatch.setattr("queueserver_environment.process.channel._FEW_BYTES", 10_000)
    with pytest.raises(FrameTooLargeError, match="values"):
        channel.send(event([element] * 10_001))


def test_an_unknown_command_is_no_frame() -> None:
    with pytest.raises(KeyError, match="unknown"):
        decode(b"\x81\xa7unknown\x80")
