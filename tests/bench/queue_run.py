"""Run plans through the queue and note when a client hears of what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from queueserver.common.v1.item_pb2 import HistoryEntry, ItemSpec
from queueserver.manager.v1 import event_pb2, event_service_pb2, queue_execution_pb2, queue_items_pb2
from queueserver.manager.v1.environment_service_pb2 import OpenEnvironmentRequest, WaitEnvironmentRequest

from tests.bench.channel import Stubs

BOUND_SECONDS = 120.0


@dataclass
class Heard:
    """What a client heard while the queue ran."""

    #: Seconds from StartQueue to the news that the queue stopped.
    wall: float = 0.0
    #: Each event and the time (seconds since the epoch) at which the client had it.
    events: list[tuple[event_pb2.WatchEvent, float]] = field(default_factory=list)

    @property
    def history(self) -> list[HistoryEntry]:
        """Entries of the history, in order."""
        return [event.history_added.entry for event, _ in self.events if event.HasField("history_added")]


async def open_environment(stubs: Stubs) -> float:
    """Open the environment; answers the seconds it took."""
    begin = time.perf_counter()
    opened = await stubs.environment.OpenEnvironment(OpenEnvironmentRequest())
    await environment_settled(stubs, opened.environment_id)
    return time.perf_counter() - begin


async def environment_settled(stubs: Stubs, environment_id: str) -> None:
    """Wait until no operation on the environment is in progress. RuntimeError if it failed."""
    request = WaitEnvironmentRequest(environment_id=environment_id)
    async for answer in stubs.environment.WaitEnvironment(request, timeout=BOUND_SECONDS):
        if answer.environment.HasField("failure"):
            raise RuntimeError(f"the environment failed: {answer.environment.failure}")


async def run_queue(
    stubs: Stubs, items: Sequence[ItemSpec], kinds: Sequence[event_pb2.EventKind.ValueType] = ()
) -> Heard:
    """Add items to an empty queue, run them to the end and listen."""
    await stubs.queue.AddItems(queue_items_pb2.AddItemsRequest(items=items))
    wanted = kinds or (event_pb2.EVENT_KIND_QUEUE, event_pb2.EVENT_KIND_HISTORY)
    call = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=wanted))
    messages = call.__aiter__()
    try:
        await asyncio.wait_for(_skip_snapshot(messages), BOUND_SECONDS)
        begin = time.perf_counter()
        await stubs.queue.StartQueue(queue_execution_pb2.StartQueueRequest())
        heard = Heard()
        await asyncio.wait_for(_listen(messages, heard), BOUND_SECONDS)
        heard.wall = time.perf_counter() - begin
    finally:
        call.cancel()
    return heard


async def _skip_snapshot(messages: AsyncIterator[event_service_pb2.WatchEventsResponse]) -> None:
    async for message in messages:
        if message.snapshot.complete:
            return


async def _listen(messages: AsyncIterator[event_service_pb2.WatchEventsResponse], heard: Heard) -> None:
    async for message in messages:
        now = time.time()
        heard.events += [(event, now) for event in message.batch.events]
        if any(event.HasField("queue_stopped") for event in message.batch.events):
            return
