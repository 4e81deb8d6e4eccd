"""The channel: frames from an environment that can't be trusted, to one that may not read."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1.item_pb2 import Item
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver_worker.supervisor.frames.packed import CHANNEL_VERSION
from queueserver_worker.supervisor.process.channel import LENGTH, LONG_FRAME_BYTES, MAX_FRAME_BYTES, Channel

from tests.harness import frames

SECONDS = 10.0


class Listener:
    def __init__(self) -> None:
        self.frames: asyncio.Queue[pb.FromEnvironment] = asyncio.Queue()
        self.completed_in: int | None = None
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def is_report(self, frame: pb.FromEnvironment) -> bool:
        return frame.HasField("ready")

    def complete(self, frame: pb.FromEnvironment) -> None:
        self.completed_in = threading.get_ident()
        frame.ready.docstrings.clear()

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
    def __init__(self, version: int | None = CHANNEL_VERSION) -> None:
        ours, self.theirs = socket.socketpair()
        self.theirs.settimeout(SECONDS)
        self.listener = Listener()
        self.channel = Channel(ours, self.listener)
        if version is not None:
            self.theirs.sendall(frames.hello(version))

    def close(self) -> None:
        self.channel.close()
        self.theirs.close()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    made = Pair()
    yield made
    made.close()


def frame(text: str) -> bytes:
    return frames.frame(pb.FromEnvironment(progress=pb.LoadProgress(text=text)))


async def test_frames_arrive_in_order_however_they_are_cut(pair: Pair) -> None:
    data = frame("one") + frame("two" * 100) + frame("three")
    for cut in range(len(data)):
        pair.theirs.sendall(data[:cut])
        await asyncio.get_running_loop().run_in_executor(None, threading.active_count)
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


@pytest.mark.parametrize("version", [0, 2])
async def test_another_version_of_the_frames_ends_the_conversation(version: int) -> None:
    pair = Pair(version)
    assert "(install both from the same release)" in await pair.listener.problem()
    pair.close()


async def test_a_first_frame_without_a_version_ends_the_conversation() -> None:
    pair = Pair(None)
    pair.theirs.sendall(frame("one"))
    assert "unknown version" in await pair.listener.problem()
    assert pair.listener.frames.empty()
    pair.close()


async def test_long_frames_keep_their_place_among_short_ones(pair: Pair) -> None:
    texts = [str(number) * (2 * LONG_FRAME_BYTES if number % 3 else 1) for number in range(9)]
    sending = asyncio.get_running_loop().run_in_executor(None, pair.theirs.sendall, b"".join(map(frame, texts)))
    assert [await pair.listener.text() for _ in texts] == texts
    await sending


async def test_a_report_is_completed_outside_of_the_loop_and_keeps_its_place(pair: Pair) -> None:
    report = pb.FromEnvironment(ready=pb.EnvironmentReady(docstrings={"p": "text"}))
    pair.theirs.sendall(frame("one") + frames.frame(report) + frame("two"))
    assert await pair.listener.text() == "one"
    assert await asyncio.wait_for(pair.listener.frames.get(), SECONDS) == pb.FromEnvironment(ready={})
    assert await pair.listener.text() == "two"
    assert pair.listener.completed_in not in {None, threading.get_ident()}


async def test_a_long_frame_that_can_not_be_read_ends_the_conversation(pair: Pair) -> None:
    pair.theirs.sendall(frames.with_length(b"\xff" * 2 * LONG_FRAME_BYTES) + frame("never handed on"))
    assert "can't be read" in await pair.listener.problem()
    assert pair.listener.frames.empty()


@pytest.mark.parametrize("last", ["x", "x" * 3 * LONG_FRAME_BYTES], ids=["short", "long"])
async def test_what_was_sent_is_passed_on_before_the_end_is_told(pair: Pair, last: str) -> None:
    finished = asyncio.Event()
    texts = ["first", "y" * 2 * LONG_FRAME_BYTES, last]
    pair.theirs.settimeout(SECONDS)
    pair.theirs.sendall(b"".join(map(frame, texts)))
    pair.channel.finish(finished.set)
    await asyncio.wait_for(finished.wait(), SECONDS)
    assert [pair.listener.frames.get_nowait().progress.text for _ in texts] == texts


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
        return [frames.command(stream.read(LENGTH.unpack(stream.read(LENGTH.size))[0])) for _ in range(count)]


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
