"""What the operations ask of a store. The only implementation is Redis (``store/redis.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from queueserver_manager.domain.changes import Change
from queueserver_manager.domain.events import Announcement, Kind
from queueserver_manager.domain.lock.locking import ClearOrder
from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.domain.storage import Fault, StorageState


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision on its way into the store: its changes, and their events."""

    #: 0 for what is not a change that any watcher is told of.
    revision: int
    changes: Sequence[Change]
    announcements: Sequence[Announcement]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the log as watchers get it: a serialized WatchEvent."""

    revision: int
    kind: Kind
    wire: bytes
    #: How many events of the same change precede it.
    place: int = 0


class StoreDown(Exception):  # noqa: N818 - a state of the world, not a fault in the call
    """The store does not answer, or takes no changes; ``fault`` tells why.

    ``fate_known`` tells whether it is certain that nothing was written.
    """

    def __init__(self, reason: str, *, fate_known: bool, fault: Fault | None = None) -> None:
        super().__init__(reason)
        self.fate_known = fate_known
        self.fault = fault if fault is not None else Fault(StorageState.UNREACHABLE, reason)


class OwnershipLost(Exception):  # noqa: N818 - as above
    """Another Manager has a higher epoch; nothing was written."""


class EventsGone(Exception):  # noqa: N818 - as above
    """The events asked for are no longer kept."""


class LockOrders(Protocol):
    """Orders to clear the lock, which a person with access to the store left there."""

    async def waiting(self) -> Sequence[ClearOrder]:
        """Orders that are there; none if the store does not answer."""

    async def next(self) -> ClearOrder:
        """The oldest order that is not settled, when there is one."""


class Store(Protocol):
    """Loads the record, commits changes to it, and keeps the log of what happened."""

    async def load(self) -> Record:
        """Read everything. Raises StoreDown."""

    async def commit(self, before: Revisions, after: Revisions, entries: Sequence[Entry]) -> None:
        """Write all entries, or none.

        Raises OwnershipLost, StoreDown. Checked in the same step: the epoch is still ours, and the store is at
        ``before.last``.
        """

    async def events_between(self, after: int, up_to: int) -> list[StoredEvent]:
        """Events with ``after`` < revision <= ``up_to``, in order. Raises EventsGone, StoreDown."""

    async def wait_until_up(self) -> None:
        """Return once the store answers again."""
