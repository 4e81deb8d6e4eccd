"""The channel: frames from an environment that can't be trusted, to one that may not read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1.item_pb2 import Item
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver_worker.supervisor.process.channel import LENGTH, MAX_FRAME_BYTES, Channel

SECONDS = 10.0


class Listener:
    def __init__(self) -> None:
        self.frames: asyncio.Queue[pb.FromEnvironment] = asyncio.Queue()
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def frame_received(self, frame: pb.FromEnvironment) -> None:
        self.frames.put_nowait(frame)

    def channel_closed(self) -> None:
        self.end.set_result("closed")

    def channel_broken(self, problem: str) -> None:
        self.end.set_result(problem)

    async def text(self) -> str:
        return (await asyncio.wait_for(self.frames.get(), SECONDS)).progress.text

    async def problem(self) -> str:
        return await asyncio.wait_for(self.end, SECONDS)


class Pair:
    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.theirs.settimeout(SECONDS)
        self.listener = Listener()
        self.channel = Channel(ours, self.listener)

    def close(self) -> None:
        self.channel.close()
        self.theirs.close()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    made = Pair()
    yield made
    made.close()


def frame(text: str) -> bytes:
    payload = pb.FromEnvironment(progress=pb.LoadProgress(text=text)).SerializeToString()
    return LENGTH.pack(len(payload)) + payload


async def test_frames_arrive_in_order_however_they_are_cut(pair: Pair) -> None:
    data = frame("one") + frame("two" * 100) + frame("three")
    for cut in range(len(data)):
        pair.theirs.sendall(data[:cut])
        pair.channel.drain()
        pair.theirs.sendall(data[cut:])
        assert [await pair.listener.text() for _ in range(3)] == ["one", "two" * 100, "three"]


async def test_a_long_frame_arrives(pair: Pair) -> None:
    sending = asyncio.get_running_loop().run_in_executor(None, pair.theirs.sendall, frame("x" * 5_000_000))
    assert await pair.listener.text() == "x" * 5_000_000
    await sending


async def test_a_frame_that_is_too_long_ends_the_conversation_before_it_is_read(pair: Pair) -> None:
    pair.theirs.sendall(frame("one") + LENGTH.pack(MAX_FRAME_BYTES + 1))
    assert await pair.listener.text() == "one"
    assert str(MAX_FRAME_BYTES + 1) in await pair.listener.problem()


async def test_a_frame_that_does_not_parse_ends_the_conversation(pair: Pair) -> None:
    pair.theirs.sendall(LENGTH.pack(4) + b"\xff\xff\xff\xff" + frame("never handed on"))
    assert "can't be read" in await pair.listener.problem()
    assert pair.listener.frames.empty()


async def test_the_end_of_the_other_side_is_told_after_its_last_frame(pair: Pair) -> None:
    pair.theirs.sendall(frame("last"))
    pair.theirs.close()
    assert await pair.listener.text() == "last"
    assert await pair.listener.problem() == "closed"
    pair.channel.send(pb.ToEnvironment(exit=pb.ExitCommand()))


async def test_sending_to_one_who_does_not_read_blocks_nobody_and_arrives_later(pair: Pair) -> None:
    commands = [
        pb.ToEnvironment(run_plan=pb.RunPlanCommand(execution_id=str(n), item=Item(name="x" * 1_000_000)))
        for n in range(3)
    ]
    for command in commands:
        pair.channel.send(command)
    reading = asyncio.get_running_loop().run_in_executor(None, read_frames, pair.theirs, len(commands))
    assert await asyncio.wait_for(reading, SECONDS) == commands


def read_frames(connection: socket.socket, count: int) -> list[pb.ToEnvironment]:
    with connection.makefile("rb") as stream:
        return [
            pb.ToEnvironment.FromString(stream.read(LENGTH.unpack(stream.read(LENGTH.size))[0])) for _ in range(count)
        ]


@given(data=st.binary(max_size=300))
def test_nothing_that_comes_in_raises(data: bytes) -> None:
    async def feed() -> None:
        pair = Pair()
        try:
            pair.theirs.sendall(data)
            pair.theirs.close()
            assert await pair.listener.problem()
        finally:
            pair.close()

    asyncio.run(feed())
