"""Queues of any length."""

from __future__ import annotations

from queueserver.manager.v1.queue_items_pb2 import AddItemsRequest, ListItemsRequest

from tests.bench.channel import Stubs, typical_plan

_BATCH = 10_000


async def fill_queue(stubs: Stubs, size: int) -> None:
    """Add items until there are so many. RuntimeError if there are more."""
    present = int((await stubs.queue.ListItems(ListItemsRequest(page_size=1))).queue_size)
    while present < size:
        items = [typical_plan()] * min(_BATCH, size - present)
        present = int((await stubs.queue.AddItems(AddItemsRequest(items=items))).queue_size)
    if present != size:
        raise RuntimeError(f"the queue has {present} items instead of {size}")
