"""Edits of many items in one step, as decisions. They are computed in steps, because a batch may be long."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_long_work.work import Work
from sortedcontainers import SortedList

from queueserver_manager.domain.changes import Change, Decision, DropItem, MoveItem, PutItem, SetRank
from queueserver_manager.domain.events import Event, ItemRemoved, ItemsAdded, ItemsMoved, ItemUpdated
from queueserver_manager.domain.limits import Bound, in_words
from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.queue.placement import (
    AfterItem,
    AtIndex,
    BeforeItem,
    Front,
    Placed,
    Position,
    insertion_index,
    uid_index,
)
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.batch_errors import BatchRefused, ItemRepeated, RefusedItems
from queueserver_manager.domain.refusals.errors import (
    FieldInvalid,
    ItemNotFound,
    ItemRunning,
    QueueFull,
    Refused,
    Violation,
)


def add_batch(
    record: Record, parts: Sequence[Sequence[Item]], position: Position, bound: Bound
) -> Work[Decision[Placed]]:
    """Add items next to each other. Raises ItemNotFound, ItemRunning, QueueFull.

    They are reported in these parts, none of which is empty: each part is one event for every watcher.
    """
    index, size = insertion_index(record, position), len(record.queue)
    items: list[Item] = []
    added = 0
    for part in parts:
        items += part
        added += sum(item.size for item in part)
        yield
    require_room(record, bound, len(items), added)
    changes = (yield from put_batch_at(record, items, index)) if items else []
    events: list[Event] = []
    begin = index
    for part in parts:
        events.append(ItemsAdded(tuple(part), begin))
        begin += len(part)
        yield
    return Decision(Placed(index, size + len(items)), changes, events)


def require_room(record: Record, bound: Bound, count: int, size: int) -> None:
    """Refuse more items, or more bytes of items, than the queue may hold. Raises QueueFull."""
    queue = record.queue
    if count > 0 and len(queue) + count > bound.number:
        raise QueueFull(
            f"The queue holds at most {bound.number} items and has {len(queue)}: "
            f"run or remove some before adding {count} more."
        )
    if size > 0 and queue.size + size > bound.size:
        raise QueueFull(
            f"The queue holds at most {in_words(bound.size)} of items and has {in_words(queue.size)}: run or "
            f"remove some before adding {in_words(size)} more, or put large data where the plan can read it."
        )


def put_batch_at(record: Record, items: Sequence[Item], index: int) -> Work[list[Change]]:
    """Changes that put items in front of the one now at ``index``."""
    ranks = yield from record.queue.ranks_between(index, len(items))
    changes: list[Change] = []
    for uid, rank in ranks.moved:
        changes.append(SetRank(uid, rank))
        yield
    for item, rank in zip(items, ranks.new, strict=True):
        is_there = record.queue.get(item.uid) is item
        changes.append(MoveItem(item.uid, rank) if is_there else PutItem(item, rank))
        yield
    return changes


def remove_items(record: Record, uids: Sequence[str], *, strict: bool) -> Work[Decision[tuple[list[Item], int]]]:
    """Take several items out; returns them and how many are left. Raises BatchRefused if strict."""
    usable, refused = yield from _usable(record, uids)
    if strict and refused.count:
        raise BatchRefused(refused, len(uids))
    items: list[Item] = []
    changes: list[Change] = []
    events: list[Event] = []
    # Each event has the index at its own moment: items removed before it are gone.
    gone: SortedList[int] = SortedList()
    for item in usable:
        index = record.queue.index_of(item.uid)
        items.append(item)
        changes.append(DropItem(item.uid))
        events.append(ItemRemoved(item.uid, index - gone.bisect_left(index)))
        gone.add(index)
        yield
    return Decision((items, len(record.queue) - len(items)), changes, events)


def move_items(
    record: Record, uids: Sequence[str], destination: Position, *, keep_queue_order: bool
) -> Work[Decision[tuple[list[Item], Placed]]]:
    """Move several items next to each other. Raises BatchRefused, FieldInvalid, ItemNotFound, ItemRunning."""
    items, refused = yield from _usable(record, uids)
    if refused.count:
        raise BatchRefused(refused, len(uids))
    gap = _gap(record, {item.uid for item in items}, destination)
    size = len(record.queue)
    placed_at: list[tuple[int, Item]] = []
    for item in items:
        placed_at.append((record.queue.index_of(item.uid), item))
        yield
    # Once the batch is out, everything behind its members moves up.
    first = gap - sum(index < gap for index, _ in placed_at)
    if keep_queue_order:
        placed_at.sort(key=lambda place: place[0])
    ordered = [item for _, item in placed_at]
    placed = Placed(first, size)
    if all(index == first + offset for offset, (index, _) in enumerate(placed_at)):
        return Decision((ordered, placed))
    moved: list[Item] = []
    for item in ordered:
        moved.append(item.released())
        yield
    events: list[Event] = [ItemsMoved(tuple(item.uid for item in ordered), first)]
    events.extend(
        ItemUpdated(item.uid, moved[offset], first + offset) for offset, item in enumerate(ordered) if item.held
    )
    return Decision((moved, placed), (yield from put_batch_at(record, moved, gap)), events)


def _gap(record: Record, batch: set[str], destination: Position) -> int:
    """The index in front of which a batch is put, counted while the batch is still where it was."""
    if isinstance(destination, AtIndex):
        raise FieldInvalid("destination", "a batch goes to the front, the back, or next to an item: give one of these")
    if isinstance(destination, (BeforeItem, AfterItem)):
        if destination.uid in batch:
            raise FieldInvalid("destination", "is an item of the batch: name one that is not moved")
        return uid_index(record, destination.uid) + isinstance(destination, AfterItem)
    return 0 if isinstance(destination, Front) else len(record.queue)


def _usable(record: Record, uids: Sequence[str]) -> Work[tuple[list[Item], RefusedItems]]:
    """The items of the queue that are named, and the uids that name none, or one that was named before."""
    items: list[Item] = []
    refused = RefusedItems()
    seen: set[str] = set()
    for position, uid in enumerate(uids):
        item = record.queue.get(uid)
        if item is not None and uid not in seen:
            items.append(item)
        elif refused.is_full:
            refused.add_uncounted(1)
        else:
            refused.add(position, _problem(record, uid, f"item_uids[{position}]", repeated=uid in seen))
        seen.add(uid)
        yield
    return items, refused


def _problem(record: Record, uid: str, field: str, *, repeated: bool) -> Refused:
    kind, problem = _kind_of_problem(record, uid, repeated=repeated)
    return kind(f"{field}: {problem}.", violations=[Violation(field, problem)])


def _kind_of_problem(record: Record, uid: str, *, repeated: bool) -> tuple[type[Refused], str]:
    if repeated:
        return ItemRepeated, "is repeated: name each item once"
    if record.running is not None and record.running.item.uid == uid:
        return ItemRunning, "is being executed and no longer in the queue: leave it out"
    return ItemNotFound, "is not in the queue: leave it out"
