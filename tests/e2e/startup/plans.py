"""Startup code of the end-to-end tests: plans that wait for the test, and documents with everything in them.

It imports little, so that an environment opens fast.
"""

import asyncio
import ctypes
import math
import os
import signal
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
from bluesky.plans import count
from bluesky.protocols import Readable
from numpy.typing import NDArray

Messages = Generator[Any, Any, Any]


class Reader:
    """A detector whose readings are given."""

    parent = None

    def __init__(self, name: str, readings: dict[str, Any] | None = None) -> None:
        self.name = name
        self.readings = readings or {name: 1.0}

    def read(self) -> dict[str, Any]:
        return {key: {"value": value, "timestamp": time.time()} for key, value in self.readings.items()}

    def describe(self) -> dict[str, Any]:
        return {key: {"source": "test", "dtype": "number", "shape": []} for key in self.readings}

    def read_configuration(self) -> dict[str, Any]:
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        return {}


det1 = Reader("det1")
det2 = Reader("det2")
strange = Reader(
    "strange",
    {
        "nan": math.nan,
        "infinity": -math.inf,
        "largest": 2**63 - 1,
        "smallest": -(2**63),
        "beyond": 2**70,
        "image": np.arange(1_000_000, dtype=np.float64).reshape(1000, 1000) / 3,
        "bytes": b"\x00\xff\xfe raw",
        "text": "Å\x00µ",
        "whole_float": 2.0,
    },
)


def nothing() -> Messages:
    """Do nothing."""
    yield from bps.null()


def one_run(label: str = "") -> Messages:
    """Open a run and close it."""
    yield from bps.open_run(md={"label": label})
    yield from bps.close_run()


def broken() -> Messages:
    """Open a run and fail."""
    yield from bps.open_run()
    raise RuntimeError("the shutter is stuck")


def wait_at(gate: str) -> Messages:
    """Wait until the test opens a gate: writes a byte into a named pipe. An abort ends the wait."""

    async def opened() -> None:
        pipe = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(pipe, readable.set)
        try:
            await readable.wait()
            os.read(pipe, 1)
        finally:
            loop.remove_reader(pipe)
            os.close(pipe)

    yield from bps.wait_for([opened])


@bpp.run_decorator()
def gated_run(gate: str) -> Messages:
    """Open a run, take a reading, wait for the test, take another, close the run."""
    yield from bps.trigger_and_read([det1])
    yield from wait_at(gate)
    yield from bps.trigger_and_read([det1])


def gated_run_then_tell(gate: str, told: str) -> Messages:
    """As gated_run, and say in another named pipe that it is over."""
    yield from gated_run(gate)
    tell(told)


def tell(told: str) -> None:
    """Write a byte into a named pipe, for the test to read."""
    with Path(told).open("wb", buffering=0) as pipe:
        pipe.write(b".")


@bpp.run_decorator()
def gated_rows(gate: str, rows: int) -> Messages:
    """Print a line and take a reading each time the test says so."""
    for row in range(rows):
        yield from wait_at(gate)
        print(f"row {row}", flush=True)  # noqa: T201 - what a plan prints is what the test watches
        yield from bps.trigger_and_read([det1])


def gated_scan(gate: str, num: int) -> Messages:
    """Scan one axis: take the next point, and print that, each time the test says so."""
    axis = Reader("axis")
    yield from bps.open_run(md={"num_points": num, "hints": {"dimensions": [(["axis"], "primary")]}})
    for point in range(num):
        yield from wait_at(gate)
        axis.readings["axis"] = float(point)
        yield from bps.trigger_and_read([det1, axis])
        print(f"point {point + 1} is taken", flush=True)  # noqa: T201 - as above
    yield from bps.close_run()


def rows_after(gate: str, rows: int, told: str = "") -> Messages:
    """Wait for the test, then print lines and take readings without a rest, and say when it is over."""
    yield from bps.open_run()
    yield from wait_at(gate)
    for row in range(rows):
        print(f"row {row}")  # noqa: T201 - as above
        yield from bps.trigger_and_read([det1])
    yield from bps.close_run()
    print("the last line")  # noqa: T201 - as above
    if told:
        tell(told)


def many_runs(gate: str, runs: int) -> Messages:
    """Wait for the test, then open runs and close them without a rest."""
    yield from wait_at(gate)
    for _ in range(runs):
        yield from bps.open_run()
        yield from bps.close_run()


def print_rows_after(gate: str, rows: int, told: str = "") -> int:
    """As rows_after, without readings: a function for a task. Says first that it waits."""
    print("waiting at the gate")  # noqa: T201 - as above
    with Path(gate).open("rb", buffering=0) as pipe:
        pipe.read(1)
    for row in range(rows):
        print(f"row {row}")  # noqa: T201 - as above
    print("the last line")  # noqa: T201 - as above
    if told:
        tell(told)
    return rows


def read_once(detectors: Sequence[Readable], *, times: int = 1, scale: float = 1.0) -> Messages:
    """Read detectors: a plan with types.

    Parameters
    ----------
    detectors : list
        All that is read.

        At the same time.
    """
    del scale
    yield from count(list(detectors), times)


def read_array(numbers: NDArray[np.float64]) -> Messages:
    """Take an array of numbers."""
    yield from bps.sleep(0 * numbers.size)


def tell_types(*args: Any, **kwargs: Any) -> Messages:
    """Put the Python form of each argument into the metadata of a run."""
    told = {"args": [repr(arg) for arg in args], "kwargs": {name: repr(value) for name, value in kwargs.items()}}
    yield from bps.open_run(md={"told": told})
    yield from bps.close_run()


def tell_number(num: float) -> Messages:
    """Say which type a parameter called num has."""
    yield from bps.open_run(md={"told": f"{type(num).__name__} {num!r}"})
    yield from bps.close_run()


def crash() -> Messages:
    """Write to the console as a C library does, then end the process as a C library does."""
    yield from bps.open_run()
    ctypes.CDLL(None).write(1, b"the C library says goodbye\n", 27)
    os.kill(os.getpid(), signal.SIGSEGV)
    yield from bps.null()


def long_documents(start: int, readings: Sequence[Sequence[int]], gate: str) -> Messages:
    """Emit documents of any length: so many bytes in the start document, and in each value of each reading."""
    yield from bps.open_run(md={"filling": "x" * start})
    for number, sizes in enumerate(readings):
        values = {f"value {index}": b"x" * size for index, size in enumerate(sizes)}
        yield from bps.create(f"stream {number}")
        yield from bps.read(Reader("long", values))
        yield from bps.save()
    yield from wait_at(gate)
    yield from bps.close_run()


def take_anything(*args: Any, **kwargs: Any) -> Messages:
    """Do nothing with whatever is given."""
    del args, kwargs
    yield from bps.null()
