"""Startup code of the tests of clients in other languages: devices that they name, and a scan that waits for the test
after its second point and tells it when all points are measured.
"""

import asyncio
import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
from bluesky.plans import count
from bluesky.protocols import Movable, Readable
from ophyd.sim import det, direct_img, motor

__all__ = ["count", "det", "direct_img", "motor", "scan"]
Messages = Generator[Any, Any, Any]


async def _opened() -> None:
    """Wait until the test writes a byte into its named pipe, and take it."""
    pipe = os.open(os.environ["LANGUAGES_GATE"], os.O_RDONLY | os.O_NONBLOCK)
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pipe, readable.set)
    try:
        await readable.wait()
        os.read(pipe, 1)
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)


def scan(detectors: Sequence[Readable], axis: Movable[Any], start: float, stop: float, num: int) -> Messages:
    """Scan one motor, and wait for the test after the second point."""
    measured = 0

    def measure(detectors: Sequence[Readable], step: Mapping[Any, float], pos_cache: dict[Any, float]) -> Messages:
        nonlocal measured
        yield from bps.one_nd_step(detectors, step, pos_cache)
        measured += 1
        if measured == 2:
            yield from bps.wait_for([_opened])

    yield from bp.scan(detectors, axis, start, stop, num=num, per_step=measure)
    with Path(os.environ["LANGUAGES_TOLD"]).open("wb", buffering=0) as told:
        told.write(b".")
