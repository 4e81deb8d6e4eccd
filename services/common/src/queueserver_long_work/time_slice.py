"""Long work in time slices, so that it never blocks other clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

from queueserver_long_work.work import Steps, Work

T = TypeVar("T")

#: Seconds. Not the event loop's clock: that of uvloop stands still during an iteration, and has whole milliseconds.
clock = time.perf_counter


class _NextTurn:
    def __await__(self) -> Generator[None, None, None]:
        yield


def next_turn() -> _NextTurn:
    """When awaited, lets everything else that is ready run once."""
    return _NextTurn()


async def next_turn_after(seconds: float) -> None:
    """When awaited, lets some time pass between two attempts at what does not say when it can be tried again."""
    loop = asyncio.get_running_loop()
    turn: asyncio.Future[None] = loop.create_future()
    handle = loop.call_later(seconds, _come, turn)
    try:
        await turn
    finally:
        handle.cancel()


def _come(turn: asyncio.Future[None]) -> None:
    # uvloop handles its timers before a caller that was cancelled could cancel this one.
    if not turn.done():
        turn.set_result(None)


class TimeSlice:
    """Keeps one piece of long work to time slices of about ``seconds``, whatever its steps cost.

    The event loop gives a call of another client some of its time about eight times before that is answered, and
    each time a slice comes in between: slices are much shorter than what a client may wait.
    """

    def __init__(self, seconds: float = 0.0003) -> None:
        self._seconds = seconds
        self._end = clock() + seconds

    async def yield_if_due(self) -> None:
        """To be awaited after each step: lets other work run if this slice was long enough."""
        if clock() >= self._end:
            await next_turn()
            self._end = clock() + self._seconds


async def in_time_slices(work: Work[T]) -> T:
    """What ``work`` returns; its steps end where it yields."""
    steps, time_slice = Steps(work), TimeSlice()
    for _ in steps:
        await time_slice.yield_if_due()
    return steps.result
