"""Accepting tasks and accounting for them: once each, and not for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain.events import TaskFinished, TaskStarted
from queueserver_manager.domain.refusals.errors import TooManyTasks
from queueserver_manager.domain.tasks.task_lifecycle import Acceptance, accept_task, finish_task
from queueserver_manager.domain.tasks.tasks import (
    MOST_IN_BACKGROUND,
    EnvironmentUpdate,
    FunctionCall,
    KeptTask,
    Retention,
    Script,
    TaskKind,
    TaskOutcome,
    Tasks,
    outdated,
)
from queueserver_worker.supervisor.executions.tasks import MAX_BACKGROUND

from tests.unit.manager.samples import NOW, apply, record_of, relaxed, task, task_result

FOR_EVER = Retention(1e9, 10**6)
ACCEPTANCE = Acceptance("jane", "primary", "boot", "environment", NOW, lambda: "new")


def test_an_accepted_task_says_for_whom_and_for_which_environment_it_is() -> None:
    decision = accept_task(record_of(""), FunctionCall("f", [1]), ACCEPTANCE, background=True)
    task = decision.result
    assert (task.uid, task.kind, task.name, task.background) == ("new", TaskKind.FUNCTION, "f", True)
    assert (task.user, task.user_group, task.boot_id, task.environment_id) == ("jane", "primary", "boot", "environment")
    assert decision.events == [TaskStarted(task)]


def test_scripts_and_updates_have_no_name() -> None:
    record = record_of("")
    for work, kind in ((Script("pass"), TaskKind.SCRIPT), (EnvironmentUpdate(), TaskKind.ENVIRONMENT_UPDATE)):
        task = accept_task(record, work, ACCEPTANCE, background=False).result
        assert (task.kind, task.name) == (kind, "")


def test_only_a_foreground_task_that_goes_on_keeps_the_environment_to_itself() -> None:
    tasks = Tasks([KeptTask(task("a", 1, background=True)), KeptTask(task("b", 2), task_result())])
    assert tasks.foreground is None
    tasks.put(KeptTask(task("c", 3)))
    assert tasks.foreground == task("c", 3)
    tasks.put(KeptTask(task("c", 3), task_result()))
    assert tasks.foreground is None
    assert tasks.running == [task("a", 1, background=True)]


def test_the_background_takes_so_many_tasks_and_the_foreground_is_not_counted() -> None:
    record = record_of("")
    apply(record, accept_task(record, Script("pass"), ACCEPTANCE, background=False).changes)
    for number in range(MOST_IN_BACKGROUND):
        acceptance = replace(ACCEPTANCE, new_id=lambda uid=f"t-{number}": uid)
        apply(record, accept_task(record, Script("pass"), acceptance, background=True).changes)
    with pytest.raises(TooManyTasks):
        accept_task(record, Script("pass"), ACCEPTANCE, background=True)
    accept_task(record, Script("pass"), ACCEPTANCE, background=False)
    apply(record, finish_task(record, TaskOutcome("t-5", task_result()), FOR_EVER, NOW).changes)
    accept_task(record, Script("pass"), ACCEPTANCE, background=True)


def test_a_result_counts_once_and_lets_go_of_the_work() -> None:
    record = record_of("")
    apply(record, accept_task(record, Script("pass"), ACCEPTANCE, background=False).changes)
    outcome = TaskOutcome("new", task_result())
    decision = finish_task(record, outcome, FOR_EVER, NOW)
    apply(record, decision.changes)
    kept = record.tasks.get("new")
    assert kept is not None
    assert (kept.result, kept.task.work) == (outcome.result, None)
    assert decision.events == [TaskFinished(kept.task, outcome.result)]
    again = finish_task(record, TaskOutcome("new", task_result(success=False)), FOR_EVER, NOW)
    assert (again.result, list(again.changes), list(again.events)) == (False, [], [])


def test_a_result_of_a_stranger_changes_nothing() -> None:
    decision = finish_task(record_of(""), TaskOutcome("stranger", task_result()), FOR_EVER, NOW)
    assert (decision.result, list(decision.changes)) == (False, [])


@relaxed
@given(st.lists(st.none() | st.integers(0, 100), max_size=12), st.integers(1, 100), st.integers(1, 12))
def test_results_go_when_they_are_too_old_or_too_many_the_oldest_first(
    ends: list[int | None], age: int, count: int
) -> None:
    kept = [
        KeptTask(task(f"t-{number}", number), None if end is None else task_result(stop=NOW + end))
        for number, end in enumerate(ends, 1)
    ]
    gone = set(outdated(Tasks(kept), Retention(age, count), NOW + 100))
    left = [one for one in kept if one.task.uid not in gone]
    assert [one for one in kept if one.result is None] == [one for one in left if one.result is None]
    stops = [one.result.stop for one in left if one.result is not None]
    assert len(stops) <= count
    assert all(stop >= NOW + 100 - age for stop in stops)
    if len([end for end in ends if end is not None]) <= count:
        assert len(stops) == len([end for end in ends if end is not None and end >= 100 - age])


def test_a_task_that_began_first_and_ended_last_is_kept_longest() -> None:
    ends = {"long": 50, "short": 10, "shorter": 20}
    tasks = Tasks(KeptTask(task(uid, n), task_result(stop=NOW + end)) for n, (uid, end) in enumerate(ends.items(), 1))
    assert outdated(tasks, Retention(1e9, 2), NOW + 60) == ("short",)


def test_values_that_are_too_large_together_go_the_oldest_first() -> None:
    kept = [
        KeptTask(task(f"t-{number}", number), replace(task_result(stop=NOW + number), return_value=b"x" * 40))
        for number in range(1, 5)
    ]
    assert set(outdated(Tasks(kept), Retention(size=100), NOW + 5)) == {"t-1", "t-2"}


def test_numbers_of_tasks_go_on_after_a_restart() -> None:
    record = record_of("")
    record.tasks = Tasks([KeptTask(task("b", 7), task_result()), KeptTask(task("a", 3))])
    assert [kept.task.uid for kept in record.tasks] == ["a", "b"]
    decision = accept_task(record, Script("pass"), ACCEPTANCE, background=False)
    assert decision.result == replace(decision.result, number=8)


def test_the_manager_accepts_no_more_background_tasks_than_the_worker_takes() -> None:
    assert MOST_IN_BACKGROUND == MAX_BACKGROUND
