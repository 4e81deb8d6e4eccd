"""Opening the environment, compared with the same files in plain Python: of the demo, and of a large beamline."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from queueserver.manager.v1.environment_service_pb2 import CloseEnvironmentRequest

from tests.bench import child
from tests.bench.channel import Stubs, connect
from tests.bench.figures import Figure, spread
from tests.bench.queue_run import environment_settled, open_environment
from tests.harness.big_profile import DEVICES, PLANS, write_big_profile
from tests.harness.services import DEMO_STARTUP
from tests.harness.stack import running_stack

ROUNDS = 5


async def measure() -> list[Figure]:
    """The demo."""
    plain, opened = await _compare(DEMO_STARTUP)
    beyond = statistics.median(opened) - statistics.median(plain)
    return [
        Figure("files in plain Python", statistics.median(plain), "s", existing="1.1-1.5", note=spread(plain, 1, "s")),
        Figure("environment open", statistics.median(opened), "s", existing="1.45", note=spread(opened, 1, "s")),
        Figure("open beyond plain Python", beyond, "s", aim=0.3),
    ]


async def measure_big() -> list[Figure]:
    """A large beamline: thousands of devices, hundreds of plans."""
    with tempfile.TemporaryDirectory() as folder:
        write_big_profile(Path(folder))
        plain, opened = await _compare(Path(folder))
    ratio = statistics.median(opened) / statistics.median(plain)
    what = f"{DEVICES:,} devices, {PLANS} plans"
    return [
        Figure("files in plain Python", statistics.median(plain), "s", note=f"{what}; {spread(plain, 1, 's')}"),
        Figure("environment open", statistics.median(opened), "s", note=spread(opened, 1, "s")),
        Figure("open as a multiple of plain Python", ratio, "", aim=1.5),
    ]


async def _compare(startup: Path) -> tuple[list[float], list[float]]:
    """Seconds in plain Python and through the server, in turns, so that whatever else the machine does meets both."""
    plain: list[float] = []
    opened: list[float] = []
    with running_stack(startup=startup) as stack:
        async with connect(stack.address) as stubs:
            await _plain_python(startup)
            for _ in range(ROUNDS):
                plain.append(await _plain_python(startup))
                opened.append(await open_environment(stubs))
                await _close(stubs)
    return plain, opened


async def _plain_python(startup: Path) -> float:
    """Seconds from the start of the interpreter until the files are executed and a RunEngine is there."""
    begin = time.perf_counter()
    async with child.start("tests.bench.plain", startup, 0):
        return time.perf_counter() - begin


async def _close(stubs: Stubs) -> None:
    closing = await stubs.environment.CloseEnvironment(CloseEnvironmentRequest())
    await environment_settled(stubs, closing.environment_id)
