"""What the environment's end of the channel does not send."""

import socket
from collections.abc import Iterator

import pytest
from queueserver_environment.messages.frames import FromEnvironment, RunDocumentEmitted
from queueserver_environment.process.channel import Channel, FrameTooLargeError
from queueserver_environment.process.frames import MAX_VALUES, decode, encode
from queueserver_worker.supervisor.frames.decoding import decode as decode_there


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
    document = decode_there(encode(event([[1] * 999] * (MAX_VALUES // 1000 - 1)))).document.document
    assert document.event.uid == "e"


def test_an_unknown_command_is_no_frame() -> None:
    with pytest.raises(KeyError, match="unknown"):
        decode(b"\x81\xa7unknown\x80")
