"""Where in the queue: positions for new and moved items, addresses of existing ones.

The rules are those of docs/decisions: for a new item a negative index counts as in Python's ``list.insert`` and
an index beyond an end means that end; the destination of a move is the index the item has afterwards, and an
index out of range is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import ItemNotFound, ItemRunning, PositionOutOfRange


@dataclass(frozen=True, slots=True)
class Front:
    """In front of all others, or the first item."""


@dataclass(frozen=True, slots=True)
class Back:
    """Behind all others, or the last item."""


@dataclass(frozen=True, slots=True)
class AtIndex:
    """By index, negative from the back."""

    index: int


@dataclass(frozen=True, slots=True)
class BeforeItem:
    """In front of another item."""

    uid: str


@dataclass(frozen=True, slots=True)
class AfterItem:
    """Behind another item."""

    uid: str


@dataclass(frozen=True, slots=True)
class ByUid:
    """The item with this uid."""

    uid: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an item is now, and how many there are."""

    index: int
    queue_size: int


Position = Front | Back | AtIndex | BeforeItem | AfterItem
Address = Front | Back | AtIndex | ByUid


def insertion_index(record: Record, position: Position) -> int:
    """Index that a new item gets. Raises ItemNotFound, ItemRunning."""
    size = len(record.queue)
    if isinstance(position, Front):
        return 0
    if isinstance(position, Back):
        return size
    if isinstance(position, AtIndex):
        index = position.index
        return max(0, size + index) if index < 0 else min(index, size)
    if isinstance(position, AfterItem) and record.running is not None and position.uid == record.running.item.uid:
        return 0
    return uid_index(record, position.uid) + isinstance(position, AfterItem)


def destination_index(record: Record, source: int, position: Position) -> int:
    """Index that an item now at ``source`` has after the move.

    Raises ItemNotFound, ItemRunning, PositionOutOfRange.
    """
    size = len(record.queue)
    if isinstance(position, Front):
        return 0
    if isinstance(position, Back):
        return size - 1
    if isinstance(position, AtIndex):
        return checked_index(record, position.index)
    other = uid_index(record, position.uid)
    if other == source:
        return source
    if isinstance(position, BeforeItem):
        return other - (source < other)
    return other + (source > other)


def address_index(record: Record, address: Address) -> int:
    """Index of an existing item. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
    if isinstance(address, ByUid):
        return uid_index(record, address.uid)
    if isinstance(address, AtIndex):
        return checked_index(record, address.index)
    return checked_index(record, 0 if isinstance(address, Front) else -1)


def checked_index(record: Record, index: int) -> int:
    """An index from 0 for one that may be negative. Raises PositionOutOfRange."""
    size = len(record.queue)
    if not size:
        raise PositionOutOfRange("The queue is empty: there is no item to address.")
    if not -size <= index < size:
        raise PositionOutOfRange(f"There is no item at index {index}: the queue has indices {-size} to {size - 1}.")
    return index % size


def uid_index(record: Record, uid: str) -> int:
    """Index of the item with this uid. Raises ItemNotFound, ItemRunning."""
    if record.running is not None and record.running.item.uid == uid:
        raise ItemRunning(f"Item {uid!r} is being executed and no longer in the queue: stop it instead.")
    if uid not in record.queue:
        raise ItemNotFound(f"There is no item {uid!r} in the queue: list the queue to see which exist.")
    return record.queue.index_of(uid)
