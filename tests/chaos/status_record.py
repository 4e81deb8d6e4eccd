"""Which status a client was shown, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from queueserver_client import AsyncClient, EventKind, QueueServerError, Snapshot, Status
from queueserver_client.events import StatusChanged

#: Seconds for which the server may be away.
_RECONNECT = 120.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A status, and from when to when it was the newest on a connection that worked: seconds of the wall clock."""

    status: Status
    begin: float
    end: float


class _Interrupted(Exception):  # noqa: N818 - no error
    """The connection broke: from now on nothing is shown."""


class StatusRecord:
    """What one client was shown. Belongs to one event loop."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.status: Status | None = None
        self._begin = 0.0
        self._changed = asyncio.Event()

    async def record(self, address: str) -> None:
        """Watch until cancelled, from the beginning again whenever the connection breaks."""
        async with AsyncClient(address, timeout=_RECONNECT) as client:
            while True:
                try:
                    await self._follow(client)
                except _Interrupted:
                    self._show(None)

    async def until(self, wanted: Callable[[Status], bool]) -> None:
        """Return when a wanted status is shown; for one caller."""
        while self.status is None or not wanted(self.status):
            self._changed.clear()
            await self._changed.wait()

    async def _follow(self, client: AsyncClient) -> None:
        watch = client.watch(
            [EventKind.STATUS],
            reconnect_timeout=_RECONNECT,
            wait_for_server=True,
            on_interruption=_interrupt,
        )
        async with watch:
            async for change in watch:
                if isinstance(change, (StatusChanged, Snapshot)):
                    self._show(change.status)

    def _show(self, status: Status | None) -> None:
        now = time.time()
        if self.status is not None:
            self.shown.append(Shown(self.status, self._begin, now))
        self.status, self._begin = status, now
        self._changed.set()

    def end(self) -> None:
        """What is shown ends now."""
        self._show(None)


def _interrupt(error: QueueServerError) -> None:
    raise _Interrupted from error
