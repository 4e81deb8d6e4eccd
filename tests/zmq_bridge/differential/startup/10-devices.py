# Startup code of the comparison, part 1: what both servers have. It is executed by either of them, unchanged.

import asyncio
import os
from pathlib import Path

import bluesky.plan_stubs as bps
import bluesky.plans
from bluesky import RunEngine
from ophyd import Component as Cpt
from ophyd import Device
from ophyd.sim import SynAxis, det1, det2, motor

RE = RunEngine({"facility": "comparison"})
# of what is installed, which is not the same for both
del RE.md["versions"]


class Stage(Device):
    """A device with components."""

    x = Cpt(SynAxis, name="x")
    y = Cpt(SynAxis, name="y")


stage = Stage(name="stage")
_hidden_motor = SynAxis(name="_hidden_motor")
