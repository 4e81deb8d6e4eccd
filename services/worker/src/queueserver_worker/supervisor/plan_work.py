"""The plan that goes on, if one does: its execution, the requests for it, its one outcome.

Guarantees: what the environment says of another execution is ignored; an outcome ends the execution. While a plan is
paused its execution goes on.
"""

from __future__ import annotations

import logging

from queueserver.common.v1 import environment_pb2
from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.event_pb2 import DocumentEmitted, ExecutionOutcome, RunOpened

from queueserver_worker.supervisor import failure
from queueserver_worker.supervisor.control import Action, RunEngineControl
from queueserver_worker.supervisor.execution import RunningExecution
from queueserver_worker.supervisor.journal import Journal

_log = logging.getLogger(__name__)


class PlanWork:
    """The plan that goes on. Its methods are called in the loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._execution: RunningExecution | None = None
        self._control = RunEngineControl()

    @property
    def execution(self) -> RunningExecution | None:
        """The execution that goes on, if any."""
        return self._execution

    @property
    def item_uid(self) -> str:
        """The item that is executed; empty if none is."""
        return self._execution.item_uid if self._execution is not None else ""

    @property
    def paused(self) -> bool:
        """The plan is paused, and nobody has said how to go on."""
        return self._control.paused

    @property
    def pause_pending(self) -> bool:
        """A pause was accepted, and the plan has neither paused nor ended since."""
        return self._control.pause_pending

    def begin(self, execution_id: str, item_uid: str) -> None:
        """An execution goes on from now on."""
        self._execution = RunningExecution(execution_id, item_uid)
        self._control.execution_accepted()

    def accept(self, action: Action) -> bool:
        """Accept a request for the plan, see `RunEngineControl.accept`. Raises NotRunningError or NotPausedError."""
        return self._control.accept(action)

    def run_engine_changed(self, state: environment_pb2.RunEngineState.ValueType) -> None:
        """Note a state of the RunEngine."""
        self._control.state_changed(state)

    def document(self, frame: channel_pb2.RunDocumentEmitted) -> None:
        """Publish a run document, and what it says of the execution."""
        emitted = DocumentEmitted(item_uid=self.item_uid, run_uid=frame.run_uid, document=frame.document)
        self._journal.document(emitted)
        if self._execution is None:
            return
        change = self._execution.see(frame.document)
        if isinstance(change, RunOpened):
            self._journal.run_opened(change)
        elif change is not None:
            self._journal.run_closed(change)

    def started(self, frame: channel_pb2.PlanStarted) -> None:
        """Publish that the plan has begun."""
        if self._execution is not None and self.is_current(frame.execution_id):
            self._journal.execution_started(self._execution.begin(frame.start_time))

    def is_current(self, execution_id: str) -> bool:
        """Whether this is the execution that goes on."""
        if self._execution is not None and self._execution.execution_id == execution_id:
            return True
        _log.warning("The environment spoke of execution %.40s, which does not go on; it is ignored.", execution_id)
        return False

    def finished(self, frame: channel_pb2.PlanFinished, *, stopping: bool) -> ExecutionOutcome | None:
        """End the execution as the environment reports; None if it is not the one that goes on."""
        execution = self._execution
        if execution is None or not self.is_current(frame.execution_id):
            return None
        self._end()
        if stopping:
            return execution.interrupted(frame.result, failure.service_stopped().plan_message)
        return execution.reported(frame.result)

    def lost(self, ending: failure.Ending) -> ExecutionOutcome | None:
        """End the execution because the environment is gone; None if none goes on."""
        execution = self._execution
        if execution is None:
            return None
        self._end()
        return execution.lost(ending)

    def _end(self) -> None:
        self._execution = None
        self._control.execution_ended()
