"""A batch of 1,000 validated plans, and what another client feels of it."""

from __future__ import annotations

import time

from queueserver.manager.v1.queue_service_pb2 import AddItemsRequest, ClearQueueRequest

from tests.bench import child
from tests.bench.channel import Stubs, connect, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.queue_run import open_environment
from tests.harness.stack import running_stack

BATCH = 1000
ROUNDS = 15

#: When a batch was sent and when its answer was there, by the monotonic clock.
Window = tuple[float, float]


async def measure() -> list[Figure]:
    """Batches alone, then batches while another process asks for the status."""
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await _batches(stubs, 2)
            alone = [end - begin for begin, end in await _batches(stubs, ROUNDS)]
            async with child.start("tests.bench.prober", stack.address) as prober:
                windows = await _batches(stubs, ROUNDS)
                await prober.go()
                calls: list[tuple[float, float]] = (await prober.result())["calls"]
    watched = [end - begin for begin, end in windows]
    waits = [took for began, took in calls if any(_overlap(began, took, window) for window in windows)]
    return [
        Figure("batch, nobody else", milliseconds(alone), "ms", aim=60, existing="780-960", note=spread(alone)),
        Figure("batch, another client asks without pause", milliseconds(watched), "ms", note=spread(watched)),
        Figure("status of another client meanwhile, max", max(waits) * 1000, "ms", aim=10, existing="460-850"),
        Figure("status of another client meanwhile, p99", milliseconds(waits, 99), "ms", note=spread(waits)),
    ]


def _overlap(began: float, took: float, window: Window) -> bool:
    return began <= window[1] and began + took >= window[0]


async def _batches(stubs: Stubs, rounds: int) -> list[Window]:
    request = AddItemsRequest(items=[typical_plan()] * BATCH)
    windows = []
    for _ in range(rounds):
        begin = time.monotonic()
        await stubs.queue.AddItems(request)
        windows.append((begin, time.monotonic()))
        await stubs.queue.ClearQueue(ClearQueueRequest())
    return windows
