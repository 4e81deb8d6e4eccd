"""Time limits that count only time in which this process could do anything.

A process that waits for another one must not take its own standstill for the other's death: while the event loop is
blocked, or the process is stopped, an answer that came long ago can't be seen.

Guarantees: the limit is never reached before its time, and not before several iterations of the loop since the
wait began. Does not guarantee that it is reached soon after its time in a process that stands still repeatedly.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

#: However long the loop stood still, only one of so many parts of the time has passed.
_PARTS = 5


class Patience:
    """Calls ``on_end`` when nothing ends or renews it for so many seconds."""

    def __init__(self, seconds: float, on_end: Callable[[], object]) -> None:
        self._part = seconds / _PARTS
        self._on_end = on_end
        self._left = _PARTS
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(self._part, self._pass)
        #: The limit was reached.
        self.is_over = False

    def renew(self) -> None:
        """Begin again with the whole time, or a little more."""
        self._left = _PARTS + 1

    def stop(self) -> None:
        """There is nothing to wait for any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass(self) -> None:
        self._left -= 1
        if self._left > 0:
            self._timer = self._loop.call_later(self._part, self._pass)
            return
        self._timer = None
        self.is_over = True
        self._on_end()


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Bound what is awaited inside. Raises asyncio.TimeoutError."""
    task: Any = asyncio.current_task()
    if task is None:
        raise RuntimeError("only a task can be bounded")
    patience = Patience(seconds, task.cancel)
    others = task.cancelling() if sys.version_info >= (3, 11) else 0
    try:
        yield
    except asyncio.CancelledError:
        # Of several callers that cancelled at the same time, the others count, where Python tells.
        left = task.uncancel() if patience.is_over and sys.version_info >= (3, 11) else 0
        if patience.is_over and left <= others:
            raise asyncio.TimeoutError from None
        raise
    finally:
        patience.stop()
