"""Checking items without adding them, and a whole queue again after permissions changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver.manager.v1.planning_service_pb2 import ValidateItemsRequest

from tests.bench.channel import Stubs, connect, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.filling import fill_queue
from tests.bench.group_rules import set_permissions
from tests.bench.meanwhile import Waits, another_client
from tests.bench.queue_run import BOUND_SECONDS, open_environment
from tests.harness.stack import running_stack

ITEMS, ROUNDS = 1_000, 15
QUEUE, QUEUE_ROUNDS = 10_000, 5


async def measure() -> list[Figure]:
    """Items that could be added, beside another client."""
    request = ValidateItemsRequest(items=[typical_plan()] * ITEMS)
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await stubs.planning.ValidateItems(request)
            async with another_client(stack.address) as waits:
                for _ in range(ROUNDS):
                    with waits.counted():
                        answer = await stubs.planning.ValidateItems(request)
                    if not all(verdict.valid for verdict in answer.verdicts):
                        raise RuntimeError("items that can be added were called invalid")
    return [
        Figure(f"ValidateItems of {ITEMS:,}", milliseconds(waits.seconds), "ms", note=spread(waits.seconds)),
        *waits.figures(20),
    ]


async def measure_queue() -> list[Figure]:
    """From a change of permissions until all items are called invalid, or valid again."""
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await set_permissions(stubs)
            await fill_queue(stubs, QUEUE)
            async with another_client(stack.address) as waits:
                await _change(stubs, waits)
    worse, better = waits.seconds[::2], waits.seconds[1::2]
    return [
        Figure(f"{QUEUE:,} items become invalid", milliseconds(worse), "ms", note=spread(worse)),
        Figure(f"{QUEUE:,} items become valid", milliseconds(better), "ms", note=spread(better)),
        *waits.figures(20),
    ]


async def _change(stubs: Stubs, waits: Waits) -> None:
    call = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_STATUS]))
    counts = _invalid_items(call)
    try:
        for _ in range(QUEUE_ROUNDS):
            with waits.counted():
                await set_permissions(stubs, "scan")
                await asyncio.wait_for(_until(counts, QUEUE), BOUND_SECONDS)
            with waits.counted():
                await set_permissions(stubs)
                await asyncio.wait_for(_until(counts, 0), BOUND_SECONDS)
    finally:
        call.cancel()


async def _invalid_items(call: Any) -> AsyncIterator[int]:
    async for message in call:
        for event in message.batch.events:
            if event.HasField("status"):
                yield event.status.invalid_item_count


async def _until(counts: AsyncIterator[int], wanted: int) -> None:
    async for count in counts:
        if count == wanted:
            return
    raise EOFError("the Manager stopped telling its status; its log is above")
