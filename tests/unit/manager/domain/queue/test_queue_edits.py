"""Edits of queue and history as decisions: what they change, what they announce, what they answer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue import placement as pl
from queueserver_manager.domain.queue.queue_edits import add_items, clear_history, clear_queue, move_item, remove_item
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid, ItemNotFound, ItemRunning, QueueFull

from tests.unit.manager.samples import ROOM, carry_out, plan, record_of, relaxed, state, uids

edits = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "move", "clear"]), st.integers(-9, 9), st.integers(0, 99), st.integers(0, 99)
    ),
    max_size=40,
)


def replay(model: list[str], events: Sequence[ev.Event]) -> None:
    """What somebody knows who hears only of the events."""
    for event in events:
        if isinstance(event, ev.ItemsAdded):
            model[event.index : event.index] = [item.uid for item in event.items]
        elif isinstance(event, ev.ItemRemoved):
            assert model.pop(event.index) == event.uid
        elif isinstance(event, ev.ItemMoved):
            assert model.pop(event.from_index) == event.uid
            model.insert(event.to_index, event.uid)
        elif isinstance(event, ev.QueueCleared):
            assert event.removed == len(model)
            model.clear()


def edit(record: Record, model: list[str], number: int, what: tuple[str, int, int, int]) -> Sequence[ev.Event]:
    """Make one edit of the record, and the same of the model."""
    kind, index, first, second = what
    if kind == "add":
        new = [plan(f"{number}-{i}") for i in range(first % 4)]
        model[index:index] = [item.uid for item in new]
        decision = add_items(record, new, pl.AtIndex(index), ROOM)
    elif kind == "clear" and first < 15:
        model.clear()
        decision = clear_queue(record)
    elif not model:
        return ()
    elif kind == "remove":
        decision = remove_item(record, pl.ByUid(model.pop(first % len(model))))
    else:
        uid = model.pop(first % len(model))
        destination = second % (len(model) + 1)
        model.insert(destination, uid)
        decision = move_item(record, pl.ByUid(uid), pl.AtIndex(destination))
    carry_out(record, decision)
    return decision.events


@relaxed
@given(edits)
def test_random_edits_do_to_the_queue_what_they_do_to_a_list_and_announce_just_that(
    chosen: list[tuple[str, int, int, int]],
) -> None:
    record, model, heard = record_of([]), list[str](), list[str]()
    for number, what in enumerate(chosen):
        replay(heard, edit(record, model, number, what))
        assert uids(record) == model
        assert heard == model


@relaxed
@given(edits)
def test_a_decision_alone_changes_nothing(chosen: list[tuple[str, int, int, int]]) -> None:
    record, model = record_of("abc", done=2), list("abc")
    for number, what in enumerate(chosen):
        edit(record, model, number, what)
    before = state(record)
    add_items(record, [plan("new")], pl.AtIndex(1), ROOM)
    clear_queue(record)
    clear_history(record)
    if model:
        remove_item(record, pl.Back())
        move_item(record, pl.Front(), pl.Back())
    assert state(record) == before


def test_a_batch_stands_together_and_is_announced_as_one() -> None:
    record = record_of("abc")
    decision = add_items(record, [plan("x"), plan("y")], pl.BeforeItem("b"), ROOM)
    carry_out(record, decision)
    assert uids(record) == list("axybc")
    assert (decision.result.index, decision.result.queue_size) == (1, 5)
    assert list(decision.events) == [ev.ItemsAdded((plan("x"), plan("y")), 1)]


def test_an_empty_batch_changes_and_announces_nothing() -> None:
    decision = add_items(record_of("abc"), [], pl.Back(), ROOM)
    assert (list(decision.changes), list(decision.events)) == ([], [])
    assert (decision.result.index, decision.result.queue_size) == (3, 3)


def test_a_full_queue_refuses_more_and_says_how_many_it_holds() -> None:
    add_items(record_of("abc"), [plan("x")], pl.Back(), Bound(4, 10**9))
    with pytest.raises(QueueFull, match=r"at most 4 items and has 3.*before adding 2 more"):
        add_items(record_of("abc"), [plan("x"), plan("y")], pl.Back(), Bound(4, 10**9))


def test_a_removed_item_is_answered_and_announced_with_the_index_it_had() -> None:
    record = record_of("abc")
    decision = remove_item(record, pl.AtIndex(-2))
    assert (decision.result.item.uid, decision.result.queue_size) == ("b", 2)
    assert list(decision.events) == [ev.ItemRemoved("b", 1)]


def test_the_running_item_can_not_be_removed() -> None:
    with pytest.raises(ItemRunning, match="'r' is being executed"):
        remove_item(record_of("abc", running_uid="r"), pl.ByUid("r"))


def test_clearing_an_empty_queue_changes_nothing() -> None:
    decision = clear_queue(record_of([]))
    assert (decision.result, list(decision.changes), list(decision.events)) == (0, [], [])


def test_clearing_the_queue_leaves_the_running_item_alone() -> None:
    record = record_of("abc", running_uid="r")
    decision = clear_queue(record)
    carry_out(record, decision)
    assert (decision.result, uids(record)) == (3, [])
    assert record.running is not None


@pytest.mark.parametrize(
    ("keep", "up_to", "left"),
    [
        (0, None, []),
        (1, None, [5]),
        (4, None, [2, 3, 4, 5]),
        (5, None, [1, 2, 3, 4, 5]),
        (99, None, [1, 2, 3, 4, 5]),
        (0, "done-1", [2, 3, 4, 5]),
        (0, "done-4", [5]),
        (0, "done-5", []),
    ],
)
def test_clearing_the_history_takes_old_entries_and_keeps_what_was_asked_for(
    keep: int, up_to: str | None, left: list[int]
) -> None:
    record = record_of([], done=5)
    decision = clear_history(record, keep_newest=keep, up_to_item=up_to)
    carry_out(record, decision)
    assert [entry.number for entry in record.history.newest(99)] == left
    assert decision.result == 5 - len(left)
    if left == [1, 2, 3, 4, 5]:
        assert (list(decision.changes), list(decision.events)) == ([], [])
    else:
        assert list(decision.events) == [ev.HistoryCleared(5 - len(left), left[0] if left else 0)]


def test_the_history_is_not_cleared_up_to_an_entry_that_is_not_there() -> None:
    with pytest.raises(ItemNotFound, match="list the history"):
        clear_history(record_of([], done=5), up_to_item="unknown")


def test_numbers_of_history_entries_go_on_after_clearing() -> None:
    record = record_of([], done=5)
    carry_out(record, clear_history(record))
    assert (len(record.history), record.history.first_number, record.history.next_number) == (0, 6, 6)


def test_a_negative_number_of_entries_to_keep_is_refused() -> None:
    with pytest.raises(FieldInvalid, match=r"keep_newest: must be 0 or more\."):
        clear_history(record_of([], done=1), keep_newest=-1)
