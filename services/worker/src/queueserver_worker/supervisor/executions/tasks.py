"""The running tasks, at most one in the foreground and some in the background, and how each gets its one outcome.

Guarantees: reports about a task that is not running are ignored; an outcome ends the task. Text belongs
to the foreground task by time, and to a background task because the environment says which one wrote it.
The environment's report is bounded and made consistent: a task that failed has a message and no value, one that
did not fail has neither message nor traceback. The printed text is what was seen here.
"""

from __future__ import annotations

import logging

from queueserver.common.v1 import task_pb2
from queueserver.common.v1.task_pb2 import TaskResult
from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.event_pb2 import TaskOutcome
from queueserver.worker.v1.worker_service_pb2 import TaskCommand
from queueserver_protos.task_terms import MAX_RETURN_VALUE_BYTES, failure_text, kind_of

from queueserver_worker.clock import is_time, now
from queueserver_worker.supervisor.executions.results import Excerpt, complete
from queueserver_worker.supervisor.process.failure import Ending

MAX_BACKGROUND = 100
"""Tasks that may run in the background; each has a thread."""
_log = logging.getLogger(__name__)


class RunningTask:
    """A running task."""

    def __init__(self, command: TaskCommand) -> None:
        self.uid = command.task_uid
        self.in_background = command.run_in_background
        #: The last text that it printed.
        self.excerpt = Excerpt()
        self._kind = kind_of(command.WhichOneof("work"))
        self._start_time = now()

    def reported(self, result: TaskResult, room: int) -> TaskOutcome:
        """The outcome, when the environment reported it. There is `room` for that many bytes of a value."""
        size = result.return_value.ByteSize()
        if size > min(MAX_RETURN_VALUE_BYTES, room):
            why = f"it did what it should, but its return value of {size} bytes could not be kept; return less."
            return self._outcome(TaskResult(message=failure_text(self._kind, why), start_time=result.start_time))
        return self._outcome(result)

    def lost(self, ending: Ending) -> TaskOutcome:
        """The outcome, when the environment is gone and can't report it."""
        outcome = self._outcome(TaskResult(message=failure_text(self._kind, ending.task_message)))
        outcome.result.failure_cause = ending.task_cause
        return outcome

    def _outcome(self, result: TaskResult) -> TaskOutcome:
        outcome = TaskOutcome(task_uid=self.uid, result=result)
        found = outcome.result
        complete(found, self.excerpt)
        if found.success:
            found.message = found.traceback = ""
            found.ClearField("failure_cause")
        else:
            if found.failure_cause != task_pb2.TASK_FAILURE_CAUSE_NOT_STARTED:
                # What else makes tasks fail only the supervisor can know.
                found.failure_cause = task_pb2.TASK_FAILURE_CAUSE_TASK_ERROR
            found.message = found.message or failure_text(self._kind, "it did not say why.")
            found.ClearField("return_value")
        if not is_time(found.start_time):
            found.start_time.CopyFrom(self._start_time)
        return outcome


class RunningTasks:
    """All running tasks. Its methods are called in the loop."""

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
        _log.warning("The environment named task %.40s, which is not running; it is ignored.", task_uid)
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

    def lost(self, ending: Ending) -> list[TaskOutcome]:
        """End all tasks because the environment is gone."""
        lost = [task.lost(ending) for task in self._running.values()]
        self._running.clear()
        self._foreground = None
        return lost
