# ruff: noqa: F821 - names that are not defined here come from the files that were executed before this one
# Demo startup code of the queue server, part 2: plans. Every generator function of the namespace is a plan that can
# be put into the queue, so the standard plans of bluesky only have to be imported.

from collections.abc import Sequence
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.plan_stubs import mv, mvr, sleep
from bluesky.plans import (
    adaptive_scan,
    count,
    fly,
    grid_scan,
    inner_product_scan,
    list_grid_scan,
    list_scan,
    log_scan,
    ramp_plan,
    rel_adaptive_scan,
    rel_grid_scan,
    rel_list_grid_scan,
    rel_list_scan,
    rel_log_scan,
    rel_scan,
    rel_spiral,
    rel_spiral_fermat,
    rel_spiral_square,
    relative_inner_product_scan,
    scan,
    scan_nd,
    spiral,
    spiral_fermat,
    spiral_square,
    tune_centroid,
    tweak,
    x2x_scan,
)
from bluesky.protocols import Movable, Readable


def measure_sample(
    detectors: Sequence[Readable],
    motor: Movable,
    start: float,
    stop: float,
    num: int = 5,
    *,
    sample: str = "unknown",
    md: dict[str, Any] | None = None,
):
    """Scan a motor across a sample and read detectors at each point.

    Parameters
    ----------
    detectors : list of devices
        Detectors to read.
    motor : device
        Motor to move.
    start, stop : float
        First and last position.
    num : int
        Number of points, ends included.
    sample : str
        Name of the sample, for the metadata.
    md : dict
        More metadata for the run.
    """
    yield from scan(detectors, motor, start, stop, num, md={"sample": sample, **(md or {})})


def move_then_count(
    motors: Sequence[Movable] = (),
    detectors: Sequence[Readable] = (),
    positions: Sequence[float] = (),
    num: int = 1,
):
    """Move each motor to its position, then count.

    Parameters
    ----------
    motors : list of devices
        Motors to move, all at once.
    detectors : list of devices
        Detectors to read; det1 and det2 if the list is empty.
    positions : list of float
        One position for each motor.
    num : int
        Number of readings.
    """
    if len(motors) != len(positions):
        raise ValueError(
            f"Give one position for each motor: there are {len(motors)} motors, {len(positions)} positions."
        )
    pairs = [part for pair in zip(motors, positions, strict=True) for part in pair]
    if pairs:
        yield from mv(*pairs)
    yield from count(list(detectors) or [det1, det2], num)


def count_bundle_test(detectors: Sequence[Readable] = (), num: int = 1, delay: float = 0.0):
    """Count detectors of the simulated bundles, which have dotted names such as sim_bundle_A.dets.det_A.

    Parameters
    ----------
    detectors : list of devices
        What to read; det1 and one detector of each bundle if the list is empty.
    num : int
        Number of readings.
    delay : float
        Seconds between two readings.
    """
    chosen = list(detectors) or [det1, sim_bundle_A.dets.det_A, sim_bundle_B.dets.det_B]
    yield from count(chosen, num, delay)


def marked_up_count(detectors: list[Readable], num: int = 1, delay: float = 0.0, md: dict[str, Any] | None = None):
    """Count, with everything about the parameters written down.

    Parameters
    ----------
    detectors : list of devices
        Detectors to read.
    num : int
        Number of readings.
    delay : float
        Seconds between two readings.
    md : dict
        Metadata for the run.
    """
    yield from count(detectors, num, delay, md=md)


def sim_multirun_plan_nested(npts: int = 3, delay: float = 0.0):
    """Open a run inside a run: two runs are open at the same time.

    Parameters
    ----------
    npts : int
        Number of readings in each run.
    delay : float
        Seconds before each reading.
    """

    @bpp.set_run_key_decorator("inner")
    @bpp.run_decorator(md={"plan_name": "sim_multirun_plan_nested", "role": "inner"})
    def inner():
        for _ in range(npts):
            yield from sleep(delay)
            yield from bps.trigger_and_read([motor1, det2])

    @bpp.set_run_key_decorator("outer")
    @bpp.run_decorator(md={"plan_name": "sim_multirun_plan_nested", "role": "outer"})
    def outer():
        for _ in range(npts):
            yield from sleep(delay)
            yield from bps.trigger_and_read([motor, det])
        yield from inner()

    yield from outer()


def plan_test_progress_bars(n: int = 1):
    """Move two slow motors together, n times, to have something to watch.

    Parameters
    ----------
    n : int
        How often to move there and back.
    """
    slow1 = SynAxis(name="slow1", delay=0.2)
    slow2 = SynAxis(name="slow2", delay=0.3)
    for _ in range(n):
        yield from mv(slow1, 1, slow2, 1)
        yield from mv(slow1, 0, slow2, 0)


def failing_plan(detector: Readable = det1, motor: Movable = motor1, position: float = 1.0):
    """Fail on purpose: move, take one reading, then raise an error.

    Parameters
    ----------
    detector : device
        Detector to read.
    motor : device
        Motor to move.
    position : float
        Where to move it.
    """

    @bpp.run_decorator(md={"plan_name": "failing_plan"})
    def inner():
        yield from mv(motor, position)
        yield from bps.trigger_and_read([detector, motor])
        raise RuntimeError(
            f"The shutter did not open while {motor.name} was at {position}. "
            "Nothing is broken: this plan fails on purpose, to show what a failure looks like."
        )

    yield from inner()
