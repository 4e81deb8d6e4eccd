"""What the log tells of what people did."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.lifecycle import Environment, EnvironmentFailure, EnvironmentState, RunEngineState
from queueserver_manager.domain.lock.lock import Claim, Lock, LockRequest
from queueserver_manager.domain.queue.item import ExitStatus, ItemResult, RunSummary
from queueserver_manager.operations.activity_log import ActivityLog, listening
from queueserver_process.log import line_of

from tests.unit.manager.samples import NOW, entry, plan, running, task, task_result


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="queueserver_manager")


def told(caplog: pytest.LogCaptureFixture, events: Sequence[ev.Event], user: str = "alice") -> list[tuple[str, str]]:
    caplog.clear()
    log = ActivityLog()
    for announcement in ev.announcements_of(7, NOW, events, user):
        log.note(announcement)
    log.end()
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def fields_of(record: Any) -> dict[str, Any]:
    return dict(record.fields)


@pytest.mark.parametrize(
    ("event", "user", "level", "sentence"),
    [
        (ev.QueueStarted("bob"), "bob", "INFO", "bob started the queue"),
        (ev.QueueStopRequested("bob"), "bob", "INFO", "bob asked the queue to stop after the running item"),
        (ev.QueueStopCancelled("bob"), "bob", "INFO", "bob cancelled the stop of the queue"),
        (ev.QueueStopped(ev.StopReason.EMPTY), "", "INFO", "The queue stopped: it is empty"),
        (ev.AutostartChanged(enabled=True), "a b", "INFO", "'a b' switched autostart on"),
        (ev.AutostartChanged(enabled=False), "", "INFO", "The server switched autostart off"),
        (ev.QueueCleared(3), "bob", "INFO", "bob cleared the queue: 3 items"),
        (ev.HistoryCleared(1, 2), "bob", "INFO", "bob cleared 1 entry of the history"),
        (
            ev.ItemsAdded((plan("u"),) * 4, 2),
            "bob",
            "DEBUG",
            "bob added 4 items to the queue at 2: count, count, count, …",
        ),
        (ev.ItemStarted(running(plan("u"))), "", "INFO", "Plan count of jane started: item u"),
        (ev.TaskStarted(task("t")), "jane", "INFO", "jane started function function_sleep: task t"),
    ],
)
def test_each_event_is_a_sentence_with_who(
    event: ev.Event, user: str, level: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(caplog, [event], user) == [(level, sentence)]


HUTCH = Claim(environment=True, queue=True, user="anna", note="in the\nhutch", time=NOW)
HELD = Lock("held", HUTCH)
ASKS = LockRequest("asked", Claim(environment=False, queue=True, user="bob", note="alignment", time=NOW), NOW + 60)
TAKEN = Lock("asked", ASKS.claim)
_C = ev.LockChange


@pytest.mark.parametrize(
    ("change", "now", "user", "request_", "sentence"),
    [
        (_C.ACQUIRED, HELD, "anna", None, "anna locked the environment and the queue (in the hutch)"),
        (_C.RELEASED, None, "anna", None, "anna released the lock of anna"),
        (
            *(_C.RELEASED_BY_EMERGENCY_KEY, None, "staff", None),
            "staff released the lock of anna with the emergency key",
        ),
        (_C.EXPIRED, None, "", None, "The lease of the lock of anna ended: nothing is locked"),
        (_C.CLEARED, None, "", None, "The lock of anna was cleared in Redis"),
        (_C.EXTENDED, HELD, "", None, "The lease of the lock of anna was extended by the server"),
        (_C.REQUESTED, HELD, "bob", ASKS, "bob asks anna for the lock of the queue (alignment)"),
        (_C.TAKEN_OVER, TAKEN, "anna", ASKS, "bob took over the lock from anna: the queue (alignment)"),
        (_C.REQUEST_REFUSED, HELD, "anna", ASKS, "anna refused bob the lock"),
        (_C.REQUEST_WITHDRAWN, HELD, "bob", ASKS, "bob no longer asks anna for the lock"),
        (_C.REQUEST_EXPIRED, HELD, "", ASKS, "bob did not get the lock of anna"),
    ],
)
def test_a_change_of_the_lock_is_a_sentence_with_who(
    change: ev.LockChange,
    now: Lock | None,
    user: str,
    request_: LockRequest | None,
    sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    event = ev.LockChanged(change, now, HELD, user, "", request_, emergency_key_is_set=False)
    assert told(caplog, [event], user) == [("INFO", sentence)]


def test_the_renewal_of_a_lease_is_a_detail_and_an_answer_is_told(caplog: pytest.LogCaptureFixture) -> None:
    renewed = ev.LockChanged(_C.RENEWED, HELD, HELD, "anna", "", None, emergency_key_is_set=False)
    assert told(caplog, [renewed], "anna") == [("DEBUG", "anna renewed the lease of the lock")]
    refused = ev.LockChanged(_C.REQUEST_REFUSED, HELD, HELD, "anna", "not now", ASKS, emergency_key_is_set=False)
    assert told(caplog, [refused], "anna") == [("INFO", "anna refused bob the lock (not now)")]
    long = replace(refused, answer_note="x" * 1000)
    assert len(told(caplog, [long], "anna")[0][1]) < 250


def test_a_batch_of_removals_is_one_line_and_an_instruction_that_was_obeyed_is_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    removed = [ev.ItemRemoved(f"u{number}", 0) for number in range(5)]
    assert told(caplog, removed) == [("INFO", "alice removed 5 items from the queue: u0, u1, u2, …")]
    obeyed = [ev.QueueStarted("alice"), ev.ItemRemoved("i", 0), ev.QueueStopped(ev.StopReason.INSTRUCTION)]
    assert told(caplog, obeyed) == [
        ("INFO", "alice started the queue"),
        ("INFO", "The queue stopped: an instruction in it says so"),
    ]


def test_a_plan_that_failed_is_a_warning_with_what_it_said_and_where_it_is_now(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs = (RunSummary("r", 1, is_open=False, exit_status="fail"),)
    result = ItemResult(ExitStatus.FAILED, stop=NOW + 2.5, start=NOW, message="Plan failed: no beam.", runs=runs)
    failed = replace(entry(1, "u"), result=result, requeued_as_uid="again")
    assert told(caplog, [ev.HistoryAdded(failed)], "") == [
        (
            "WARNING",
            (
                "Plan count of jane failed after 2.5 s: item u, 1 run. Plan failed: no beam. "
                "It is in the queue again as item again"
            ),
        )
    ]
    fields = fields_of(caplog.records[0])
    assert (fields["event"], fields["item_uid"], fields["seconds"]) == ("history_added", "u", 2.5)
    assert (fields["submitter"], fields["exit_status"]) == ("jane", "failed")


def test_a_plan_that_was_ended_tells_by_whom(caplog: pytest.LogCaptureFixture) -> None:
    result = ItemResult(ExitStatus.ABORTED, stop=NOW + 1, start=NOW, ended_by="bob")
    ((level, sentence),) = told(caplog, [ev.HistoryAdded(replace(entry(1, "u"), result=result))], "")
    assert (level, sentence) == ("INFO", "Plan count of jane was aborted by bob after 1.0 s: item u")


def test_a_plan_whose_environment_was_destroyed_failed_and_its_message_says_by_whom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = "The environment was destroyed on request of bob while the plan ran."
    result = ItemResult(ExitStatus.FAILED, stop=NOW + 1, start=NOW, ended_by="bob", message=message)
    ((_, sentence),) = told(caplog, [ev.HistoryAdded(replace(entry(1, "u"), result=result))], "")
    assert sentence == f"Plan count of jane failed after 1.0 s: item u. {message.rstrip('.')}"


def test_a_task_that_failed_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    result = replace(task_result(success=False), message="no such file")
    assert told(caplog, [ev.TaskFinished(task("t"), result)], "") == [
        ("WARNING", "Function function_sleep of jane failed after 1.0 s: task t. no such file")
    ]


def test_the_environment_tells_when_it_opens_pauses_and_why_it_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    opening = Environment("e", EnvironmentState.INITIALIZING)
    idle = Environment("e", EnvironmentState.IDLE, RunEngineState.IDLE, pid=12)
    paused = replace(idle, run_engine=RunEngineState.PAUSED)
    gone = Environment("e", EnvironmentState.CLOSED, failure=EnvironmentFailure("It was killed."))
    closed = replace(gone, failure=None)
    for before, after in [(opening, idle), (idle, idle), (idle, paused), (idle, gone), (opening, gone), (idle, closed)]:
        ActivityLog.environment_changed(before, after)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "The environment is open: process 12"),
        ("INFO", "The plan is paused"),
        ("WARNING", "The environment is gone: It was killed."),
        ("WARNING", "The environment could not be opened: It was killed."),
        ("INFO", "The environment is closed"),
    ]


def test_listeners_hear_the_lines_as_the_log_has_them_however_little_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[str] = []
    with listening(heard.append):
        told(caplog, [ev.QueueStarted("bob"), ev.ItemsAdded((plan("u"),), 0)])
        (logged, _) = caplog.records
        caplog.set_level(logging.WARNING, logger="queueserver_manager")
        assert told(caplog, [ev.QueueStarted("eve\nl")]) == []
    told(caplog, [ev.QueueStarted("carl")])
    first, second = heard
    assert first == f"{line_of(logged)}\n"
    assert first.endswith(" queueserver_manager.activity] bob started the queue\n")
    assert second.endswith("] 'eve\\nl' started the queue\n")
