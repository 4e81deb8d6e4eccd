"""The running plan, if there is one: its execution, the requests for it, its one outcome.

Guarantees: reports about another execution are ignored; an outcome ends the execution, and tells which
requests for it had no effect. While a plan is paused its execution continues. A request reaches the execution that it
names and no other; one that arrives before its execution is kept for it, until another begins or the environment ends.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from queueserver.common.v1 import environment_pb2
from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.event_pb2 import DocumentEmitted, ExecutionOutcome, RunOpened

from queueserver_worker.supervisor.executions.execution import RunningExecution
from queueserver_worker.supervisor.executions.interruptions import EngineRequest, RunEngineControl
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.process import failure

_log = logging.getLogger(__name__)


@dataclass
class _Awaited:
    """An execution that was named and has not arrived, and the requests for it."""

    execution_id: str
    control: RunEngineControl = field(default_factory=RunEngineControl)
    asked: list[EngineRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.control.execution_accepted()


class PlanWork:
    """The running plan. Its methods are called in the loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._execution: RunningExecution | None = None
        self._control = RunEngineControl()
        self._awaited: _Awaited | None = None

    @property
    def execution(self) -> RunningExecution | None:
        """The running execution, if any."""
        return self._execution

    @property
    def item_uid(self) -> str:
        """The item that is executed; empty if none is."""
        return self._execution.item_uid if self._execution is not None else ""

    @property
    def paused(self) -> bool:
        """The plan is paused, and it is not decided how to continue."""
        return self._control.paused

    @property
    def pause_pending(self) -> bool:
        """A pause was accepted, and the plan has neither paused nor ended since."""
        return self._control.pause_pending or (self._awaited is not None and self._awaited.control.pause_pending)

    def begin(self, execution_id: str, item_uid: str) -> Sequence[EngineRequest]:
        """An execution begins; returns the requests for it that came before it."""
        self._execution = RunningExecution(execution_id, item_uid)
        self._control.execution_accepted()
        awaited, self._awaited = self._awaited, None
        if awaited is None or awaited.execution_id != execution_id:
            return ()
        for asked in awaited.asked:
            self._control.accept(asked.action)
        return tuple(awaited.asked)

    def forget(self, execution_id: str) -> bool:
        """Forget the requests for an execution that will not arrive; returns whether there were any."""
        if self._awaited is None or self._awaited.execution_id != execution_id:
            return False
        self._awaited = None
        return True

    def accept(self, asked: EngineRequest) -> bool:
        """Accept a request; returns whether the environment is to be told now, see `RunEngineControl.accept`.

        Raises NotRunningError or NotPausedError.
        """
        running = self._execution.execution_id if self._execution is not None else ""
        if asked.execution_id in {"", running}:
            return self._control.accept(asked.action)
        if self._awaited is None or self._awaited.execution_id != asked.execution_id:
            awaited = _Awaited(asked.execution_id)
        else:
            awaited = self._awaited
        if awaited.control.accept(asked.action):
            awaited.asked.append(asked)
        self._awaited = awaited
        return False

    def run_engine_changed(self, state: environment_pb2.RunEngineState.ValueType) -> None:
        """Note a state of the RunEngine."""
        self._control.state_changed(state)

    def document(self, frame: channel_pb2.RunDocumentEmitted) -> None:
        """Publish a run document, and what it says about the execution."""
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
        """Whether this is the running execution."""
        if self._execution is not None and self._execution.execution_id == execution_id:
            return True
        _log.warning("The environment spoke of execution %.40s, which does not go on; it is ignored.", execution_id)
        return False

    def finished(self, frame: channel_pb2.PlanFinished, *, stopping: bool) -> ExecutionOutcome | None:
        """End the execution as the environment reports; None if it is not the running one."""
        execution = self._execution
        if execution is None or not self.is_current(frame.execution_id):
            return None
        if stopping:
            return self._end(execution.interrupted(frame.result, failure.service_stopped().plan_message))
        return self._end(execution.reported(frame.result))

    def lost(self, ending: failure.Ending) -> ExecutionOutcome | None:
        """End the execution because the environment is gone; None if none is running."""
        self._awaited = None
        return self._end(self._execution.lost(ending)) if self._execution is not None else None

    def _end(self, outcome: ExecutionOutcome) -> ExecutionOutcome:
        outcome.pause_pending, outcome.end_requested = self._control.pause_pending, self._control.end_requested
        self._execution = None
        self._control.execution_ended()
        return outcome
