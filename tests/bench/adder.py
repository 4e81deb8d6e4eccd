"""Child process: clients that add one item after the other, each on its own connection.

``python -m tests.bench.adder ADDRESS CLIENTS ITEMS_EACH raw|client``
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable

from queueserver.manager.v1.queue_items_pb2 import AddItemRequest
from queueserver_client import AsyncClient, Plan

from tests.bench.channel import connect, typical_plan
from tests.bench.child import say

Add = Callable[[], Awaitable[object]]
WARM_UP = 20


async def main() -> None:
    """Connect, warm up, wait for the word, add, report."""
    address, clients, items, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    async with contextlib.AsyncExitStack() as stack:
        connecting = _raw if kind == "raw" else _client
        adders = [await connecting(stack, address) for _ in range(clients)]
        await asyncio.gather(*(_add_many(add, WARM_UP) for add in adders))
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        begin = time.monotonic()
        samples = await asyncio.gather(*(_add_many(add, items) for add in adders))
        say({"begin": begin, "end": time.monotonic(), "seconds": [one for many in samples for one in many]})


async def _raw(stack: contextlib.AsyncExitStack, address: str) -> Add:
    stubs = await stack.enter_async_context(connect(address))
    request = AddItemRequest(item=typical_plan())

    async def add() -> object:
        return await stubs.queue.AddItem(request)

    return add


async def _client(stack: contextlib.AsyncExitStack, address: str) -> Add:
    client = await stack.enter_async_context(AsyncClient(address))
    item = Plan("scan", ["det1", "det2"], "motor", -1, 1, num=11, md={"sample": "LaB6"})

    async def add() -> object:
        return await client.queue.add(item)

    return add


async def _add_many(add: Add, items: int) -> list[float]:
    samples = []
    for _ in range(items):
        begin = time.perf_counter()
        await add()
        samples.append(time.perf_counter() - begin)
    return samples


if __name__ == "__main__":
    asyncio.run(main())
