"""Edits of the queue and the history, as decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queueserver_manager.domain.changes import Change, Decision, DropAllItems, DropHistory, DropItem, PutItem, SetRank
from queueserver_manager.domain.errors import FieldInvalid, QueueFull
from queueserver_manager.domain.events import HistoryCleared, ItemMoved, ItemRemoved, ItemsAdded, QueueCleared
from queueserver_manager.domain.item import Item
from queueserver_manager.domain.placement import (
    Address,
    Position,
    address_index,
    destination_index,
    insertion_index,
)
from queueserver_manager.domain.record import Record


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an item is now, and how many there are."""

    index: int
    queue_size: int


@dataclass(frozen=True, slots=True)
class Taken:
    """An item that left the queue, and how many are left."""

    item: Item
    queue_size: int


def add_items(record: Record, items: Sequence[Item], position: Position, limit: int) -> Decision[Placed]:
    """Add items next to each other. Raises ItemNotFound, ItemRunning, QueueFull."""
    index, size = insertion_index(record, position), len(record.queue)
    if not items:
        return Decision(Placed(index, size))
    if size + len(items) > limit:
        raise QueueFull(
            f"The queue holds at most {limit} items and has {size}: run or remove some before adding {len(items)} more."
        )
    return Decision(
        Placed(index, size + len(items)),
        put_at(record, items, index),
        [ItemsAdded(tuple(items), index)],
    )


def put_at(record: Record, items: Sequence[Item], index: int) -> list[Change]:
    """Changes that put items in front of the one now at ``index``."""
    ranks, moved = record.queue.ranks_between(index, len(items))
    changes: list[Change] = [SetRank(uid, rank) for uid, rank in moved]
    changes.extend(PutItem(item, rank) for item, rank in zip(items, ranks, strict=True))
    return changes


def remove_item(record: Record, address: Address) -> Decision[Taken]:
    """Take one item out. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
    index = address_index(record, address)
    item = record.queue.at(index)
    return Decision(Taken(item, len(record.queue) - 1), [DropItem(item.uid)], [ItemRemoved(item.uid, index)])


def move_item(record: Record, source: Address, destination: Position) -> Decision[tuple[Item, Placed]]:
    """Move one item. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
    start = address_index(record, source)
    end = destination_index(record, start, destination)
    item, placed = record.queue.at(start), Placed(end, len(record.queue))
    if start == end:
        return Decision((item, placed))
    # The item still occupies its old index: behind it, "in front of the one at end" is one further.
    changes = put_at(record, [item], end + (end > start))
    return Decision((item, placed), changes, [ItemMoved(item.uid, start, end)])


def clear_queue(record: Record) -> Decision[int]:
    """Take all items out; answers how many."""
    size = len(record.queue)
    if not size:
        return Decision(0)
    return Decision(size, [DropAllItems()], [QueueCleared(size)])


def clear_history(record: Record, *, keep_newest: int = 0, up_to_item: str | None = None) -> Decision[int]:
    """Remove old history entries; answers how many. Raises FieldInvalid."""
    history = record.history
    if keep_newest < 0:
        raise FieldInvalid("keep_newest", "must be 0 or more")
    if up_to_item is None:
        before = max(history.first_number, history.next_number - keep_newest)
    else:
        number = history.number_of_item(up_to_item)
        before = history.first_number if number is None else number + 1
    removed = before - history.first_number
    if not removed:
        return Decision(0)
    first_left = before if before < history.next_number else 0
    return Decision(removed, [DropHistory(history.first_number, before)], [HistoryCleared(removed, first_left)])
