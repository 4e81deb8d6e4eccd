"""Batches of 1,000 and of 10,000 validated plans, and what another client feels of them."""

from __future__ import annotations

import time

from queueserver.manager.v1.queue_items_pb2 import AddItemsRequest, ClearQueueRequest

from tests.bench.channel import Stubs, connect, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.meanwhile import Window, another_client
from tests.bench.queue_run import open_environment
from tests.harness.stack import running_stack

BATCH, BIG_BATCH = 1_000, 10_000
ROUNDS, BIG_ROUNDS = 15, 8


async def measure() -> list[Figure]:
    """A batch as people send it."""
    return await _measure(BATCH, ROUNDS, aim=60, existing="780-960", status_aim=10, status_existing="460-850")


async def measure_big() -> list[Figure]:
    """A batch as programs send it."""
    return await _measure(BIG_BATCH, BIG_ROUNDS, aim=None, existing="", status_aim=20, status_existing="")


async def _measure(
    size: int, rounds: int, *, aim: float | None, existing: str, status_aim: float, status_existing: str
) -> list[Figure]:
    """Batches alone, then batches while another process asks for the status."""
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await send_batches(stubs, size, 2)
            alone = [end - begin for begin, end in await send_batches(stubs, size, rounds)]
            async with another_client(stack.address) as waits:
                waits.windows += await send_batches(stubs, size, rounds)
    watched = waits.seconds
    return [
        Figure("batch, nobody else", milliseconds(alone), "ms", aim=aim, existing=existing, note=spread(alone)),
        Figure("batch, another client asks without pause", milliseconds(watched), "ms", note=spread(watched)),
        *waits.figures(status_aim, existing=status_existing),
    ]


async def send_batches(stubs: Stubs, size: int, rounds: int) -> list[Window]:
    """Send batches to an empty queue, which is empty again afterwards; answers when each was on its way."""
    request = AddItemsRequest(items=[typical_plan()] * size)
    windows = []
    for _ in range(rounds):
        begin = time.monotonic()
        await stubs.queue.AddItems(request)
        windows.append((begin, time.monotonic()))
        await stubs.queue.ClearQueue(ClearQueueRequest(all=True))
    return windows
