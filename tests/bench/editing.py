"""One add, move, update and remove in the middle of queues of different lengths: the length should not matter."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Any

from queueserver.manager.v1 import queue_items_pb2, queue_pb2

from tests.bench.channel import Stubs, connect, plan, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.filling import fill_queue
from tests.bench.queue_run import open_environment
from tests.harness.stack import running_stack

#: Items in the queue after the add. The last one is the most there can be.
SIZES = (10, 1_000, 10_000, 100_000)
ROUNDS = 300
_WARM_UP = 30
#: What counts as noise: an edit of the longest queue may take so many times as long as one of the shortest.
_NOISE = 1.3

Samples = dict[str, list[float]]


async def measure() -> list[Figure]:
    """One client, one edit after the other."""
    found: dict[int, Samples] = {}
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            for size in SIZES:
                await fill_queue(stubs, size - 1)
                await _edit(stubs, size, _WARM_UP)
                found[size] = await _edit(stubs, size, ROUNDS)
    figures = []
    for name in found[SIZES[0]]:
        figures += [
            Figure(f"{name}, {size:,} items, p50", milliseconds(samples[name]), "ms", note=spread(samples[name]))
            for size, samples in found.items()
        ]
        ratio = milliseconds(found[SIZES[-1]][name]) / milliseconds(found[SIZES[0]][name])
        figures.append(Figure(f"{name}, {SIZES[-1]:,} items as a multiple of {SIZES[0]}", ratio, "", aim=_NOISE))
    return figures


async def _edit(stubs: Stubs, size: int, rounds: int) -> Samples:
    """Seconds of each edit. Each round leaves the queue as it was."""
    samples: Samples = {"add": [], "move": [], "update": [], "remove": []}

    async def timed(name: str, call: Awaitable[Any]) -> Any:
        begin = time.perf_counter()
        answer = await call
        samples[name].append(time.perf_counter() - begin)
        return answer

    queue = stubs.queue
    middle, elsewhere = queue_pb2.QueuePosition(index=size // 2), queue_pb2.QueuePosition(index=size // 4)
    for number in range(rounds):
        added = await timed("add", queue.AddItem(queue_items_pb2.AddItemRequest(item=typical_plan(), position=middle)))
        address = queue_pb2.ItemAddress(uid=added.item.item_uid)
        await timed("move", queue.MoveItem(queue_items_pb2.MoveItemRequest(source=address, destination=elsewhere)))
        other = plan("scan", ["det1", "det2"], "motor", -1, 1, num=100 + number)
        update = queue_items_pb2.UpdateItemRequest(item_uid=added.item.item_uid, item=other)
        await timed("update", queue.UpdateItem(update))
        removed = await timed("remove", queue.RemoveItem(queue_items_pb2.RemoveItemRequest(address=address)))
        if removed.queue_size != size - 1:
            raise RuntimeError(f"{removed.queue_size} items are left instead of {size - 1}")
    return samples
