"""What tests wait for, said once: conditions on the events of a Watch."""

from __future__ import annotations

from collections.abc import Callable

from queueserver_client import (
    DocumentEmitted,
    Event,
    HistoryAdded,
    ItemAdded,
    ItemStarted,
    QueueStopped,
    Snapshot,
    Status,
    StatusChanged,
)

Condition = Callable[["Event | Snapshot"], bool]


def document(name: str) -> Condition:
    """A run document of this kind."""
    return lambda event: isinstance(event, DocumentEmitted) and event.document.name == name


def status(wanted: Callable[[Status], bool]) -> Condition:
    """A status that fulfils ``wanted``, as news or in the snapshot."""

    def fits(event: Event | Snapshot) -> bool:
        if isinstance(event, Snapshot):
            return event.status is not None and wanted(event.status)
        return isinstance(event, StatusChanged) and wanted(event.status)

    return fits


def added(uid: str) -> Condition:
    """The item entered the queue."""
    return lambda event: isinstance(event, ItemAdded) and event.item.uid == uid


def started(uid: str) -> Condition:
    """The item is being executed."""
    return lambda event: isinstance(event, ItemStarted) and event.running_item.item.uid == uid


def in_history(uid: str) -> Condition:
    """The item has ended."""
    return lambda event: isinstance(event, HistoryAdded) and event.entry.item.uid == uid


def queue_stopped(event: Event | Snapshot) -> bool:
    """The queue has stopped."""
    return isinstance(event, QueueStopped)
