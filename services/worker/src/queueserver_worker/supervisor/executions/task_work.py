"""The running tasks: at most one in the foreground, and some in the background.

Guarantees: reports about a task that is not running are ignored; an outcome ends the task. Text belongs
to the foreground task by time, and to a background task because the environment says which one wrote it.
"""

from __future__ import annotations

import logging

from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.event_pb2 import TaskOutcome
from queueserver.worker.v1.worker_service_pb2 import TaskCommand

from queueserver_worker.supervisor.executions.task import RunningTask
from queueserver_worker.supervisor.process import failure

MAX_BACKGROUND = 100
"""Tasks that may run in the background; each has a thread."""
_log = logging.getLogger(__name__)


class TaskWork:
    """The running tasks. Its methods are called in the loop."""

    def __init__(self) -> None:
        self._running: dict[str, RunningTask] = {}
        self._foreground: RunningTask | None = None

    @property
    def uids(self) -> list[str]:
        """The running tasks, in the order in which they were accepted."""
        return list(self._running)

    @property
    def foreground(self) -> RunningTask | None:
        """The task in the foreground, if one is running."""
        return self._foreground

    @property
    def background_count(self) -> int:
        """How many tasks are running in the background."""
        return len(self._running) - (self._foreground is not None)

    def begin(self, command: TaskCommand) -> None:
        """A task is running from now on."""
        task = RunningTask(command)
        self._running[task.uid] = task
        if not task.in_background:
            self._foreground = task

    def is_current(self, task_uid: str) -> bool:
        """Whether this task is running."""
        if task_uid in self._running:
            return True
        _log.warning("The environment spoke of task %.40s, which does not go on; it is ignored.", task_uid)
        return False

    def printed_by(self, task_uid: str, text: str) -> bool:
        """Note what a background task printed; returns whether it is running."""
        if not self.is_current(task_uid):
            return False
        self._running[task_uid].excerpt.add(text)
        return True

    def finished(self, frame: channel_pb2.TaskFinished, room: int) -> TaskOutcome | None:
        """End a task as the environment reports; None if it is not running. `room` as in `RunningTask.reported`."""
        if not self.is_current(frame.task_uid):
            return None
        task = self._running.pop(frame.task_uid)
        if task is self._foreground:
            self._foreground = None
        return task.reported(frame.result, room)

    def lost(self, ending: failure.Ending) -> list[TaskOutcome]:
        """End all tasks because the environment is gone."""
        lost = [task.lost(ending) for task in self._running.values()]
        self._running.clear()
        self._foreground = None
        return lost
