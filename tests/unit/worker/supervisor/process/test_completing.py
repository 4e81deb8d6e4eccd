"""Frames that take long to complete: the loop does not wait for them, and nothing passes them by."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import pytest
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver_worker.supervisor.frames.packed import CHANNEL_VERSION
from queueserver_worker.supervisor.process.channel import LONG_FRAME_BYTES, Channel

from tests.harness import frames

SECONDS = 10.0


class Conversation:
    """A channel whose reports are completed only when they may, with a mark, and what it has passed on."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.begun = threading.Event()
        self.may = threading.Event()
        self.threads: set[int] = set()
        self.passed_on: list[str] = []
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.channel = Channel(ours, self)

    def is_report(self, frame: pb.FromEnvironment) -> bool:
        return frame.HasField("ready")

    def complete(self, frame: pb.FromEnvironment) -> None:
        self.threads.add(threading.get_ident())
        self.begun.set()
        assert self.may.wait(SECONDS)
        frame.ready.docstrings["completed"] = "yes"

    def say(self, *messages: pb.FromEnvironment) -> None:
        self.theirs.sendall(b"".join(map(frames.frame, messages)))

    def frame_received(self, frame: pb.FromEnvironment) -> None:
        is_completed = frame.ready.docstrings.get("completed", "")
        self.passed_on.append(f"report {is_completed}" if frame.HasField("ready") else frame.progress.text)

    def channel_closed(self) -> None:
        self.end.set_result("closed")

    def channel_broken(self, problem: str) -> None:
        self.end.set_result(problem)


@pytest.fixture
async def conversation() -> AsyncIterator[Conversation]:
    made = Conversation()
    yield made
    made.may.set()
    made.channel.close()
    made.theirs.close()


def said(text: str) -> pb.FromEnvironment:
    return pb.FromEnvironment(progress=pb.LoadProgress(text=text))


def report(length: int) -> pb.FromEnvironment:
    return pb.FromEnvironment(ready=pb.EnvironmentReady(docstrings={"plan": "x" * length}))


HELLO = pb.FromEnvironment(hello=pb.EnvironmentHello(channel_version=CHANNEL_VERSION))


@pytest.mark.parametrize("length", [10, LONG_FRAME_BYTES])
async def test_what_comes_after_a_report_waits_and_the_loop_does_not(conversation: Conversation, length: int) -> None:
    conversation.say(HELLO, said("before"), report(length), said("after"), report(length))
    conversation.theirs.close()
    assert await asyncio.get_running_loop().run_in_executor(None, conversation.begun.wait, SECONDS)
    assert conversation.passed_on == ["before"]
    conversation.may.set()
    assert await asyncio.wait_for(conversation.end, SECONDS) == "closed"
    assert conversation.passed_on == ["before", "report yes", "after", "report yes"]
    assert threading.get_ident() not in conversation.threads


async def test_the_end_of_the_process_waits_for_what_it_has_reported(conversation: Conversation) -> None:
    conversation.say(HELLO, report(10), said("last words"))
    finished = asyncio.Event()
    conversation.channel.finish(finished.set)
    assert not finished.is_set()
    conversation.may.set()
    await asyncio.wait_for(finished.wait(), SECONDS)
    assert conversation.passed_on == ["report yes", "last words"]


async def test_nothing_is_completed_before_the_version_is_known(conversation: Conversation) -> None:
    conversation.say(report(10))
    assert "version" in await asyncio.wait_for(conversation.end, SECONDS)
    assert not conversation.threads
