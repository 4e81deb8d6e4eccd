"""Parts of an import, in any order and however often they come: everything is added once, and in order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from queueserver_long_work.work import at_once
from queueserver_manager.domain.changes import PutImport
from queueserver_manager.domain.import_progress import Import
from queueserver_manager.domain.imports import MOST_IMPORTS, Part, SizedItem, add_part, remembered
from queueserver_manager.domain.limits import HISTORY, QUEUE, Bound
from queueserver_manager.domain.queue.item import HistoryEntry
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid

from tests.unit.manager.samples import apply, entry, plan

ITEMS = [SizedItem(plan(f"q{n}"), 9) for n in range(6)]
ENTRIES = [replace(entry(1), item=plan(f"h{n}")) for n in range(6)]
WANTED = Import("id", "elsewhere", len(ENTRIES), len(ITEMS), 1.0)
PARTS = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))


def measure(_: HistoryEntry) -> int:
    """Each entry has ten bytes."""
    return 10


def take(record: Record, part: Part, bounds: tuple[Bound, Bound] = (QUEUE, HISTORY)) -> Import:
    """Add a part to a record; returns how far the import is then."""
    decision = at_once(add_part(record, record.imports.get("id", WANTED), part, bounds, measure))
    apply(record, [*decision.changes, PutImport(decision.result)])
    return decision.result


def part_of(first: int, last: int, first_item: int, last_item: int) -> Part:
    return Part(first, ENTRIES[first:last], first_item, ITEMS[first_item:last_item])


@given(st.lists(PARTS, max_size=8))
def test_parts_in_any_order_add_everything_once_and_leave_nothing_out(parts: list[tuple[int, int, int, int]]) -> None:
    record = Record()
    done = WANTED
    for part in parts:
        before = done
        try:
            done = take(record, part_of(*part))
        except FieldInvalid:
            assert part[0] > before.history_done or part[2] > before.items_done
        assert [item.uid for item in record.queue] == [f"q{n}" for n in range(done.items_done)]
        history = record.history.newest(9)
        assert [one.item.uid for one in history] == [f"h{n}" for n in range(done.history_done)]
        assert [one.number for one in history] == list(range(1, done.history_done + 1))
    done = take(record, part_of(done.history_done, 6, done.items_done, 6))
    assert done.is_whole
    assert (len(record.queue), len(record.history)) == (6, 6)


@given(st.integers(1, 8), st.integers(10, 90), st.integers(0, 6))
def test_the_history_keeps_its_newest_entries_within_its_bounds(number: int, size: int, cut: int) -> None:
    record, bounds = Record(), (QUEUE, Bound(number, size))
    for part in (part_of(0, cut, 0, 0), part_of(cut, 6, 0, 0)):
        take(record, part, bounds)
    kept = min(6, number, size // 10)
    assert [one.item.uid for one in record.history.newest(9)] == [f"h{n}" for n in range(6 - kept, 6)]
    assert record.history.size == 10 * kept
    assert record.history.next_number == 7


def test_of_many_imports_the_oldest_is_forgotten() -> None:
    record = Record()
    for number in range(MOST_IMPORTS + 3):
        apply(record, [remembered(record, replace(WANTED, import_id=str(number)))])
    # One that is known takes no other one's place.
    apply(record, [remembered(record, replace(WANTED, import_id="50", items_done=1))])
    assert list(record.imports) == [str(number) for number in range(3, MOST_IMPORTS + 3)]
