"""The scripted Worker with tasks: begun once each, and an outcome is kept until it is acknowledged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1 import task_pb2
from queueserver.worker.v1.event_pb2 import TaskOutcome, WorkerEvent, WorkerSnapshot

from tests.integration.manager.worker_script import Fate, WorkerScript


class TaskScript(WorkerScript):
    """A Worker. ``is_stored`` tells whether an execution is in the stored history, or a task has a stored result."""

    def __init__(self, is_stored: Callable[[str], bool]) -> None:
        super().__init__(is_stored)
        #: Tasks that go on, and whether in the background.
        self._tasks: dict[str, bool] = {}
        self._accepted_tasks: set[str] = set()
        #: Tasks that were really begun, in order.
        self.begun_tasks: list[str] = []
        #: Outcomes that were not acknowledged, by task, and all there ever were.
        self.task_outcomes: dict[str, TaskOutcome] = {}
        self._ended_tasks: list[TaskOutcome] = []
        #: What becomes of the next commands to run a task; then all are accepted.
        self.task_fates: deque[Fate] = deque()

    def takes_task(self, environment_id: str, *, background: bool) -> bool:
        """Whether a new task can be begun for this environment."""
        if environment_id != self.environment.environment_id:
            return False
        return self.is_open if background else self.environment.state == env.ENVIRONMENT_STATE_IDLE

    def knows_task(self, uid: str) -> bool:
        """Whether this task was accepted before."""
        return uid in self._accepted_tasks or uid in self.task_outcomes

    def begin_task(self, uid: str, *, background: bool) -> None:
        """Begin a task."""
        with self.changed:
            self._accepted_tasks.add(uid)
            self._tasks[uid] = background
            self.begun_tasks.append(uid)
            self._report_environment(self.environment.state if background else env.ENVIRONMENT_STATE_EXECUTING_TASK)

    def end_task(self, uid: str, *, success: bool = True) -> None:
        """A task that goes on ends."""
        with self.changed:
            if not self._tasks.pop(uid) and self.is_open:
                self._report_environment(env.ENVIRONMENT_STATE_IDLE)
            outcome = TaskOutcome(task_uid=uid, result=task_pb2.TaskResult(success=success))
            outcome.result.stop_time.GetCurrentTime()
            self.task_outcomes[uid] = outcome
            self._ended_tasks.append(outcome)
            self._report(WorkerEvent(task_finished=outcome))

    # As every Worker, and tasks with it

    def lose_environment(self) -> None:
        with self.changed:
            super().lose_environment()
            for uid in tuple(self._tasks):
                self.end_task(uid, success=False)

    def restart(self) -> None:
        with self.changed:
            self._tasks.clear()
            self._accepted_tasks.clear()
            super().restart()

    def clear(self) -> None:
        with self.changed:
            super().clear()
            self.begun_tasks.clear()
            self._ended_tasks.clear()

    def report_again(self, count: int) -> None:
        with self.changed:
            super().report_again(count)
            for outcome in reversed(self._newest_tasks(count)):
                self._report(WorkerEvent(task_finished=outcome))

    def remember(self, count: int) -> None:
        with self.changed:
            super().remember(count)
            self.task_outcomes.update((outcome.task_uid, outcome) for outcome in self._newest_tasks(count))

    def acknowledge(self, execution_ids: Iterable[str]) -> None:
        known = list(execution_ids)
        with self.changed:
            super().acknowledge(known)
            for uid in known:
                self.task_outcomes.pop(uid, None)

    def snapshot(self) -> WorkerSnapshot:
        snapshot = super().snapshot()
        if self.told is None:
            snapshot.running_task_uids.extend(self._tasks)
            snapshot.task_outcomes.extend(reversed(self.task_outcomes.values()))
        return snapshot

    def _newest_tasks(self, count: int) -> list[TaskOutcome]:
        return self._ended_tasks[max(0, len(self._ended_tasks) - count) :]
