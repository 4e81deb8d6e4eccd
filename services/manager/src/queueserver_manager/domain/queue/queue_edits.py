"""Edits of the queue and the history, as decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from queueserver_long_work.work import at_once

from queueserver_manager.domain.changes import (
    Change,
    Decision,
    DropAllItems,
    DropHistory,
    DropItem,
    PutItem,
    SetAutostart,
    SetMode,
)
from queueserver_manager.domain.events import (
    AutostartChanged,
    Event,
    HistoryCleared,
    ItemMoved,
    ItemRemoved,
    ItemUpdated,
    QueueCleared,
    QueueModeChanged,
)
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue.batches import add_batch, put_batch_at, require_room
from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.queue.placement import (
    Address,
    Placed,
    Position,
    address_index,
    destination_index,
    uid_index,
)
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid, ItemNotFound


@dataclass(frozen=True, slots=True)
class Taken:
    """An item that left the queue, and how many are left."""

    item: Item
    queue_size: int


def add_items(record: Record, items: Sequence[Item], position: Position, bound: Bound) -> Decision[Placed]:
    """Add a few items next to each other. Raises ItemNotFound, ItemRunning, QueueFull."""
    return at_once(add_batch(record, [items] if items else [], position, bound))


def put_at(record: Record, items: Sequence[Item], index: int) -> list[Change]:
    """Changes that put a few items in front of the one now at ``index``."""
    return at_once(put_batch_at(record, items, index))


def remove_item(record: Record, address: Address) -> Decision[Taken]:
    """Take one item out. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
    index = address_index(record, address)
    item = record.queue.at(index)
    return Decision(Taken(item, len(record.queue) - 1), [DropItem(item.uid)], [ItemRemoved(item.uid, index)])


def update_item(record: Record, uid: str, item: Item, bound: Bound) -> Decision[tuple[Item, Placed]]:
    """Replace an item by another one at the same place, which is the same attempt.

    Raises ItemNotFound, ItemRunning, QueueFull.
    """
    index = uid_index(record, uid)
    old, placed = record.queue.at(index), Placed(index, len(record.queue))
    item = item.in_place_of(old)
    if item.uid == uid and same_content(old, item):
        return Decision((old, placed))
    require_room(record, bound, 0, item.size - old.size)
    changes: list[Change] = [PutItem(item, record.queue.rank_of(uid))]
    if item.uid != uid:
        changes.insert(0, DropItem(uid))
    return Decision((item, placed), changes, [ItemUpdated(uid, item, index)])


def same_content(old: Item, new: Item) -> bool:
    """Whether an update would change nothing that a client can see."""
    if old.held or replace(new, created=old.created) != old:
        return False
    # Python holds 1, 1.0 and True for equal; JSON, and the plan, do not.
    parts = ((old.args, new.args), (old.kwargs, new.kwargs), (old.meta, new.meta), (old.properties, new.properties))
    return all(_same_types(one, other) for one, other in parts)


def _same_types(one: Any, other: Any) -> bool:
    """Whether two equal values have the same types, at every depth."""
    if isinstance(one, dict):
        return all(_same_types(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return all(map(_same_types, one, other))
    return type(one) is type(other)


def set_mode(record: Record, mode: QueueMode) -> Decision[QueueMode]:
    """Change how ended items are treated."""
    if mode == record.mode:
        return Decision(mode)
    return Decision(mode, [SetMode(mode)], [QueueModeChanged(mode)])


def set_autostart(record: Record, *, enabled: bool) -> Decision[None]:
    """Switch autostart on or off."""
    if enabled == record.autostart:
        return Decision(None)
    return Decision(None, [SetAutostart(enabled)], [AutostartChanged(enabled)])


def move_item(record: Record, source: Address, destination: Position) -> Decision[tuple[Item, Placed]]:
    """Move one item. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
    start = address_index(record, source)
    end = destination_index(record, start, destination)
    item, placed = record.queue.at(start), Placed(end, len(record.queue))
    if start == end:
        return Decision((item, placed))
    # The item still occupies its old index: behind it, "in front of the one at end" is one further.
    moved = item.released()
    events: list[Event] = [ItemMoved(item.uid, start, end)]
    if item.held:
        events.append(ItemUpdated(item.uid, moved, end))
    return Decision((moved, placed), put_at(record, [moved], end + (end > start)), events)


def clear_queue(record: Record) -> Decision[int]:
    """Take all items out; returns how many."""
    size = len(record.queue)
    if not size:
        return Decision(0)
    return Decision(size, [DropAllItems()], [QueueCleared(size)])


def clear_history(record: Record, *, keep_newest: int = 0, up_to_item: str | None = None) -> Decision[int]:
    """Remove old history entries; returns how many. Raises FieldInvalid, ItemNotFound."""
    history = record.history
    if keep_newest < 0:
        raise FieldInvalid("keep_newest", "must be 0 or more")
    if up_to_item is None:
        before = max(history.first_number, history.next_number - keep_newest)
    else:
        number = history.number_of_item(up_to_item)
        if number is None:
            raise ItemNotFound(
                f"The history has no entry of the item {up_to_item[:100]!r}: list the history to see which exist."
            )
        before = number + 1
    removed = before - history.first_number
    if not removed:
        return Decision(0)
    first_left = before if before < history.next_number else 0
    return Decision(removed, [DropHistory(history.first_number, before)], [HistoryCleared(removed, first_left)])
