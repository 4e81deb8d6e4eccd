"""Starting, stopping, claiming and accounting: each is one decision, so an item is always in exactly one place."""

from __future__ import annotations

import pytest
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.changes import Decision, QueueActivity
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue.item import ExitStatus, Outcome
from queueserver_manager.domain.queue.queue_run import (
    Advance,
    cancel_stop_queue,
    finish_item,
    meet_worker,
    start_queue,
    stop_after_loss,
    stop_queue,
)
from queueserver_manager.domain.record import Record

from tests.unit.manager.samples import (
    NOW,
    ROOM,
    carry_out,
    claim_context,
    entry,
    outcome,
    plan,
    record_of,
    running,
    state,
    stop_instruction,
    uids,
)

BAD = [ExitStatus.FAILED, ExitStatus.ABORTED, ExitStatus.HALTED]


def executing(queue: str, *, stop_pending: bool = False, done: int = 0) -> Record:
    """A record whose queue runs, with item r being executed as x-1."""
    record = record_of(queue, running_uid="r", done=done)
    record.queue_activity = QueueActivity(active=True, stop_pending=stop_pending)
    return record


def finish(record: Record, status: ExitStatus, *, can_execute: bool = True, limit: int = 100) -> Decision[Advance]:
    """Account for the outcome of x-1."""
    decision = finish_item(record, outcome("x-1", status), claim_context(can_execute=can_execute), Bound(limit, 10**9))
    assert decision is not None
    carry_out(record, decision)
    return decision


def kinds(decision: Decision[Advance]) -> list[type]:
    return [type(event) for event in decision.events]


@pytest.mark.parametrize("autostart", [False, True])
@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("boot_id", ["known", "new"])
def test_autostart_ends_when_the_first_worker_that_an_owner_meets_is_a_new_one(
    boot_id: str, is_first: bool, autostart: bool
) -> None:
    record = record_of("ab")
    record.autostart, record.worker_boot_id = autostart, "known"
    decision = meet_worker(record, boot_id, is_first=is_first)
    ends = boot_id == "new" and is_first and autostart
    assert decision.result is ends
    assert list(decision.events) == [ev.AutostartChanged(enabled=False)] * ends
    carry_out(record, decision)
    assert (record.autostart, record.worker_boot_id) == (autostart and not ends, boot_id)


def test_after_changes_were_lost_nothing_starts_by_itself() -> None:
    idle, waiting, busy = record_of("ab"), record_of("ab"), executing("ab")
    waiting.queue_activity = QueueActivity(active=True)
    for record in (idle, waiting, busy):
        record.autostart = True
        decision = stop_after_loss(record)
        assert ev.AutostartChanged(enabled=False) in decision.events
        carry_out(record, decision)
        assert not record.autostart
        assert not stop_after_loss(record).changes
    assert [record.queue_activity.active for record in (idle, waiting)] == [False, False]
    assert busy.queue_activity == QueueActivity(active=True, stop_pending=True)
    assert finish(busy, ExitStatus.COMPLETED).result.claimed is None


def test_starting_claims_the_first_item() -> None:
    record = record_of("ab")
    decision = start_queue(record, "jane", claim_context())
    carry_out(record, decision)
    claimed = decision.result.claimed
    assert claimed == running(plan("a"), "id-1")
    assert (record.running, uids(record), record.queue_activity) == (claimed, ["b"], QueueActivity(active=True))
    assert list(decision.events) == [ev.QueueStarted("jane"), ev.ItemStarted(running(plan("a"), "id-1"))]


def test_starting_an_empty_queue_changes_nothing() -> None:
    decision = start_queue(record_of([]), "jane", claim_context())
    assert (decision.result.claimed, list(decision.changes), list(decision.events)) == (None, [], [])


def test_a_queue_that_starts_with_a_stop_instruction_consumes_it_and_stops() -> None:
    record = record_of([])
    record.queue.put(stop_instruction("s"), 1)
    record.queue.put(plan("a"), 2)
    decision = start_queue(record, "jane", claim_context())
    carry_out(record, decision)
    assert (decision.result.claimed, record.running, uids(record)) == (None, None, ["a"])
    assert record.queue_activity == QueueActivity()
    assert list(decision.events) == [
        ev.QueueStarted("jane"),
        ev.ItemRemoved("s", 0),
        ev.QueueStopped(ev.StopReason.INSTRUCTION),
    ]


def test_a_stop_is_noted_once_and_can_be_taken_back_once() -> None:
    record = executing("a")
    first = stop_queue(record, "jane")
    carry_out(record, first)
    assert record.queue_activity == QueueActivity(active=True, stop_pending=True)
    assert list(first.events) == [ev.QueueStopRequested("jane")]
    assert not stop_queue(record, "jane").changes
    back = cancel_stop_queue(record, "joe")
    carry_out(record, back)
    assert record.queue_activity == QueueActivity(active=True)
    assert list(back.events) == [ev.QueueStopCancelled("joe")]
    again = cancel_stop_queue(record, "joe")
    assert (list(again.changes), list(again.events)) == ([], [])


def test_after_success_the_next_item_is_claimed_in_the_same_decision() -> None:
    record = executing("ab")
    decision = finish(record, ExitStatus.COMPLETED)
    assert decision.result.claimed is not None
    assert (decision.result.claimed.item.uid, decision.result.requeued) == ("a", None)
    assert (record.running, uids(record)) == (decision.result.claimed, ["b"])
    assert record.queue_activity == QueueActivity(active=True)
    assert kinds(decision) == [ev.ItemFinished, ev.HistoryAdded, ev.ItemStarted]
    (written,) = record.history.newest(9)
    assert (written.number, written.item.uid, written.execution_id, written.requeued_as_uid) == (1, "r", "x-1", "")
    assert written.result.exit_status is ExitStatus.COMPLETED


