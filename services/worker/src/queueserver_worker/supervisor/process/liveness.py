"""Whether the environment sends heartbeats.

Guarantees: silence of `patience` seconds is reported once, and so is the first heartbeat after it. A heartbeat
costs no more than reading the clock: the timer checks the time when it fires and continues if it must.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Liveness:
    """Watches for silence between :meth:`start` and :meth:`stop`."""

    def __init__(self, patience: float, on_change: Callable[[bool], None]) -> None:
        self._patience = patience
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._last_heartbeat = 0.0
        self._silent = False

    def start(self) -> None:
        """Begin to expect heartbeats."""
        self.stop()
        self._silent = False
        self._last_heartbeat = self._loop.time()
        self._timer = self._loop.call_later(self._patience, self._look)

    def stop(self) -> None:
        """Expect none any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heartbeat(self) -> None:
        """Note a heartbeat."""
        self._last_heartbeat = self._loop.time()
        if self._silent:
            self._silent = False
            self._timer = self._loop.call_later(self._patience, self._look)
            self._on_change(True)

    def _look(self) -> None:
        left = self._last_heartbeat + self._patience - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._timer = None
            self._silent = True
            self._on_change(False)
