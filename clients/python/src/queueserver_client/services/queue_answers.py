"""Results of the methods of ``client.queue``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queueserver_client.models.items import Item, RunningItem


@dataclass(frozen=True)
class QueuePage:
    """A part of the queue."""

    items: Sequence[Item]
    #: Token of the next page; empty on the last page.
    next_page_token: str
    #: Items in the whole queue.
    queue_size: int
    running_item: RunningItem | None
    revision: int
    #: Change marker of the queue, as in Status.
    plan_queue_uid: str


@dataclass(frozen=True)
class Removed:
    """An item that was taken out of the queue."""

    item: Item
    #: Items left in the queue.
    queue_size: int
    #: Revision of the change.
    revision: int


@dataclass(frozen=True)
class RemovedBatch:
    """Items that were taken out of the queue."""

    #: Those that were, in the order of the request; the first of them, if all would have more than 1 MiB.
    items: Sequence[Item]
    #: Items left in the queue.
    queue_size: int
    #: Revision of the change, or the present one if nothing had to change.
    revision: int
    #: How many were removed.
    removed: int


@dataclass(frozen=True)
class Moved:
    """An item that may have changed its place."""

    item: Item
    #: Its index now.
    index: int
    queue_size: int
    #: Revision of the change, or the present one if nothing had to change.
    revision: int


@dataclass(frozen=True)
class MovedBatch:
    """Items that are next to each other now."""

    #: In their order now.
    items: Sequence[Item]
    #: Index of the first one now.
    index: int
    queue_size: int
    #: Revision of the change, or the present one if nothing had to change.
    revision: int