def test_an_item_that_was_stopped_is_done_and_stops_the_queue() -> None:
    record = executing("ab")
    decision = finish(record, ExitStatus.STOPPED)
    assert (decision.result.claimed, decision.result.requeued) == (None, None)
    assert (record.running, uids(record), record.queue_activity) == (None, ["a", "b"], QueueActivity())
    assert kinds(decision) == [ev.ItemFinished, ev.HistoryAdded, ev.QueueStopped]
    assert decision.events[-1] == ev.QueueStopped(ev.StopReason.REQUESTED)


@pytest.mark.parametrize("status", BAD)
def test_after_a_failure_a_new_attempt_stands_in_front_and_the_queue_stops(status: ExitStatus) -> None:
    record = executing("ab")
    decision = finish(record, status)
    retry = decision.result.requeued
    assert retry is not None
    assert (retry.attempt, retry.retry_of_uid, retry.created, retry.name) == (2, "r", NOW, "count")
    assert uids(record) == [retry.uid, "a", "b"]
    assert (decision.result.claimed, record.running, record.queue_activity) == (None, None, QueueActivity())
    assert kinds(decision) == [ev.ItemFinished, ev.HistoryAdded, ev.ItemsAdded, ev.QueueStopped]
    assert decision.events[-1] == ev.QueueStopped(ev.StopReason.FAILURE)
    assert record.history.newest(1)[0].requeued_as_uid == retry.uid


def test_attempts_are_counted_and_linked_from_failure_to_failure() -> None:
    record, ids = executing(""), claim_context()
    before = plan("r")
    for attempt in range(2, 6):
        decision = finish_item(record, outcome(status=ExitStatus.FAILED), ids, ROOM)
        assert decision is not None
        carry_out(record, decision)
        retry = record.queue.at(0)
        assert (retry.attempt, retry.retry_of_uid) == (attempt, before.uid)
        record.queue.drop(retry.uid)
        record.running, before = running(retry), retry
    assert [done.item.attempt for done in record.history.newest(9)] == [1, 2, 3, 4]


def test_a_pending_stop_stops_the_queue_after_the_item_and_is_then_gone() -> None:
    record = executing("ab", stop_pending=True)
    decision = finish(record, ExitStatus.COMPLETED)
    assert (decision.result.claimed, uids(record), record.queue_activity) == (None, ["a", "b"], QueueActivity())
    assert decision.events[-1] == ev.QueueStopped(ev.StopReason.REQUESTED)


def test_the_queue_stops_when_it_is_empty() -> None:
    record = executing("")
    decision = finish(record, ExitStatus.COMPLETED)
    assert (record.running, record.queue_activity) == (None, QueueActivity())
    assert decision.events[-1] == ev.QueueStopped(ev.StopReason.EMPTY)


def test_the_queue_stops_when_the_environment_can_take_no_more() -> None:
    record = executing("ab")
    decision = finish(record, ExitStatus.COMPLETED, can_execute=False)
    assert (decision.result.claimed, uids(record), record.queue_activity) == (None, ["a", "b"], QueueActivity())
    assert decision.events[-1] == ev.QueueStopped(ev.StopReason.ENVIRONMENT)


def test_a_stop_instruction_after_an_item_is_consumed_and_stops_the_queue() -> None:
    record = executing("")
    record.queue.put(stop_instruction("s"), 1)
    record.queue.put(plan("a"), 2)
    decision = finish(record, ExitStatus.COMPLETED)
    assert (decision.result.claimed, record.running, uids(record)) == (None, None, ["a"])
    assert record.queue_activity == QueueActivity()
    assert list(decision.events[-2:]) == [ev.ItemRemoved("s", 0), ev.QueueStopped(ev.StopReason.INSTRUCTION)]


def test_an_outcome_that_was_accounted_for_is_recognised() -> None:
    record = executing("ab")
    finish(record, ExitStatus.COMPLETED)
    before = state(record)
    assert finish_item(record, outcome("x-1"), claim_context(), ROOM) is None
    assert state(record) == before


@pytest.mark.parametrize("record", [record_of("ab"), executing("ab")], ids=["nothing runs", "another runs"])
def test_an_outcome_of_an_unknown_execution_is_nobodys(record: Record) -> None:
    strange = Outcome("never heard of", outcome().result)
    assert finish_item(record, strange, claim_context(), ROOM) is None


@pytest.mark.parametrize(("done", "left"), [(2, [1, 2, 3]), (3, [2, 3, 4]), (7, [6, 7, 8])])
def test_beyond_its_limit_the_history_lets_the_oldest_entries_go(done: int, left: list[int]) -> None:
    record = executing("", done=done)
    finish(record, ExitStatus.COMPLETED, limit=3)
    assert [written.number for written in record.history.newest(99)] == left


def test_a_history_of_one_entry_keeps_the_newest() -> None:
    record = executing("", done=1)
    finish(record, ExitStatus.COMPLETED, limit=1)
    assert [written.item.uid for written in record.history.newest(99)] == ["r"]
    assert record.history.newest(1)[0] != entry(1)


def test_an_item_that_ends_after_the_queue_was_no_longer_active_starts_no_other() -> None:
    record = record_of("ab", running_uid="r")
    decision = finish(record, ExitStatus.COMPLETED)
    assert (decision.result.claimed, uids(record)) == (None, ["a", "b"])
    assert decision.events[-1] == ev.QueueStopped(ev.StopReason.REQUESTED)
