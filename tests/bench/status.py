"""Asking for the status, one call after the other."""

from __future__ import annotations

import time

from queueserver.manager.v1.status_service_pb2 import GetStatusRequest

from tests.bench.channel import connect
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.queue_run import open_environment
from tests.harness.stack import running_stack

CALLS = 3000


async def measure() -> list[Figure]:
    """A raw stub in this process."""
    samples = []
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            for _ in range(CALLS):
                begin = time.perf_counter()
                await stubs.status.GetStatus(GetStatusRequest())
                samples.append(time.perf_counter() - begin)
    return [
        Figure("status, p50", milliseconds(samples), "ms", aim=0.5, existing="0.2-0.3", note=spread(samples)),
        Figure("status, p99", milliseconds(samples, 99), "ms"),
    ]
