"""Listing a queue of 10,000 items: all of it in one page, and its first page."""

from __future__ import annotations

import time
from typing import Any

from queueserver.manager.v1.queue_service_pb2 import AddItemsRequest, ListItemsRequest

from tests.bench.channel import connect, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.queue_run import open_environment
from tests.harness.stack import running_stack

ITEMS = 10_000
ROUNDS = 20


async def measure() -> list[Figure]:
    """What a client waits, decoding included."""
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await stubs.queue.AddItems(AddItemsRequest(items=[typical_plan()] * ITEMS))
            whole, size = await _list(stubs.queue, ITEMS)
            page, _ = await _list(stubs.queue, 100)
    note = f"{spread(whole)}; {size / 1e6:.1f} MB"
    return [
        Figure("10,000 items, whole", milliseconds(whole), "ms", aim=30, existing="90-130", note=note),
        Figure("first page (100)", milliseconds(page), "ms", aim=3, existing="90-130", note=spread(page)),
    ]


async def _list(queue: Any, size: int) -> tuple[list[float], int]:
    """Seconds of each listing, and bytes of the last."""
    samples = []
    page: Any = None
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        page = await queue.ListItems(ListItemsRequest(page_size=size))
        samples.append(time.perf_counter() - begin)
        if len(page.items) != size or page.queue_size != ITEMS:
            raise RuntimeError(f"{len(page.items)} items of {page.queue_size} came instead of {size} of {ITEMS}")
    return samples, int(page.ByteSize())
