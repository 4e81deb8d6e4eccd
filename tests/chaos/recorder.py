"""A watch that is resumed through everything that happens, and what it saw."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from queueserver_client import AsyncClient, Event, EventKind, QueueView, Snapshot, Status
from queueserver_client.events import HistoryAdded, StatusChanged
from queueserver_client.models.items import HistoryEntry

KINDS = (EventKind.STATUS, EventKind.QUEUE, EventKind.HISTORY)
#: Seconds for which the server may be away: longer than any fault.
_RECONNECT = 120.0


class Progress:
    """How many events there were, for a thread that waits for more of them."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    def advance(self) -> None:
        """One more."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_for(self, more: int, within: float) -> bool:
        """Wait for ``more`` events; whether they came in time."""
        with self._changed:
            wanted = self._count + more
            return self._changed.wait_for(lambda: self._count >= wanted, within)


class Recorder:
    """What one watch saw from the beginning on."""

    def __init__(self, progress: Progress, item_ended: Callable[[str], None]) -> None:
        self._progress = progress
        self._item_ended = item_ended
        self.view = QueueView()
        self.history: list[HistoryEntry] = []
        self.status: Status | None = None
        #: Why the watch could not show everything in order; empty if it did.
        self.faults: list[str] = []
        #: It sees everything that happens from now on.
        self.begun = asyncio.Event()
        self._revision = 0

    @property
    def revision(self) -> int:
        """That of the last change that was seen."""
        return self._revision

    async def record(self, address: str) -> None:
        """Watch until cancelled."""
        async with AsyncClient(address, timeout=_RECONNECT) as client:
            watch = client.watch(list(KINDS), reconnect_timeout=_RECONNECT, wait_for_server=True)
            async with watch:
                async for change in watch:
                    self._take(change)

    def _take(self, change: Event | Snapshot) -> None:
        if isinstance(change, Snapshot):
            self._begin(change)
            return
        self.view.apply(change)
        if isinstance(change, StatusChanged):
            self.status = change.status
            return
        if change.revision < self._revision:
            self.faults.append(f"revision {change.revision} came after {self._revision}")
        self._revision = change.revision
        if isinstance(change, HistoryAdded):
            self.history.append(change.entry)
            self._item_ended(change.entry.item.uid)
        self._progress.advance()

    def _begin(self, snapshot: Snapshot) -> None:
        if snapshot.restarted or self._revision:
            self.faults.append(f"the watch began again at revision {snapshot.revision} after {self._revision}")
        self.view = QueueView.from_snapshot(snapshot)
        self.status = snapshot.status
        self._revision = snapshot.revision
        self.begun.set()
