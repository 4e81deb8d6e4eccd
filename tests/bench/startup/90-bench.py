# Startup code of the benchmarks, executed after that of the demo: a plan that tells when it did what.

import sys as _sys
import time as _clock
from collections.abc import Generator as _Generator
from typing import Any as _Any

import bluesky.plan_stubs as _bps
from ophyd.sim import det1 as _det1


def ticking(num: int, pause: float = 0.01) -> _Generator[_Any, _Any, None]:
    """Print the present time and take a reading, in turns, with pauses in which everything sent can arrive."""
    yield from _bps.open_run()
    for _ in range(num):
        _sys.stdout.write(f"tick {_clock.time()!r} tock\n")
        _sys.stdout.flush()
        yield from _bps.sleep(pause)
        yield from _bps.trigger_and_read([_det1])
        yield from _bps.sleep(pause)
    yield from _bps.close_run()


def waiting(pause: float = 0.01) -> _Generator[_Any, _Any, None]:
    """Do nothing until somebody ends it; it can be paused and resumed everywhere."""
    while True:
        yield from _bps.checkpoint()
        yield from _bps.sleep(pause)
