"""Immediate execution: it leaves the queue alone, whatever becomes of it."""

from __future__ import annotations

import itertools

import pytest
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.changes import Decision, QueueActivity, SetRunning
from queueserver_manager.domain.queue.item import ExitStatus
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.queue.queue_run import Advance, execute_item, finish_item
from queueserver_manager.domain.record import Record

from tests.unit.manager.samples import (
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

MODES = [QueueMode(*parts) for parts in itertools.product((False, True), (False, True), InterruptedPolicy)]


PLAIN = QueueMode()


def immediate(mode: QueueMode = PLAIN, *, stop_pending: bool = False) -> Record:
    """A record with autostart on, the queue a b, and r executed immediately as x-1."""
    record = record_of("ab")
    record.running = running(plan("r"), immediate=True)
    record.mode, record.autostart = mode, True
    record.queue_activity = QueueActivity(stop_pending=stop_pending)
    return record


def finish(record: Record, status: ExitStatus, **claim: bool) -> Decision[Advance]:
    decision = finish_item(record, outcome("x-1", status), claim_context(**claim), ROOM)
    assert decision is not None
    carry_out(record, decision)
    return decision


def test_an_item_is_claimed_without_entering_or_starting_the_queue() -> None:
    record = record_of("ab")
    decision = execute_item(record, plan("r"), claim_context())
    carry_out(record, decision)
    assert decision.result == running(plan("r"), "id-1", immediate=True)
    assert (record.running, uids(record), record.queue_activity) == (decision.result, ["a", "b"], QueueActivity())
    assert list(decision.changes) == [SetRunning(decision.result)]
    assert list(decision.events) == [ev.ItemStarted(running(plan("r"), "id-1", immediate=True))]


def test_an_immediate_stop_instruction_does_nothing_but_end_autostart() -> None:
    record = record_of("ab")
    record.autostart = True
    decision = execute_item(record, stop_instruction("s"), claim_context())
    carry_out(record, decision)
    assert (decision.result, record.running, record.autostart, uids(record)) == (None, None, False, ["a", "b"])
    assert list(decision.events) == [ev.AutostartChanged(enabled=False)]


def test_an_immediate_stop_instruction_without_autostart_does_nothing_at_all() -> None:
    record = record_of("ab")
    before = state(record)
    decision = execute_item(record, stop_instruction("s"), claim_context())
    carry_out(record, decision)
    assert (state(record), list(decision.events)) == (before, [])


@pytest.mark.parametrize("mode", MODES, ids=repr)
@pytest.mark.parametrize("status", ExitStatus)
def test_however_it_ends_it_goes_to_the_history_and_the_queue_stays_as_it_is(
    mode: QueueMode, status: ExitStatus
) -> None:
    record = immediate(mode)
    decision = finish(record, status)
    assert (decision.result, record.running) == (Advance(None), None)
    assert (uids(record), record.queue_activity) == (["a", "b"], QueueActivity())
    (entry,) = record.history.newest(9)
    assert (entry.item.uid, entry.requeued_as_uid, entry.result.exit_status) == ("r", "", status)
    well = status is ExitStatus.COMPLETED or (status is ExitStatus.FAILED and mode.ignore_failures)
    assert record.autostart == well
    expected = [ev.ItemFinished, ev.HistoryAdded] + [ev.AutostartChanged] * (not well)
    assert [type(event) for event in decision.events] == expected


@pytest.mark.parametrize(
    ("stop_pending", "claim"), [(True, {}), (False, {"pause_unresolved": True}), (False, {"end_requested": True})]
)
def test_a_stop_pause_or_end_that_was_asked_for_while_it_ran_ends_autostart(
    stop_pending: bool, claim: dict[str, bool]
) -> None:
    record = immediate(stop_pending=stop_pending)
    finish(record, ExitStatus.COMPLETED, **claim)
    assert (record.autostart, record.queue_activity) == (False, QueueActivity())
