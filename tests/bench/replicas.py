"""What it costs that replicas have to have a change before it is acknowledged: one add after the other."""

from __future__ import annotations

import contextlib
import time

from queueserver.manager.v1 import queue_items_pb2

from tests.bench.channel import connect, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.queue_run import open_environment
from tests.harness.redis_group import Sentinels
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.stack import short_directory

ROUNDS = 500
_WARM_UP = 50


async def measure() -> list[Figure]:
    """A primary, two replicas and three Sentinels on this machine, so without a network; each server syncs to disk."""
    with contextlib.ExitStack() as opened:
        directory = opened.enter_context(short_directory())
        group = opened.enter_context(contextlib.closing(Sentinels(directory)))
        worker = opened.enter_context(contextlib.closing(WorkerProcess(directory)))
        primary = f"redis://127.0.0.1:{group.first.port}"
        ways = (
            ("no replica confirms", primary, 0),
            ("2 replicas confirm", primary, 2),
            ("2 replicas confirm, 3 Sentinels are asked", group.url, 2),
        )
        figures = []
        for number, (label, url, replicas) in enumerate(ways):
            manager = ManagerProcess(
                url, worker.address, "--redis-replicas", str(replicas), "--key-prefix", f"bench{number}"
            )
            with contextlib.closing(manager):
                samples = await _add(manager.address, opens=number == 0)
            figures.append(Figure(f"add, {label}, p50", milliseconds(samples), "ms", note=spread(samples)))
    return figures


async def _add(address: str, *, opens: bool) -> list[float]:
    """Seconds of each add; the first Manager opens the environment."""
    samples = []
    async with connect(address) as stubs:
        if opens:
            await open_environment(stubs)
        for number in range(_WARM_UP + ROUNDS):
            begin = time.perf_counter()
            await stubs.queue.AddItem(queue_items_pb2.AddItemRequest(item=typical_plan()))
            if number >= _WARM_UP:
                samples.append(time.perf_counter() - begin)
    return samples
