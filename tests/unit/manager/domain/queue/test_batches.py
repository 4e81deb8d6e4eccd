"""Removing and moving several items, updating one: the same as with a list, announced as it happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_long_work.work import at_once
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.changes import Decision, MoveItem, PutItem
from queueserver_manager.domain.queue import placement as pl
from queueserver_manager.domain.queue.batches import move_items, remove_items
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.queue.queue_edits import move_item, set_autostart, set_mode, update_item
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.batch_errors import BatchRefused, ItemRepeated
from queueserver_manager.domain.refusals.errors import (
    FieldInvalid,
    ItemNotFound,
    ItemRunning,
    Refused,
)

from tests.unit.manager.samples import NOW, ROOM, carry_out, plan, record_of, relaxed, state, uids

QUEUE = "abcdefgh"
named = st.lists(st.sampled_from([*QUEUE, "r", "x", "y"]), max_size=10)
chosen = st.lists(st.sampled_from(QUEUE), unique=True, max_size=8)


def replay(model: list[str], events: Sequence[ev.Event]) -> list[str]:
    """The queue as somebody knows it who hears only of the events."""
    for event in events:
        if isinstance(event, ev.ItemRemoved):
            assert model.pop(event.index) == event.uid
        elif isinstance(event, ev.ItemMoved):
            assert model.pop(event.from_index) == event.uid
            model.insert(event.to_index, event.uid)
        elif isinstance(event, ev.ItemsMoved):
            model[:] = [uid for uid in model if uid not in event.uids]
            model[event.index : event.index] = event.uids
        elif isinstance(event, ev.ItemUpdated):
            assert model[event.index] == event.uid
            model[event.index] = event.item.uid
    return model


def with_held(queue: str, held: str) -> Record:
    record = record_of(queue, running_uid="r")
    for uid in held:
        record.queue.put(replace(plan(uid), held=True), record.queue.rank_of(uid))
    return record


def held_uids(record: Record) -> list[str]:
    return [item.uid for item in record.queue if item.held]


def refused(record: Record, decide: Callable[[], Decision[Any]], error: type[Refused]) -> Refused:
    """The decision is refused and the record stays as it is."""
    before = state(record)
    with pytest.raises(error) as caught:
        decide()
    assert state(record) == before
    return caught.value


@relaxed
@given(named)
def test_of_a_lenient_batch_what_is_there_is_removed_once(asked: list[str]) -> None:
    record = record_of(QUEUE, running_uid="r")
    decision = at_once(remove_items(record, asked, strict=False))
    carry_out(record, decision)
    gone = [uid for uid in dict.fromkeys(asked) if uid in QUEUE]
    items, size = decision.result
    assert ([item.uid for item in items], size) == (gone, len(QUEUE) - len(gone))
    assert uids(record) == [uid for uid in QUEUE if uid not in gone] == replay(list(QUEUE), decision.events)
    assert [event.uid for event in decision.events if isinstance(event, ev.ItemRemoved)] == gone
    assert record.running is not None


@relaxed
@given(named)
def test_a_strict_batch_is_removed_whole_or_refused_with_each_wrong_uid(asked: list[str]) -> None:
    record = record_of(QUEUE, running_uid="r")
    wrong = [i for i, uid in enumerate(asked) if uid not in QUEUE or uid in asked[:i]]
    if wrong:
        error = refused(record, lambda: at_once(remove_items(record, asked, strict=True)), BatchRefused)
        assert isinstance(error, BatchRefused)
        assert [item.index for item in error.items] == wrong
    else:
        decision = at_once(remove_items(record, asked, strict=True))
        carry_out(record, decision)
        assert uids(record) == [uid for uid in QUEUE if uid not in asked] == replay(list(QUEUE), decision.events)


def test_a_refused_uid_says_what_is_wrong_with_it() -> None:
    record = record_of("ab", running_uid="r")
    error = refused(record, lambda: at_once(remove_items(record, ["a", "r", "x", "a"], strict=True)), BatchRefused)
    assert isinstance(error, BatchRefused)
    assert [(item.index, type(item.error), item.error.message) for item in error.items] == [
        (1, ItemRunning, "item_uids[1]: is being executed and no longer in the queue: leave it out."),
        (2, ItemNotFound, "item_uids[2]: is not in the queue: leave it out."),
        (3, ItemRepeated, "item_uids[3]: is repeated: name each item once."),
    ]
    assert [item.error.violations[0].field for item in error.items] == ["item_uids[1]", "item_uids[2]", "item_uids[3]"]


def test_of_very_many_refused_uids_the_first_are_named_and_the_others_counted() -> None:
    record = record_of("ab")
    wrong = [f"x{i}" for i in range(10_000)]
    error = refused(record, lambda: at_once(remove_items(record, ["a", *wrong], strict=True)), BatchRefused)
    assert isinstance(error, BatchRefused)
    assert [item.index for item in error.items] == list(range(1, 21))
    assert error.count == len(wrong)
    assert error.message.startswith(
        "10000 of 10001 items are wrong and nothing was changed; the first one is number 1,"
    )


def list_move(queue: Sequence[str], batch: Sequence[str], destination: pl.Position) -> list[str]:
    """The same with a list: take the batch out, then put it in."""
    rest = [uid for uid in queue if uid not in batch]
    if isinstance(destination, (pl.BeforeItem, pl.AfterItem)):
        index = rest.index(destination.uid) + isinstance(destination, pl.AfterItem)
    else:
        index = 0 if isinstance(destination, pl.Front) else len(rest)
    return [*rest[:index], *batch, *rest[index:]]


@relaxed
@given(chosen, st.sampled_from(["front", "back", "before", "after"]), st.sampled_from(QUEUE), st.booleans())
def test_a_batch_is_moved_as_in_a_list(batch: list[str], where: str, other: str, keep_queue_order: bool) -> None:
    places: dict[str, pl.Position] = {
        "front": pl.Front(),
        "back": pl.Back(),
        "before": pl.BeforeItem(other),
        "after": pl.AfterItem(other),
    }
    destination = places[where]
    record = record_of(QUEUE, running_uid="r")
    if where in {"before", "after"} and other in batch:
        error = refused(
            record,
            lambda: at_once(move_items(record, batch, destination, keep_queue_order=keep_queue_order)),
            FieldInvalid,
        )
        assert "name one that is not moved" in error.message
        return
    decision = at_once(move_items(record, batch, destination, keep_queue_order=keep_queue_order))
    carry_out(record, decision)
    ordered = sorted(batch) if keep_queue_order else batch
    expected = list_move(QUEUE, ordered, destination)
    assert uids(record) == expected == replay(list(QUEUE), decision.events)
    items, placed = decision.result
    assert ([item.uid for item in items], placed.queue_size) == (ordered, len(QUEUE))
    assert expected[placed.index : placed.index + len(batch)] == ordered
    # Nothing is written or told if everybody is where they were.
    moved = expected != list(QUEUE)
    assert (bool(decision.changes), bool(decision.events)) == (moved, moved)


@pytest.mark.parametrize(
    ("destination", "keep_queue_order", "queue"),
    [
        (pl.Front(), False, "dbace"),
        (pl.Front(), True, "bdace"),
        (pl.Back(), False, "acedb"),
        (pl.Back(), True, "acebd"),
        (pl.BeforeItem("c"), False, "adbce"),
        (pl.AfterItem("c"), True, "acbde"),
    ],
)
def test_the_examples_of_the_reference(destination: pl.Position, keep_queue_order: bool, queue: str) -> None:
    record = record_of("abcde")
    carry_out(record, at_once(move_items(record, ["d", "b"], destination, keep_queue_order=keep_queue_order)))
    assert "".join(uids(record)) == queue


@pytest.mark.parametrize(
    ("batch", "destination", "error"),
    [
        (["a", "x"], pl.Front(), BatchRefused),
        (["a", "a"], pl.Front(), BatchRefused),
        (["a", "r"], pl.Front(), BatchRefused),
        (["a", "b"], pl.AtIndex(1), FieldInvalid),
        (["a", "b"], pl.BeforeItem("b"), FieldInvalid),
        (["a", "b"], pl.AfterItem("x"), ItemNotFound),
        (["a", "b"], pl.AfterItem("r"), ItemRunning),
        (["a", "b"], pl.BeforeItem("r"), ItemRunning),
    ],
)
def test_a_batch_that_can_not_be_moved_is_refused_as_a_whole(
    batch: list[str], destination: pl.Position, error: type[Refused]
) -> None:
    record = record_of("abcd", running_uid="r")
    refused(record, lambda: at_once(move_items(record, batch, destination, keep_queue_order=False)), error)


def test_moving_many_times_into_the_same_gap_keeps_the_order() -> None:
    record, model = record_of(QUEUE), list(QUEUE)
    for turn in range(200):
        batch = [model[-1], model[0]] if turn % 2 else [model[0], model[3], model[-1]]
        anchor = pl.AfterItem(next(uid for uid in model if uid not in batch))
        carry_out(record, at_once(move_items(record, batch, anchor, keep_queue_order=False)))
        model = list_move(model, batch, anchor)
        assert uids(record) == model


def test_a_batch_that_is_moved_releases_what_was_held_and_says_so() -> None:
    record = with_held("abc", "ab")
    decision = at_once(move_items(record, ["a"], pl.Back(), keep_queue_order=False))
    carry_out(record, decision)
    assert (uids(record), held_uids(record)) == (["b", "c", "a"], ["b"])
    assert list(decision.events) == [ev.ItemsMoved(("a",), 2), ev.ItemUpdated("a", plan("a"), 2)]


def test_what_only_changes_its_place_is_not_written_again() -> None:
    record = with_held("abcd", "c")
    decision = at_once(move_items(record, ["b", "c", "d"], pl.Front(), keep_queue_order=True))
    assert [type(change) for change in decision.changes] == [MoveItem, PutItem, MoveItem]
    one = move_item(record, pl.ByUid("a"), pl.Back())
    assert [type(change) for change in one.changes] == [MoveItem]


def test_a_batch_that_stays_where_it_is_is_not_released_and_answered_as_it_is() -> None:
    record = with_held("abc", "a")
    decision = at_once(move_items(record, ["a", "b"], pl.Front(), keep_queue_order=False))
    carry_out(record, decision)
    assert (held_uids(record), [item.held for item in decision.result[0]]) == (["a"], [True, False])


def test_an_item_that_is_moved_is_no_longer_held_and_that_is_told() -> None:
    record = with_held("abc", "a")
    decision = move_item(record, pl.Front(), pl.AtIndex(1))
    carry_out(record, decision)
    assert (uids(record), held_uids(record), decision.result[0].held) == (["b", "a", "c"], [], False)
    assert list(decision.events) == [ev.ItemMoved("a", 0, 1), ev.ItemUpdated("a", plan("a"), 1)]


def test_moving_an_item_to_where_it_is_does_not_release_it() -> None:
    record = with_held("abc", "a")
    decision = move_item(record, pl.ByUid("a"), pl.Front())
    assert (list(decision.changes), list(decision.events), decision.result[0].held) == ([], [], True)


@pytest.mark.parametrize("uid", ["b", "new"])
def test_an_update_puts_another_item_at_the_same_place(uid: str) -> None:
    record = record_of("abc")
    other = replace(plan(uid, name="scan"), user="joe")
    decision = update_item(record, "b", other, ROOM)
    carry_out(record, decision)
    assert list(record.queue) == [plan("a"), other, plan("c")]
    item, placed = decision.result
    assert (item, placed.index, placed.queue_size) == (other, 1, 3)
    assert list(decision.events) == [ev.ItemUpdated("b", other, 1)]
    assert replay(list("abc"), decision.events) == uids(record)


def test_an_update_to_the_same_content_by_the_same_user_changes_nothing() -> None:
    record = record_of("abc")
    tried = replace(plan("b"), attempt=3, retry_of_uid="z")
    record.queue.put(tried, 2000)
    decision = update_item(record, "b", replace(plan("b"), created=NOW + 99), ROOM)
    assert (list(decision.changes), list(decision.events)) == ([], [])
    assert (decision.result[0], decision.result[1].index) == (tried, 1)


@pytest.mark.parametrize(
    "difference",
    [
        *({"name": "scan"}, {"user": "joe"}, {"user_group": "x"}, {"uid": "new"}),
        *({"args": []}, {"kwargs": {}}, {"meta": {}}, {"properties": {}}),
    ],
    ids=repr,
)
def test_any_difference_is_an_update(difference: dict[str, object]) -> None:
    record = record_of("abc")
    other = replace(plan("b"), **difference)  # type: ignore[arg-type] # names of fields
    carry_out(record, update_item(record, "b", other, ROOM))
    assert record.queue.at(1) == other


def test_an_update_releases_a_held_item_even_with_the_same_content() -> None:
    record = with_held("abc", "a")
    decision = update_item(record, "a", plan("a"), ROOM)
    carry_out(record, decision)
    assert (held_uids(record), list(decision.events)) == ([], [ev.ItemUpdated("a", plan("a"), 0)])


@pytest.mark.parametrize(("uid", "error"), [("x", ItemNotFound), ("r", ItemRunning)])
def test_what_is_not_in_the_queue_can_not_be_updated(uid: str, error: type[Refused]) -> None:
    record = record_of("abc", running_uid="r")
    refused(record, lambda: update_item(record, uid, plan(uid), ROOM), error)


def test_a_mode_is_set_and_told_once() -> None:
    record = record_of("")
    mode = QueueMode(loop=True, interrupted=InterruptedPolicy.HOLD)
    decision = set_mode(record, mode)
    carry_out(record, decision)
    assert (record.mode, decision.result, list(decision.events)) == (mode, mode, [ev.QueueModeChanged(mode)])
    again = set_mode(record, mode)
    assert (again.result, list(again.changes), list(again.events)) == (mode, [], [])


def test_autostart_is_switched_and_told_once() -> None:
    record = record_of("")
    for enabled in (True, False):
        decision = set_autostart(record, enabled=enabled)
        carry_out(record, decision)
        assert (record.autostart, list(decision.events)) == (enabled, [ev.AutostartChanged(enabled)])
        assert not set_autostart(record, enabled=enabled).changes
