"""Limits of time that count only time in which this process could do anything.

Who waits for another process must not take its own standing still for the other's death: while the event loop is held
up, or the process is stopped, an answer that came long ago can't be seen.

Guarantees: the limit is never reached before its time, and not before the loop has gone around several times since the
wait began. Does not guarantee that it is reached soon after its time in a process that stands still again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

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
        #: It has come to its end.
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
