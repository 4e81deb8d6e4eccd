"""What it costs that replicas have to have a change before it is acknowledged: one add after the other."""

from __future__ import annotations

import time

from queueserver.manager.v1 import queue_items_pb2

from tests.bench.channel import connect, typical_plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.queue_run import open_environment
from tests.harness.redis_group import Server, synced
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.stack import short_directory

ROUNDS = 500
_WARM_UP = 50
#: Replicas that are there, and how many of them have to confirm in each measurement.
_THERE, _CONFIRMING = 2, (0, 1, 2)


async def measure() -> list[Figure]:
    """A primary and its replicas on this machine, so without a network between them; each syncs to disk."""
    figures = []
    with short_directory() as directory:
        primary = Server(directory)
        replicas = [Server(directory, "--replicaof", "127.0.0.1", str(primary.port)) for _ in range(_THERE)]
        worker = WorkerProcess(directory)
        try:
            for replica in replicas:
                synced(replica)
            for number in _CONFIRMING:
                samples = await _add(f"redis://127.0.0.1:{primary.port}", worker.address, number)
                label = f"add, {number} of {_THERE} replicas confirm, p50"
                figures.append(Figure(label, milliseconds(samples), "ms", note=spread(samples)))
        finally:
            worker.close()
            for server in (primary, *replicas):
                server.process.close()
    return figures


async def _add(redis: str, worker: str, replicas: int) -> list[float]:
    """Seconds of each add."""
    samples = []
    manager = ManagerProcess(redis, worker, "--redis-replicas", str(replicas), "--key-prefix", f"bench{replicas}")
    try:
        async with connect(manager.address) as stubs:
            if replicas == _CONFIRMING[0]:
                await open_environment(stubs)
            for number in range(_WARM_UP + ROUNDS):
                begin = time.perf_counter()
                await stubs.queue.AddItem(queue_items_pb2.AddItemRequest(item=typical_plan()))
                if number >= _WARM_UP:
                    samples.append(time.perf_counter() - begin)
    finally:
        manager.close()
    return samples
