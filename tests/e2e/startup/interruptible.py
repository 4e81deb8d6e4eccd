"""Startup code of the end-to-end tests: plans to be paused, ended in the middle, and killed."""

import asyncio
import ctypes
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Readable

Messages = Generator[Any, Any, Any]


def _wait_for_byte(gate: str) -> Messages:
    """Wait until the test writes a byte into a named pipe; a pause or an end of the plan ends the wait."""

    async def opened() -> None:
        pipe = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(pipe, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(pipe)
            os.close(pipe)

    yield from bps.wait_for([opened])


def _tell(pipe: str) -> None:
    with Path(pipe).open("wb", buffering=0) as told:
        told.write(b".")


def stepping(gate: str) -> Messages:
    """Open a run, wait for the test, and pass a checkpoint before the run is closed."""
    yield from bps.checkpoint()
    yield from bps.open_run()
    yield from _wait_for_byte(gate)
    yield from bps.checkpoint()
    yield from bps.close_run()


def last_stretch(gate: str) -> Messages:
    """As stepping, with no checkpoint after the wait."""
    yield from bps.checkpoint()
    yield from bps.open_run()
    yield from _wait_for_byte(gate)
    yield from bps.close_run()


def reading_then_stepping(gate: str, detector: Readable) -> Messages:
    """A checkpoint, a reading, the wait for the test, and another checkpoint, all in one run."""
    yield from bps.open_run()
    yield from bps.checkpoint()
    yield from bps.trigger_and_read([detector])
    yield from _wait_for_byte(gate)
    yield from bps.checkpoint()
    yield from bps.close_run()


def second_run_stepping(gate: str) -> Messages:
    """A whole run, and then stepping."""
    yield from bps.open_run()
    yield from bps.close_run()
    yield from stepping(gate)


def runs_then_stepping(gate: str, runs: int) -> Messages:
    """Open runs and close them without a rest, and then as stepping."""
    for _ in range(runs):
        yield from bps.open_run()
        yield from bps.close_run()
    yield from stepping(gate)


def looping_forever(told: str) -> Messages:
    """Say that it begins, and loop without end in the main thread."""
    yield from bps.null()
    _tell(told)
    while True:
        pass


def sleeping_forever(told: str) -> Messages:
    """Say that it begins, and sleep without end."""
    yield from bps.null()
    _tell(told)
    time.sleep(1e9)  # noqa: TID251 - the test is about code that sleeps


def holding_the_interpreter(told: str) -> Messages:
    """Say that it begins, and wait in C code that does not let go of the interpreter.

    One call does both: after two, another thread could have its turn in between.
    """
    yield from bps.null()
    more_than_fits = bytes(2**24)
    with Path(told).open("wb", buffering=0) as pipe:
        ctypes.PyDLL(None).write(pipe.fileno(), more_than_fits, ctypes.c_size_t(len(more_than_fits)))
