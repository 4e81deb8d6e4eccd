"""Functions of the end-to-end tests: they wait for the test, fail, print, and return all sorts of things."""

import math
import os
import signal
from pathlib import Path
from typing import Any


def add(first: Any, second: Any = 1) -> Any:
    """Add two things."""
    return first + second


def pass_gate(gate: str) -> str:
    """Say something and wait until the test lets it pass."""
    print("waiting at the gate")  # noqa: T201 - the test looks for it on the console
    with Path(gate).open("rb", buffering=0) as pipe:
        pipe.read(1)
    return "passed"


def fail(message: str) -> None:
    """Fail on purpose."""
    raise ValueError(message)


def give(what: str) -> Any:
    """Return something of each kind."""
    return {"nothing": None, "nan": math.nan, "bytes": b"\xff", "large": 2**70, "object": object(), "list": [1, "a"]}[
        what
    ]


def die() -> None:
    """Kill the environment."""
    os.kill(os.getpid(), signal.SIGKILL)
