"""Watching message by message, so that a test can leave exactly behind one and come back with its token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver.manager.v1.event_service_pb2_grpc import EventServiceStub

from tests.harness.wait import bounded

DURABLE = (event_pb2.EVENT_KIND_QUEUE, event_pb2.EVENT_KIND_HISTORY)
STREAMED = (event_pb2.EVENT_KIND_CONSOLE, event_pb2.EVENT_KIND_DOCUMENT)
Events = list[event_pb2.WatchEvent]


@dataclass(frozen=True)
class Heard:
    """What came until a watcher had enough: events, and after how many of them each token came."""

    events: Events
    tokens: list[tuple[int, str]]

    @property
    def token(self) -> str:
        """The last token."""
        return self.tokens[-1][1]


async def messages(address: str, kinds: Sequence[int], token: str = "", limit: int = 0) -> AsyncIterator[Any]:
    """Messages of one Watch, on a connection of its own. Ends with the connection when closed.

    ``limit`` is the longest message that the client takes and says that it takes; 0 is gRPC's default.
    """
    options = [("grpc.max_receive_message_length", limit)] if limit else []
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        stub: Any = EventServiceStub(channel)
        request = event_service_pb2.WatchEventsRequest(kinds=kinds, resume_token=token, max_message_bytes=limit)  # type: ignore[arg-type] # numbers of EventKind
        call = stub.WatchEvents(request)
        while True:
            message = await bounded(call.read())
            if message is grpc.aio.EOF:
                raise AssertionError("the stream ended by itself")
            yield message


async def snapshot(address: str, kinds: Sequence[int] = DURABLE) -> tuple[list[event_service_pb2.WatchSnapshot], str]:
    """Parts of the snapshot, and its token."""
    parts: list[event_service_pb2.WatchSnapshot] = []
    stream = messages(address, kinds)
    async for message in stream:
        parts.append(message.snapshot)
        if message.snapshot.complete:
            await stream.aclose()  # type: ignore[attr-defined] # it is a generator
            return parts, message.resume_token
        assert not message.resume_token
    raise AssertionError("no end of the snapshot")


async def hear(
    address: str, token: str, enough: Callable[[Events], bool], kinds: Sequence[int] = DURABLE, limit: int = 0
) -> Heard:
    """Resume from a token, listen until ``enough``, and disconnect behind that message."""
    return await bounded(_hear(address, token, enough, kinds, limit))


async def _hear(address: str, token: str, enough: Callable[[Events], bool], kinds: Sequence[int], limit: int) -> Heard:
    heard = Heard([], [(0, token)])
    stream = messages(address, kinds, token, limit)
    async for message in stream:
        assert not message.HasField("snapshot")
        assert message.resume_token
        heard.events.extend(message.batch.events)
        heard.tokens.append((len(heard.events), message.resume_token))
        if enough(heard.events):
            break
    await stream.aclose()  # type: ignore[attr-defined] # it is a generator
    return heard


def up_to(revision: int) -> Callable[[Events], bool]:
    """Enough when the event log was heard up to a revision."""
    return lambda events: bool(events) and max(event.revision for event in events) >= revision
