"""Accepting tasks and accounting for their results, as decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from queueserver_manager.domain.changes import Change, Decision, DropTasks, PutTask
from queueserver_manager.domain.events import TaskFinished, TaskStarted
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import TooManyTasks
from queueserver_manager.domain.tasks.tasks import (
    MOST_IN_BACKGROUND,
    FunctionCall,
    KeptTask,
    Retention,
    Script,
    Task,
    TaskOutcome,
    Work,
    ended,
    kind_of_work,
    outdated,
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """For whom, for which Worker process and environment, and when a task is accepted."""

    user: str
    user_group: str
    boot_id: str
    environment_id: str
    now: float
    new_id: Callable[[], str]


def accept_task(record: Record, work: Work, acceptance: Acceptance, *, background: bool) -> Decision[Task]:
    """Accept a task. Raises TooManyTasks: what the Worker would refuse is not accepted in the first place."""
    if background and record.tasks.background_count >= MOST_IN_BACKGROUND:
        raise TooManyTasks(
            f"{MOST_IN_BACKGROUND} tasks are running in the background, which is the maximum: "
            "wait until one of them has ended, then start this one."
        )
    task = Task(
        number=record.tasks.next_number,
        uid=acceptance.new_id(),
        kind=kind_of_work(work),
        name=work.name if isinstance(work, (FunctionCall, Script)) else "",
        background=background,
        user=acceptance.user,
        user_group=acceptance.user_group,
        created=acceptance.now,
        boot_id=acceptance.boot_id,
        environment_id=acceptance.environment_id,
        work=work,
    )
    return Decision(task, [PutTask(KeptTask(task))], [TaskStarted(task)])


def finish_task(record: Record, outcome: TaskOutcome, retention: Retention, now: float) -> Decision[bool]:
    """Account for a result, once; returns whether this was the time. Results that are too old are removed."""
    kept = record.tasks.get(outcome.task_uid)
    if kept is None or kept.result is not None:
        return Decision(False)
    done = ended(kept, outcome.result)
    old = outdated(record.tasks, retention, now)
    changes: list[Change] = [PutTask(done), DropTasks(old)] if old else [PutTask(done)]
    return Decision(True, changes, [TaskFinished(done.task, outcome.result)])
