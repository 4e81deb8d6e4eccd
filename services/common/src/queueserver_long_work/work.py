"""A piece of work in steps, which its caller carries out at once or in time slices (``time_slice.py``)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
#: Yields where a step ends, and returns what came of it.
Work = Generator[None, None, T]


class Steps(Generic[T]):
    """The steps of a piece of work, and then what it returns."""

    result: T

    def __init__(self, work: Work[T]) -> None:
        self._work = work

    def __iter__(self) -> Iterator[None]:
        self.result = yield from self._work


def at_once(work: Work[T]) -> T:
    """What ``work`` returns, without letting other work run meanwhile."""
    steps = Steps(work)
    for _ in steps:
        pass
    return steps.result
