"""What the seed decides: which fault is next, of what, and for how long."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

import psutil  # type: ignore[import-untyped]  # it has no type information

T = TypeVar("T")
#: Carries a fault out and mends it; returns what it was.
Fault = Callable[[], str]

#: Seconds for which something is away or stands still.
_SHORT, _LONG = 0.05, 5.0
_CLOCK = [-86_400.0, -3_600.0, -5.0, 0.0, 5.0, 3_600.0, 86_400.0]


class Chance:
    """Used by the thread that carries the faults out."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated
        self._never = threading.Event()

    def one_of(self, choices: Sequence[T]) -> T:
        """Any of them."""
        return self._random.choice(choices)

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """All of them in any order."""
        return self._random.sample(things, len(things))

    def fault(self, kinds: dict[Fault, int]) -> Fault:
        """A fault, each as likely as its number says."""
        return self._random.choices(list(kinds), list(kinds.values()))[0]

    def pause(self) -> int:
        """For how many events to wait before the next fault."""
        return self.one_of([0, 1, 3, 10, 30])

    def heads(self) -> bool:
        """One way or the other."""
        return self._random.random() < 0.5

    def for_a_while(self, shortest: float = _SHORT, longest: float = _LONG) -> float:
        """Seconds: mostly short, sometimes longer than a lease lasts. Waits for them."""
        seconds: float = shortest * (longest / shortest) ** self._random.random()
        self._never.wait(seconds)
        return seconds

    def clock(self) -> float:
        """Seconds by which a clock is wrong."""
        return self.one_of(_CLOCK)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """SIGSTOP, and SIGCONT afterwards."""
    process = psutil.Process(pid)
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()
