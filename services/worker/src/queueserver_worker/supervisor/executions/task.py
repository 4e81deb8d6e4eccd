"""One task: what is known about it while it runs, and how it gets its one outcome.

The environment's report is bounded and made consistent: a task that failed has a message and no value, one that
did not fail has neither message nor traceback. The printed text is what was seen here.
"""

from __future__ import annotations

from queueserver.common.v1 import task_pb2
from queueserver.common.v1.task_pb2 import TaskResult
from queueserver.worker.v1.event_pb2 import TaskOutcome
from queueserver.worker.v1.worker_service_pb2 import TaskCommand

from queueserver_worker.supervisor.clock import is_time, now
from queueserver_worker.supervisor.executions.result_bounds import complete
from queueserver_worker.supervisor.process.excerpt import Excerpt
from queueserver_worker.supervisor.process.failure import Ending
from queueserver_worker.task_terms import MAX_RETURN_VALUE_BYTES, failure_text, kind_of


class RunningTask:
    """A running task."""

    def __init__(self, command: TaskCommand) -> None:
        self.uid = command.task_uid
        self.in_background = command.run_in_background
        #: The last text that it printed.
        self.excerpt = Excerpt()
        self._kind = kind_of(command)
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
