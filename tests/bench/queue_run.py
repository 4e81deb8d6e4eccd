"""Run plans through the queue and note when a client hears of what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from queueserver.common.v1.item_pb2 import HistoryEntry, Item
from queueserver.manager.v1 import event_service_pb2 as events
from queueserver.manager.v1 import queue_service_pb2 as queue
from queueserver.manager.v1.environment_service_pb2 import OpenRequest, WaitEnvironmentRequest

from tests.bench.channel import Stubs

BOUND_SECONDS = 120.0


@dataclass
class Heard:
    """What a client heard while the queue ran."""

    #: Seconds from StartQueue to the news that the queue stopped.
    wall: float = 0.0
    #: Each event and the time (seconds since the epoch) at which the client had it.
    events: list[tuple[events.WatchEvent, float]] = field(default_factory=list)

    @property
    def history(self) -> list[HistoryEntry]:
        """Entries of the history, in order."""
        return [event.history_added.entry for event, _ in self.events if event.HasField("history_added")]


async def open_environment(stubs: Stubs) -> float:
    """Open the environment; answers the seconds it took."""
    begin = time.perf_counter()
    opened = await stubs.environment.Open(OpenRequest())
    await environment_settled(stubs, opened.environment_id)
    return time.perf_counter() - begin


async def environment_settled(stubs: Stubs, environment_id: str) -> None:
    """Wait until no operation on the environment is in progress. RuntimeError if it failed."""
    request = WaitEnvironmentRequest(environment_id=environment_id)
    async for answer in stubs.environment.WaitEnvironment(request, timeout=BOUND_SECONDS):
        if answer.environment.HasField("failure"):
            raise RuntimeError(f"the environment failed: {answer.environment.failure}")


async def run_queue(stubs: Stubs, items: Sequence[Item], kinds: Sequence[events.EventKind.ValueType] = ()) -> Heard:
    """Add items to an empty queue, run them to the end and listen."""
    await stubs.queue.AddItems(queue.AddItemsRequest(items=items))
    wanted = kinds or (events.EVENT_KIND_QUEUE, events.EVENT_KIND_HISTORY)
    call = stubs.events.Watch(events.WatchRequest(kinds=wanted))
    messages = call.__aiter__()
    try:
        await asyncio.wait_for(_skip_snapshot(messages), BOUND_SECONDS)
        begin = time.perf_counter()
        await stubs.queue.StartQueue(queue.StartQueueRequest())
        heard = Heard()
        await asyncio.wait_for(_listen(messages, heard), BOUND_SECONDS)
        heard.wall = time.perf_counter() - begin
    finally:
        call.cancel()
    return heard


async def _skip_snapshot(messages: AsyncIterator[events.WatchResponse]) -> None:
    async for message in messages:
        if message.snapshot.complete:
            return


async def _listen(messages: AsyncIterator[events.WatchResponse], heard: Heard) -> None:
    async for message in messages:
        now = time.time()
        heard.events += [(event, now) for event in message.batch.events]
        if any(event.HasField("queue_stopped") for event in message.batch.events):
            return
