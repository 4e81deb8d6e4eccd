"""Modes, autostart, held items and immediate execution, as decisions about the whole record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.changes import Decision, QueueActivity
from queueserver_manager.domain.queue.item import ExitStatus, FailureCause, ItemResult, Outcome
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.queue.queue_run import Advance, finish_item, start_queue
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import ItemHeld

from tests.unit.manager.samples import (
    NOW,
    ROOM,
    carry_out,
    claim_context,
    outcome,
    plan,
    record_of,
    running,
    state,
    stop_instruction,
    uids,
)

LOOP = QueueMode(loop=True)
REFUSED = Outcome("x-1", ItemResult(ExitStatus.FAILED, stop=NOW, failure_cause=FailureCause.NOT_STARTED), refused=True)


def executing(queue: str, mode: QueueMode = LOOP, *, immediate: bool = False, **execution: bool) -> Record:
    """A record with autostart on and item r being executed as x-1; S in ``queue`` is an instruction to stop."""
    record = record_of([])
    for index, uid in enumerate(queue):
        record.queue.put(stop_instruction(uid) if uid == "S" else plan(uid), 1000 * index)
    record.running = running(plan("r"), immediate=immediate)
    record.queue_activity = QueueActivity(active=not immediate, **execution)
    record.mode, record.autostart = mode, True
    return record


def finish(record: Record, ended: ExitStatus | Outcome = ExitStatus.COMPLETED, **claim: bool) -> Decision[Advance]:
    known = ended if isinstance(ended, Outcome) else outcome("x-1", ended)
    decision = finish_item(record, known, claim_context(**claim), ROOM)
    assert decision is not None
    carry_out(record, decision)
    return decision


def replay(queue: str, events: Sequence[ev.Event]) -> list[str]:
    """The queue as somebody knows it who hears only of the events."""
    model = list(queue)
    for event in events:
        if isinstance(event, ev.ItemsAdded):
            model[event.index : event.index] = [item.uid for item in event.items]
        elif isinstance(event, ev.ItemRemoved):
            assert model.pop(event.index) == event.uid
        elif isinstance(event, ev.ItemStarted) and not event.running.immediate:
            assert model.pop(0) == event.running.item.uid
    return model


def stopped(decision: Decision[Any]) -> list[ev.StopReason]:
    return [event.reason for event in decision.events if isinstance(event, ev.QueueStopped)]


def hold_head(record: Record) -> None:
    record.queue.put(replace(record.queue.at(0), held=True), record.queue.rank_of(record.queue.at(0).uid))


def test_in_a_loop_a_completed_item_stands_at_the_back_before_the_next_one_is_claimed() -> None:
    record = executing("ab")
    decision = finish(record)
    again = decision.result.requeued
    assert again is not None
    assert uids(record) == ["b", again.uid]
    assert record.running is not None
    assert (record.running.item.uid, record.history.newest(1)[0].requeued_as_uid) == ("a", again.uid)
    assert (again.attempt, again.retry_of_uid) == (1, "")
    assert replay("ab", decision.events) == uids(record)


def test_a_loop_of_one_item_runs_it_over_and_over() -> None:
    record, ids = executing(""), claim_context()
    seen = ["r"]
    for _ in range(4):
        assert record.running is not None
        done = finish_item(record, outcome(record.running.execution_id), ids, ROOM)
        assert done is not None
        carry_out(record, done)
        assert record.running is not None
        assert (uids(record), replay("", done.events), stopped(done)) == ([], [], [])
        assert done.result.requeued == record.running.item
        seen.append(record.running.item.uid)
    assert len(set(seen)) == 5
    assert [entry.requeued_as_uid for entry in record.history.newest(9)] == seen[1:]


def test_a_stop_instruction_in_a_loop_stands_behind_the_item_that_ended_before_it() -> None:
    record = executing("Sa")
    decision = finish(record)
    again = decision.result.requeued
    assert again is not None
    assert decision.result.claimed is None
    first, second, third = record.queue
    assert (first.uid, second, third.name) == ("a", again, "queue_stop")
    assert third.uid not in {"S", again.uid}
    assert replay("Sa", decision.events) == uids(record)
    assert (stopped(decision), record.queue_activity, record.autostart) == (
        [ev.StopReason.INSTRUCTION],
        QueueActivity(),
        False,
    )


def test_a_loop_that_starts_with_a_stop_instruction_keeps_it_and_stops() -> None:
    record = executing("S")
    record.running, record.queue_activity = None, QueueActivity()
    decision = start_queue(record, "jane", claim_context())
    carry_out(record, decision)
    (left,) = record.queue
    assert (left.name, left.uid != "S", record.running, record.autostart) == ("queue_stop", True, None, False)
    assert replay("S", decision.events) == uids(record)


@pytest.mark.parametrize("status", [ExitStatus.COMPLETED, ExitStatus.STOPPED])
def test_in_a_loop_an_item_goes_to_the_back_also_when_the_queue_stops(status: ExitStatus) -> None:
    record = executing("ab", stop_pending=True)
    decision = finish(record, status)
    assert decision.result.requeued is not None
    assert uids(record) == ["a", "b", decision.result.requeued.uid] == replay("ab", decision.events)
    assert stopped(decision) == [ev.StopReason.REQUESTED]


@pytest.mark.parametrize("loop", [False, True])
def test_with_failures_ignored_the_queue_goes_on_and_autostart_stays(loop: bool) -> None:
    record = executing("ab", QueueMode(loop=loop, ignore_failures=True))
    decision = finish(record, ExitStatus.FAILED)
    assert decision.result.claimed is not None
    assert (decision.result.claimed.item.uid, record.autostart, stopped(decision)) == ("a", True, [])
    assert uids(record) == (["b", "id-1"] if loop else ["b"])
    assert record.history.newest(1)[0].result.exit_status is ExitStatus.FAILED


@pytest.mark.parametrize("mode", [QueueMode(), LOOP, QueueMode(ignore_failures=True), QueueMode(True, True)])
def test_an_item_that_was_refused_goes_back_to_the_front_in_every_mode(mode: QueueMode) -> None:
    record = executing("ab", mode)
    decision = finish(record, REFUSED)
    retry = decision.result.requeued
    assert retry is not None
    assert (retry.attempt, retry.retry_of_uid, uids(record)) == (2, "r", [retry.uid, "a", "b"])
    assert (stopped(decision), record.running, record.autostart) == ([ev.StopReason.FAILURE], None, False)


@pytest.mark.parametrize(
    ("policy", "held", "left"),
    [
        (InterruptedPolicy.REQUEUE, False, ["id-1", "a"]),
        (InterruptedPolicy.HOLD, True, ["id-1", "a"]),
        (InterruptedPolicy.DROP, False, ["a"]),
    ],
)
def test_an_interrupted_item_is_put_back_held_or_dropped(
    policy: InterruptedPolicy, held: bool, left: list[str]
) -> None:
    record = executing("a", QueueMode(interrupted=policy))
    decision = finish(record, ExitStatus.ABORTED)
    assert (uids(record), record.queue.at(0).held) == (left, held)
    assert replay("a", decision.events) == left
    assert record.history.newest(1)[0].requeued_as_uid == ("id-1" if len(left) == 2 else "")
    assert (stopped(decision), record.queue_activity) == ([ev.StopReason.FAILURE], QueueActivity())


def test_a_held_item_at_the_head_refuses_the_start_and_changes_nothing() -> None:
    record = record_of("ab")
    hold_head(record)
    before = state(record)
    with pytest.raises(ItemHeld, match=r"\(a\).*update, move or remove it"):
        start_queue(record, "jane", claim_context())
    assert state(record) == before


def test_a_held_item_that_is_not_at_the_head_hinders_nobody() -> None:
    record = record_of("ab")
    record.queue.put(replace(plan("b"), held=True), 2000)
    assert start_queue(record, "jane", claim_context()).result.claimed is not None


@pytest.mark.parametrize(
    ("reason", "queue", "claim", "pending"),
    [
        (ev.StopReason.REQUESTED, "ab", {}, True),
        (ev.StopReason.REQUESTED, "", {}, True),
        (ev.StopReason.PAUSE, "ab", {"pause_unresolved": True}, False),
        (ev.StopReason.PAUSE, "", {"pause_unresolved": True}, False),
        (ev.StopReason.REQUESTED, "ab", {"end_requested": True}, False),
        (ev.StopReason.ENVIRONMENT, "ab", {"can_execute": False}, False),
        (ev.StopReason.INSTRUCTION, "Sb", {}, False),
        (ev.StopReason.HELD, "hb", {}, False),
    ],
)
def test_a_queue_that_stops_before_it_is_empty_ends_autostart(
    reason: ev.StopReason, queue: str, claim: dict[str, Any], pending: bool
) -> None:
    record = executing(queue, QueueMode(), stop_pending=pending)
    if queue.startswith("h"):
        hold_head(record)
    decision = finish(record, ExitStatus.COMPLETED, **claim)
    assert (decision.result.claimed, record.running, record.queue_activity) == (None, None, QueueActivity())
    assert list(decision.events[-2:]) == [ev.AutostartChanged(enabled=False), ev.QueueStopped(reason)]
    assert not record.autostart
    assert replay(queue, decision.events) == uids(record) == list(queue.removeprefix("S"))


@pytest.mark.parametrize("status", [ExitStatus.COMPLETED, ExitStatus.FAILED])
def test_nothing_is_begun_after_a_plan_that_was_told_to_end_even_if_it_ended_otherwise(status: ExitStatus) -> None:
    record = executing("ab", QueueMode(ignore_failures=True))
    decision = finish(record, status, end_requested=True)
    assert (stopped(decision), uids(record)) == ([ev.StopReason.REQUESTED], ["a", "b"])


@pytest.mark.parametrize("claim", [{}, {"can_execute": False}])
def test_a_queue_that_ran_empty_leaves_autostart_on(claim: dict[str, Any]) -> None:
    record = executing("", QueueMode())
    decision = finish(record, ExitStatus.COMPLETED, **claim)
    assert (stopped(decision), record.autostart) == ([ev.StopReason.EMPTY], True)


@pytest.mark.parametrize("status", [ExitStatus.STOPPED, ExitStatus.FAILED, ExitStatus.ABORTED, ExitStatus.HALTED])
def test_an_item_that_did_not_complete_ends_autostart(status: ExitStatus) -> None:
    record = executing("ab", QueueMode())
    decision = finish(record, status)
    assert not record.autostart
    assert decision.events[-2:-1] == [ev.AutostartChanged(enabled=False)]


def test_autostart_that_is_off_is_not_announced_to_end() -> None:
    record = executing("ab", QueueMode())
    record.autostart = False
    decision = finish(record, ExitStatus.FAILED)
    assert not [event for event in decision.events if isinstance(event, ev.AutostartChanged)]
