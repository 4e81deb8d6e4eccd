"""Startup code as large as that of the largest beamlines: 2,000 devices and 300 plans in numbered files.

Everything is simulated. The mix is that of a beamline: mostly motors and stages of motors, detectors with settings,
and some ophyd-async devices; plans with hints and docstrings, every third one with the decorator.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

DEVICES = 2000
PLANS = 300
_DEVICES_PER_FILE = 100
_PLANS_PER_FILE = 20

_BASE = '''
import asyncio
from collections.abc import Sequence
from typing import Any, Literal, Optional

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
from bluesky.protocols import Movable, Readable
from ophyd import Component as Cpt, Device, Kind, Signal
from ophyd.sim import SynAxis, SynSignal
from ophyd_async.core import StandardReadable, soft_signal_rw

try:
    from bluesky_queueserver import parameter_annotation_decorator
except ImportError:
    def parameter_annotation_decorator(annotation):
        """Plain Python has none."""
        return lambda plan: plan


class Stage(Device):
    """Three motors."""
    x = Cpt(SynAxis, name="x")
    y = Cpt(SynAxis, name="y")
    z = Cpt(SynAxis, name="z")


class Slits(Device):
    """Four blades and what they make."""
    top = Cpt(SynAxis, name="top")
    bottom = Cpt(SynAxis, name="bottom")
    inboard = Cpt(SynAxis, name="inboard")
    outboard = Cpt(SynAxis, name="outboard")
    gap = Cpt(Signal, value=1.0, kind=Kind.config)


class Channel(Device):
    """One channel of a detector."""
    counts = Cpt(Signal, value=0.0)
    low = Cpt(Signal, value=0.0, kind=Kind.config)
    high = Cpt(Signal, value=1.0, kind=Kind.config)


class Detector(Device):
    """A detector with four channels and some settings."""
    first = Cpt(Channel)
    second = Cpt(Channel)
    third = Cpt(Channel)
    fourth = Cpt(Channel)
    exposure = Cpt(Signal, value=0.1, kind=Kind.config)
    gain = Cpt(Signal, value=1, kind=Kind.config)


class Sample(StandardReadable):
    """An ophyd-async device."""

    def __init__(self, name: str = "") -> None:
        with self.add_children_as_readables():
            self.temperature = soft_signal_rw(float, 295.0)
            self.position = soft_signal_rw(float, 0.0)
        super().__init__(name=name)


def make(cls, name):
    """Make a device and give it to everybody under its name."""
    globals()[name] = cls(name=name)
'''

_PLAN = '''
def {name}(
    detectors: Sequence[Readable],
    motor: Movable,
    start: float = -1.0,
    stop: float = 1.0,
    num: int = 5,
    *,
    mode: Literal["fast", "slow"] = "fast",
    offsets: Optional[list[float]] = None,
    md: dict[str, Any] | None = None,
):
    """Scan number {number} of the beamline.

    Parameters
    ----------
    detectors : list of devices
        What is read at each point.
    motor : device
        What is moved.
    start, stop : float
        First and last position.
    num : int
        Number of points.
    mode : str
        How the detectors count.
    offsets : list of float
        Offsets of the points.
    md : dict
        Metadata of the run.
    """
    yield from bp.scan(detectors, motor, start, stop, num, md=md)
'''

_DECORATOR = """
@parameter_annotation_decorator({{
    "description": "Scan number {number}, described by its author.",
    "parameters": {{
        "detectors": {{"annotation": "typing.Sequence[Dets]", "devices": {{"Dets": [":^detector_0:?first", "det1"]}}}},
        "motor": {{"annotation": "Motors", "devices": {{"Motors": ["__MOTOR__:^axis_1", ":^stage_00"]}}}},
        "start": {{"min": -10, "max": 10, "step": 0.1}},
        "mode": {{"annotation": "Mode", "enums": {{"Mode": ["fast", "slow"]}}}},
    }},
}})"""

#: Class, begin of the names, and how many of each hundred devices are of it.
_MIX = (("SynAxis", "axis", 55), ("Stage", "stage", 15), ("Slits", "slits", 5), ("Detector", "detector", 10))
_REST = (("SynSignal", "signal", 10), ("Sample", "sample", 5))


def write_big_profile(folder: Path, devices: int = DEVICES, plans: int = PLANS) -> None:
    """Write the files into a folder."""
    (folder / "00-base.py").write_text(_BASE)
    names = list(_device_lines(devices))
    for number, begin in enumerate(range(0, devices, _DEVICES_PER_FILE)):
        (folder / f"1{number:02d}-devices.py").write_text("".join(names[begin : begin + _DEVICES_PER_FILE]))
    for number, begin in enumerate(range(0, plans, _PLANS_PER_FILE)):
        text = "".join(_plan(each) for each in range(begin, min(begin + _PLANS_PER_FILE, plans)))
        (folder / f"2{number:02d}-plans.py").write_text(text)


def _device_lines(devices: int) -> Iterator[str]:
    kinds = [(cls, name) for cls, name, share in (*_MIX, *_REST) for _ in range(share)]
    for number in range(devices):
        cls, name = kinds[number * 37 % len(kinds)]
        yield f"make({cls}, '{name}_{number:04d}')\n"


def _plan(number: int) -> str:
    decorator = _DECORATOR.format(number=number) if number % 3 == 0 else ""
    return decorator + _PLAN.format(name=f"plan_{number:03d}", number=number)
