"""Imports of another server's state: how far each has come, and what a part of one adds.

An import is sent in parts, each of which says where in the import it begins. What an import has is stored in the same
step as what it adds, so a part that is sent again adds nothing, whenever that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple, TypeVar

from queueserver_long_work.work import Work
from queueserver_rpc.message_sizes import EVENT_BYTES

from queueserver_manager.domain.changes import AddHistory, Change, Decision, DropHistory, PutImport
from queueserver_manager.domain.events import Event, HistoryAdded
from queueserver_manager.domain.import_progress import Import
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue.batches import add_batch
from queueserver_manager.domain.queue.item import HistoryEntry, Item
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid, QueueFull
from queueserver_manager.domain.refusals.import_errors import NotEmpty

T = TypeVar("T")
#: Imports that are remembered; the oldest are forgotten.
MOST_IMPORTS = 100


class SizedItem(NamedTuple):
    """An item, and how many bytes it has as it is stored and sent together."""

    item: Item
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an import. The numbers of its entries, and those of the history, are given when it is added."""

    history_start: int = 0
    entries: Sequence[HistoryEntry] = ()
    item_start: int = 0
    items: Sequence[SizedItem] = field(default=())


def begun(record: Record, wanted: Import, queue_bound: Bound, *, into_existing: bool) -> tuple[Import, bool]:
    """The import as it is known, and whether it begins now. Raises NotEmpty, QueueFull, FieldInvalid."""
    known = record.imports.get(wanted.import_id)
    if known is None:
        size = len(record.queue)
        if not into_existing and (size or len(record.history) or record.running is not None):
            raise NotEmpty(size, len(record.history), is_running=record.running is not None)
        if size + wanted.item_count > queue_bound.number:
            raise QueueFull(
                f"The queue holds at most {queue_bound.number} items and has {size}, and {wanted.item_count} more are "
                "to be imported: remove some, or start the server with room for more."
            )
        return wanted, True
    for name in ("history_count", "item_count"):
        if getattr(known, name) != getattr(wanted, name):
            raise FieldInvalid(
                name, f"this import was begun with {getattr(known, name)}: a changed one is another import"
            )
    return known, False


def add_part(
    record: Record,
    known: Import,
    part: Part,
    bounds: tuple[Bound, Bound],
    measure: Callable[[HistoryEntry], int],
) -> Work[Decision[Import]]:
    """Add what the import does not have yet; ``bounds`` are those of queue and history.

    Raises FieldInvalid, QueueFull.
    """
    changes: list[Change] = []
    events: list[Event] = []
    entries = _rest(part.entries, part.history_start, known.history_done, "history_start")
    history_known = yield from _add_entries(record, entries, bounds[1], measure, changes, events)
    items = _rest(part.items, part.item_start, known.items_done, "item_start")
    fresh, items_known = yield from _unknown(record, items)
    added = yield from add_batch(record, _in_parts(fresh), Back(), bounds[0])
    changes += added.changes
    events += added.events if fresh else ()
    return Decision(
        replace(
            known,
            history_done=known.history_done + len(entries),
            items_done=known.items_done + len(items),
            known=known.known + history_known + items_known,
        ),
        changes,
        events,
    )


def remembered(record: Record, done: Import) -> Change:
    """The change that keeps how far an import has come."""
    is_new = done.import_id not in record.imports
    oldest = next(iter(record.imports)) if is_new and len(record.imports) >= MOST_IMPORTS else ""
    return PutImport(done, oldest)


def _rest(part: Sequence[T], start: int, done: int, name: str) -> Sequence[T]:
    """What of a part is new."""
    if not part:
        return part
    if not 0 <= start <= done:
        raise FieldInvalid(name, f"must be 0 or more, and at most {done}: so many are there, and none may be left out")
    return part[done - start :]


def _add_entries(
    record: Record,
    entries: Sequence[HistoryEntry],
    bound: Bound,
    measure: Callable[[HistoryEntry], int],
    changes: list[Change],
    events: list[Event],
) -> Work[int]:
    """Changes that add entries, and drop the oldest ones for which there is no room then; how many were there."""
    history, seen = record.history, set[str]()
    added: list[HistoryEntry] = []
    for entry in entries:
        uid = entry.item.uid
        if history.number_of_item(uid) is None and uid not in seen:
            seen.add(uid)
            numbered = replace(entry, number=history.next_number + len(added), encoded={})
            added.append(replace(numbered, size=measure(numbered)))
        yield
    changes += map(AddHistory, added)
    events += (HistoryAdded(entry, imported=True) for entry in added)
    first, first_left = history.first_number, _first_left(record, added, bound)
    if first < first_left:
        changes.append(DropHistory(first, first_left))
    return len(entries) - len(added)


def _first_left(record: Record, added: Sequence[HistoryEntry], bound: Bound) -> int:
    """Number of the oldest entry that can stay; the newest one always does."""
    history = record.history
    number, size = len(history) + len(added), history.size + sum(entry.size for entry in added)
    left = history.first_number
    for entry in chain(history.newest(len(history)), added[:-1]):
        if not bound.excess(number, size):
            break
        number, size, left = number - 1, size - entry.size, entry.number + 1
    return left


def _unknown(record: Record, items: Iterable[SizedItem]) -> Work[tuple[list[SizedItem], int]]:
    """Items whose uids are nowhere, and how many are not among them."""
    fresh: list[SizedItem] = []
    known, seen = 0, set[str]()
    running = record.running.item.uid if record.running is not None else ""
    for one in items:
        uid = one.item.uid
        is_there = record.queue.get(uid) is not None or record.history.number_of_item(uid) is not None
        if is_there or uid == running or uid in seen:
            known += 1
        else:
            seen.add(uid)
            fresh.append(one)
        yield
    return fresh, known


def _in_parts(items: Iterable[SizedItem]) -> list[list[Item]]:
    """Items in parts, each for one event."""
    parts: list[list[Item]] = []
    room = 0
    for item, size in items:
        if not parts or size > room:
            parts.append([])
            room = EVENT_BYTES
        parts[-1].append(item)
        room -= size
    return parts
