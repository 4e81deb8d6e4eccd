"""Opening the environment, compared with the same files in plain Python."""

from __future__ import annotations

import statistics
import time

from queueserver.manager.v1.environment_service_pb2 import CloseRequest

from tests.bench import child
from tests.bench.channel import Stubs, connect
from tests.bench.figures import Figure, spread
from tests.bench.queue_run import environment_settled, open_environment
from tests.harness.services import DEMO_STARTUP
from tests.harness.stack import running_stack

ROUNDS = 5


async def measure() -> list[Figure]:
    """In turns, so that whatever else the machine does meets both."""
    plain: list[float] = []
    opened: list[float] = []
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await _plain_python()
            for _ in range(ROUNDS):
                plain.append(await _plain_python())
                opened.append(await open_environment(stubs))
                await _close(stubs)
    beyond = statistics.median(opened) - statistics.median(plain)
    return [
        Figure("files in plain Python", statistics.median(plain), "s", existing="1.1-1.5", note=spread(plain, 1, "s")),
        Figure("environment open", statistics.median(opened), "s", existing="1.45", note=spread(opened, 1, "s")),
        Figure("open beyond plain Python", beyond, "s", aim=0.3),
    ]


async def _plain_python() -> float:
    """Seconds from the start of the interpreter until the files are executed and a RunEngine is there."""
    begin = time.perf_counter()
    async with child.start("tests.bench.plain", DEMO_STARTUP, 0):
        return time.perf_counter() - begin


async def _close(stubs: Stubs) -> None:
    closing = await stubs.environment.Close(CloseRequest())
    await environment_settled(stubs, closing.environment_id)
