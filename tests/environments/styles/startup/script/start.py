"""A plain script: a RunEngine, two devices, two plans."""

from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky.callbacks.best_effort import BestEffortCallback
from bluesky.plans import count
from ophyd.sim import det, motor

RE = RunEngine({})
RE.subscribe(BestEffortCallback())


def sweep(start: float = -1.0, stop: float = 1.0):
    """Read the detector at two positions."""
    yield from bps.open_run()
    for position in (start, stop):
        yield from bps.mv(motor, position)
        yield from bps.trigger_and_read([det, motor])
    yield from bps.close_run()


if __name__ == "__main__":
    print("Ready for", det.name, "and", motor.name)
