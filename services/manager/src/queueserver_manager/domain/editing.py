"""Edits of the queue and the history, as decisions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sortedcontainers import SortedList

from queueserver_manager.domain.changes import (
    Change,
    Decision,
    DropAllItems,
    DropHistory,
    DropItem,
    PutItem,
    SetAutostart,
    SetMode,
    SetRank,
)
from queueserver_manager.domain.errors import (
    BatchRefused,
    FieldInvalid,
    ItemNotFound,
    ItemRepeated,
    ItemRunning,
    QueueFull,
    Refused,
    RefusedItem,
    Violation,
)
from queueserver_manager.domain.events import (
    AutostartChanged,
    Event,
    HistoryCleared,
    ItemMoved,
    ItemRemoved,
    ItemsAdded,
    ItemsMoved,
    ItemUpdated,
    QueueCleared,
    QueueModeChanged,
)
from queueserver_manager.domain.item import Item
from queueserver_manager.domain.mode import QueueMode
from queueserver_manager.domain.placement import (
    Address,
    AfterItem,
    AtIndex,
    BeforeItem,
    Front,
    Position,
    address_index,
    destination_index,
    insertion_index,
    uid_index,
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


def remove_items(record: Record, uids: Sequence[str], *, strict: bool) -> Decision[tuple[list[Item], int]]:
    """Take several items out; answers them and how many are left. Raises BatchRefused if strict."""
    refused = _unusable(record, uids)
    if strict and refused:
        raise BatchRefused(refused, len(uids))
    bad = {item.index for item in refused}
    wanted = [uid for position, uid in enumerate(uids) if position not in bad]
    items = [item for uid in wanted if (item := record.queue.get(uid)) is not None]
    # Each event has the index at its own moment: what was taken out before it is gone.
    indices = {uid: record.queue.index_of(uid) for uid in wanted}
    gone: SortedList[int] = SortedList()
    events = []
    for uid in wanted:
        events.append(ItemRemoved(uid, indices[uid] - gone.bisect_left(indices[uid])))
        gone.add(indices[uid])
    return Decision((items, len(record.queue) - len(items)), [DropItem(uid) for uid in wanted], events)


def _unusable(record: Record, uids: Sequence[str]) -> list[RefusedItem]:
    """Which of the uids name no item of the queue, or one that was named before."""
    refused: list[RefusedItem] = []
    seen: set[str] = set()
    for position, uid in enumerate(uids):
        found = _problem(record, uid, repeated=uid in seen)
        seen.add(uid)
        if found is not None:
            kind, problem = found
            field = f"item_uids[{position}]"
            refused.append(RefusedItem(position, kind(f"{field}: {problem}.", violations=[Violation(field, problem)])))
    return refused


def _problem(record: Record, uid: str, *, repeated: bool) -> tuple[type[Refused], str] | None:
    if repeated:
        return ItemRepeated, "is repeated: name each item once"
    if uid in record.queue:
        return None
    if record.running is not None and record.running.item.uid == uid:
        return ItemRunning, "is being executed and no longer in the queue: leave it out"
    return ItemNotFound, "is not in the queue: leave it out"


def move_items(
    record: Record, uids: Sequence[str], destination: Position, *, keep_queue_order: bool
) -> Decision[tuple[list[Item], Placed]]:
    """Move several items next to each other. Raises BatchRefused, FieldInvalid, ItemNotFound, ItemRunning."""
    refused = _unusable(record, uids)
    if refused:
        raise BatchRefused(refused, len(uids))
    batch, queue, size = set(uids), record.queue, len(record.queue)
    if isinstance(destination, AtIndex):
        raise FieldInvalid("destination", "a batch goes to the front, the back, or next to an item: give one of these")
    if isinstance(destination, (BeforeItem, AfterItem)):
        if destination.uid in batch:
            raise FieldInvalid("destination", "is an item of the batch: name one that is not moved")
        gap = uid_index(record, destination.uid) + isinstance(destination, AfterItem)
    else:
        gap = 0 if isinstance(destination, Front) else size
    indices = {uid: queue.index_of(uid) for uid in uids}
    ordered = sorted(uids, key=indices.__getitem__) if keep_queue_order else list(uids)
    # Once the batch is out, everything behind its members moves up.
    first = gap - sum(index < gap for index in indices.values())
    items = [item for uid in ordered if (item := queue.get(uid)) is not None]
    placed = Placed(first, size)
    if [indices[uid] for uid in ordered] == list(range(first, first + len(ordered))):
        return Decision((items, placed))
    moved = [item.released() for item in items]
    events: list[Event] = [ItemsMoved(tuple(ordered), first)]
    events.extend(
        ItemUpdated(item.uid, moved[offset], first + offset) for offset, item in enumerate(items) if item.held
    )
    return Decision((moved, placed), put_at(record, moved, gap), events)


def update_item(record: Record, uid: str, item: Item) -> Decision[tuple[Item, Placed]]:
    """Replace an item by another one at the same place, which is the same attempt. Raises ItemNotFound, ItemRunning."""
    index = uid_index(record, uid)
    old, placed = record.queue.at(index), Placed(index, len(record.queue))
    item = item.in_place_of(old)
    if item.uid == uid and same_content(old, item):
        return Decision((old, placed))
    changes: list[Change] = [PutItem(item, record.queue.rank_of(uid))]
    if item.uid != uid:
        changes.insert(0, DropItem(uid))
    return Decision((item, placed), changes, [ItemUpdated(uid, item, index)])


def same_content(old: Item, new: Item) -> bool:
    """Whether an update would change nothing that a client can see."""
    if old.held or replace(new, created=old.created) != old:
        return False
    # Python holds 1 and True for equal; JSON, and the plan, do not.
    return _values(old) == _values(new)


def _values(item: Item) -> str:
    return json.dumps([item.args, item.kwargs, item.meta, item.properties], sort_keys=True)


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
    """Take all items out; answers how many."""
    size = len(record.queue)
    if not size:
        return Decision(0)
    return Decision(size, [DropAllItems()], [QueueCleared(size)])


def clear_history(record: Record, *, keep_newest: int = 0, up_to_item: str | None = None) -> Decision[int]:
    """Remove old history entries; answers how many. Raises FieldInvalid, ItemNotFound."""
    history = record.history
    if keep_newest < 0:
        raise FieldInvalid("keep_newest", "must be 0 or more")
    if up_to_item is None:
        before = max(history.first_number, history.next_number - keep_newest)
    else:
        number = history.number_of_item(up_to_item)
        if number is None:
            raise ItemNotFound(
                f"The history has no entry of the item {up_to_item[:100]!r}: list the history to see which there are."
            )
        before = number + 1
    removed = before - history.first_number
    if not removed:
        return Decision(0)
    first_left = before if before < history.next_number else 0
    return Decision(removed, [DropHistory(history.first_number, before)], [HistoryCleared(removed, first_left)])
