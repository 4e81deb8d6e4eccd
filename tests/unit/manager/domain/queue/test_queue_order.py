"""The order of the queue against a plain list, and the ranks that keep it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain.queue.queue import STEP
from queueserver_manager.domain.queue.queue_edits import put_at
from queueserver_manager.domain.record import Record

from tests.unit.manager.samples import apply, plan, record_of, relaxed, uids

LIMIT = 2**53
#: What to do, and two numbers that say where.
steps = st.lists(
    st.tuples(st.sampled_from(["insert", "batch", "move", "drop"]), st.integers(0, 2**16), st.integers(0, 2**16)),
    max_size=60,
)


def ranks(record: Record) -> list[int]:
    return [record.queue.rank_of(uid) for uid in uids(record)]


def insert(record: Record, index: int, *new: str) -> int:
    """Insert as a decision does; answers how many others had to get another rank."""
    changes = put_at(record, [plan(uid) for uid in new], index)
    apply(record, changes)
    return len(changes) - len(new)


def assert_is(record: Record, model: Sequence[str]) -> None:
    assert uids(record) == list(model)
    assert len(record.queue) == len(model)
    found = ranks(record)
    assert found == sorted(set(found)), "ranks are distinct and in order"
    assert all(-LIMIT < rank < LIMIT for rank in found)
    for index, uid in enumerate(model):
        assert record.queue.index_of(uid) == index
        assert record.queue.at(index).uid == uid


@relaxed
@given(steps)
def test_random_insertions_moves_and_drops_leave_the_order_of_a_plain_list(chosen: list[tuple[str, int, int]]) -> None:
    record, model = record_of([]), list[str]()
    for number, (what, first, second) in enumerate(chosen):
        if what in ("insert", "batch"):
            new = [f"{number}-{i}" for i in range(1 if what == "insert" else first % 5)]
            index = second % (len(model) + 1)
            insert(record, index, *new)
            model[index:index] = new
        elif model and what == "drop":
            record.queue.drop(model.pop(first % len(model)))
        elif model:
            uid = model.pop(first % len(model))
            record.queue.drop(uid)
            index = second % (len(model) + 1)
            insert(record, index, uid)
            model.insert(index, uid)
    assert_is(record, model)


@pytest.mark.parametrize("side", ["behind the first", "before the last"])
def test_thousands_of_insertions_into_the_same_gap_keep_the_order(side: str) -> None:
    record, model, moved = record_of(["first", "last"]), ["first", "last"], 0
    for number in range(4000):
        index = 1 if side == "behind the first" else len(model) - 1
        moved += insert(record, index, f"{number}")
        model.insert(index, f"{number}")
    assert_is(record, model)
    assert moved > 0, "the gap was used up at least once"
    assert moved < 4000 * 20, "an insertion gives few others another rank"


def test_a_used_up_gap_in_a_long_queue_touches_its_neighbourhood_only() -> None:
    model = [f"{number}" for number in range(20_000)]
    record = record_of([])
    insert(record, 0, *model)
    most = 0
    for number in range(100):
        most = max(most, insert(record, 10_000, f"new-{number}"))
        model.insert(10_000, f"new-{number}")
    assert_is(record, model)
    assert 0 < most < 200


@relaxed
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=12, unique=True), st.data())
def test_items_find_room_wherever_there_is_none(dense: list[int], data: st.DataObject) -> None:
    record = record_of([])
    for rank in sorted(dense):
        record.queue.put(plan(f"old-{rank}"), rank)
    model = uids(record)
    index = data.draw(st.integers(0, len(model)))
    new = [f"new-{number}" for number in range(data.draw(st.integers(1, 40)))]
    insert(record, index, *new)
    model[index:index] = new
    assert_is(record, model)


def test_items_at_either_end_take_one_rank_and_move_nobody() -> None:
    record = record_of([])
    for number in range(3000):
        assert insert(record, 0, f"front-{number}") == 0
        assert insert(record, len(record.queue), f"back-{number}") == 0
    model = [f"front-{number}" for number in reversed(range(3000))] + [f"back-{number}" for number in range(3000)]
    assert_is(record, model)


def test_a_batch_of_twenty_thousand_fits_between_two_neighbours() -> None:
    record = record_of([])
    insert(record, 0, "first", "last")
    new = [f"{number}" for number in range(20_000)]
    assert insert(record, 1, *new) == 0
    assert uids(record) == ["first", *new, "last"]
    assert len(set(ranks(record))) == 20_002


def test_neighbours_begin_at_a_comfortable_distance() -> None:
    record = record_of([])
    insert(record, 0, "a", "b", "c")
    assert ranks(record) == [STEP, 2 * STEP, 3 * STEP]


def test_an_item_that_is_not_there_has_no_rank_and_no_index() -> None:
    queue = record_of(["a"]).queue
    assert queue.get("z") is None
    assert "z" not in queue
    with pytest.raises(KeyError):
        queue.rank_of("z")
    with pytest.raises(KeyError):
        queue.index_of("z")
    with pytest.raises(KeyError):
        queue.drop("z")
    with pytest.raises(IndexError):
        queue.at(1)
