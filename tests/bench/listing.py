"""Listing a queue: of 10,000 items all of it, and its first page; of 100,000 items all of it again."""

from __future__ import annotations

import time
from typing import Any

from queueserver.manager.v1.queue_items_pb2 import AddItemRequest, ListItemsRequest, RemoveItemRequest
from queueserver.manager.v1.queue_pb2 import ItemAddress

from tests.bench.channel import Stubs, connect, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.filling import fill_queue
from tests.bench.meanwhile import another_client
from tests.bench.queue_run import open_environment
from tests.harness.stack import running_stack

ITEMS = 10_000
ROUNDS = 20
LONG = 100_000
_LONG_PAGE = 10_000
_LONG_ROUNDS = 3


async def measure() -> list[Figure]:
    """What a client waits, decoding included."""
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await fill_queue(stubs, ITEMS)
            whole, size = await _list(stubs.queue, ITEMS)
            page, _ = await _list(stubs.queue, 100)
    note = f"{spread(whole)}; {size / 1e6:.1f} MB"
    return [
        Figure("10,000 items, whole", milliseconds(whole), "ms", aim=30, existing="90-130", note=note),
        Figure("first page (100)", milliseconds(page), "ms", aim=3, existing="90-130", note=spread(page)),
    ]


async def measure_long() -> list[Figure]:
    """A queue as long as it can be, and what another client feels when it is listed."""
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await fill_queue(stubs, LONG - 1)
            async with another_client(stack.address) as waits:
                fresh, again = [], []
                for _ in range(ROUNDS):
                    await stubs.queue.AddItem(AddItemRequest(item=typical_plan()))
                    with waits.counted():
                        fresh.append(await _first_page(stubs))
                    again.append(await _first_page(stubs))
                    await stubs.queue.RemoveItem(RemoveItemRequest(address=ItemAddress(back=True)))
            async with another_client(stack.address) as whole:
                for _ in range(_LONG_ROUNDS):
                    with whole.counted():
                        await _all_pages(stubs)
    return [
        Figure("first page (100) after a change", milliseconds(fresh), "ms", aim=3, note=spread(fresh)),
        Figure("first page (100) again", milliseconds(again), "ms", aim=3, note=spread(again)),
        *waits.figures(20),
        Figure("all of it in its pages", milliseconds(whole.seconds), "ms", note=spread(whole.seconds)),
        *whole.figures(20),
    ]


async def _first_page(stubs: Stubs) -> float:
    begin = time.perf_counter()
    await stubs.queue.ListItems(ListItemsRequest(page_size=100))
    return time.perf_counter() - begin


async def _all_pages(stubs: Stubs) -> None:
    token, count = "", 0
    while not count or token:
        page = await stubs.queue.ListItems(ListItemsRequest(page_size=_LONG_PAGE, page_token=token))
        token, count = page.next_page_token, count + len(page.items)
    if count != page.queue_size:
        raise RuntimeError(f"{count} items came instead of {page.queue_size}")


async def _list(queue: Any, size: int) -> tuple[list[float], int]:
    """Seconds of each listing of so many items, in as many pages as it takes, and bytes of the last."""
    samples = []
    length = 0
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        token, count, length = "", 0, 0
        while not count or (token and count < size):
            page = await queue.ListItems(ListItemsRequest(page_size=size, page_token=token))
            token, count, length = page.next_page_token, count + len(page.items), length + page.ByteSize()
        samples.append(time.perf_counter() - begin)
        if count != size or page.queue_size != ITEMS:
            raise RuntimeError(f"{count} items of {page.queue_size} came instead of {size} of {ITEMS}")
    return samples, length
