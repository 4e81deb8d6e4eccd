"""Startup code of the chaos tests: a plan that leaves a trace outside the server for all that it does."""

import os
import time
import uuid
from collections.abc import Generator
from typing import Any

import bluesky.plan_stubs as bps

Messages = Generator[Any, Any, Any]

_STEP_SECONDS = 0.01


def _trace(file: str, *words: str) -> None:
    """Append one line with the time, in one write, so that a kill leaves it whole or not at all."""
    pipe = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(pipe, f"{' '.join(words)} {time.time():.3f}\n".encode())
    finally:
        os.close(pipe)


def traced(file: str, label: str, steps: int = 3) -> Messages:
    """Open a run, take some steps and close it; write down when it begins, opens the run, and ends."""
    attempt = uuid.uuid4().hex
    _trace(file, "begin", label, attempt)
    yield from bps.checkpoint()
    run_uid = yield from bps.open_run()
    _trace(file, "run", label, attempt, run_uid)
    for _ in range(steps):
        yield from bps.sleep(_STEP_SECONDS)
        yield from bps.checkpoint()
    yield from bps.close_run()
    _trace(file, "end", label, attempt)
