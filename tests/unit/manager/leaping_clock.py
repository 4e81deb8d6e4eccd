"""An event loop whose clock leaps: when nothing is left to do but wait, the end of the shortest wait has come.

So a test sees how long its subject would have waited, to the digit, and waits for nothing. For subjects that live in
one event loop altogether: what other threads and processes do has no place on this clock.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class _LeapingSelector(selectors.BaseSelector):
    """Never waits; notes how long it should have."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._selector.select(0)
        if timeout is None and not ready:
            raise AssertionError("nothing will ever happen any more")
        if timeout is not None and not ready:
            self.now += max(timeout, 0)
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._selector.get_map()

    def close(self) -> None:
        self._selector.close()


class LeapingLoop(asyncio.SelectorEventLoop):
    """The event loop. Close it."""

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds since the beginning, most of which never passed."""
        return self._leaping.now


def run_leaping(work: Coroutine[Any, Any, T]) -> T:
    """Let ``work`` end in a loop of its own."""
    loop = LeapingLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
