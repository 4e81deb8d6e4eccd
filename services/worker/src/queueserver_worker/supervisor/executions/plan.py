"""The running plan, if there is one: its execution, the requests for it, its one outcome.

Guarantees: reports about another execution are ignored; an outcome ends the execution, and tells which
requests for it had no effect. While a plan is paused its execution continues. A request reaches the execution that it
names and no other; one that arrives before its execution is kept for it, until another begins or the environment ends.
The environment's report is corrected where it can't be right: the runs are those whose documents were seen here, and
causes that only the supervisor can know (the environment was lost, the service was stopped) are not taken from it, nor
is the printed text.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import environment_pb2, item_pb2
from queueserver.common.v1.document_pb2 import RunDocument
from queueserver.common.v1.item_pb2 import ItemResult, RunSummary
from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.event_pb2 import (
    DocumentEmitted,
    ExecutionOutcome,
    ExecutionStarted,
    PlanExecution,
    RunClosed,
    RunOpened,
)

from queueserver_worker.clock import is_time, now
from queueserver_worker.supervisor.executions.interruptions import EngineRequest, RunEngineControl
from queueserver_worker.supervisor.executions.results import Excerpt, complete
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.process.failure import Ending, service_stopped

MAX_RUNS = 10_000
"""Runs that are listed of one execution; later ones are executed and reported by their documents only."""
MAX_RUNS_BYTES = 896 * 1024
"""Bytes of the runs that are listed, fewer if their uids are long: every gRPC client accepts a response with them."""
MAX_UID = 200
"""Characters in the uid of a run that is listed: five times those of a UUID."""
_MAX_EXIT_STATUS = 20
_BESIDE_UID = 48
"""Bytes of a run beside its uid, at most."""
_EXIT_STATUSES = frozenset(
    {
        item_pb2.EXIT_STATUS_COMPLETED,
        item_pb2.EXIT_STATUS_FAILED,
        item_pb2.EXIT_STATUS_STOPPED,
        item_pb2.EXIT_STATUS_ABORTED,
        item_pb2.EXIT_STATUS_HALTED,
    }
)
_CAUSES_OF_THE_ENVIRONMENT = frozenset({item_pb2.FAILURE_CAUSE_PLAN_ERROR, item_pb2.FAILURE_CAUSE_NOT_STARTED})
_log = logging.getLogger(__name__)


class RunningExecution:
    """The running execution."""

    def __init__(self, execution_id: str, item_uid: str) -> None:
        self._message = PlanExecution(execution_id=execution_id, item_uid=item_uid)
        self._runs: dict[str, RunSummary] = {}
        self._runs_bytes = 0
        #: The last text printed while it runs.
        self.excerpt = Excerpt()

    @property
    def execution_id(self) -> str:
        """Its identity."""
        return self._message.execution_id

    @property
    def item_uid(self) -> str:
        """The item it executes."""
        return self._message.item_uid

    @property
    def message(self) -> PlanExecution:
        """The whole of it, as it is published."""
        return self._message

    def begin(self, start_time: Timestamp) -> ExecutionStarted:
        """The plan began; returns what is published about that."""
        began = start_time if is_time(start_time) else now()
        self._message.start_time.CopyFrom(began)
        return ExecutionStarted(execution_id=self.execution_id, item_uid=self.item_uid, start_time=began)

    def see(self, document: RunDocument) -> RunOpened | RunClosed | None:
        """Note a run document; returns what is published if it opened or closed a listed run."""
        if document.HasField("start"):
            return self._open(document)
        if document.HasField("stop"):
            return self._close(document)
        return None

    def reported(self, result: ItemResult) -> ExecutionOutcome:
        """The outcome, when the environment reported it."""
        outcome = self._outcome(result)
        fixed = outcome.result
        if fixed.exit_status not in _EXIT_STATUSES:
            fixed.exit_status = item_pb2.EXIT_STATUS_FAILED
        if fixed.exit_status != item_pb2.EXIT_STATUS_FAILED:
            fixed.failure_cause = item_pb2.FAILURE_CAUSE_UNSPECIFIED
        elif fixed.failure_cause not in _CAUSES_OF_THE_ENVIRONMENT:
            fixed.failure_cause = item_pb2.FAILURE_CAUSE_PLAN_ERROR
        return outcome

    def interrupted(self, result: ItemResult, message: str) -> ExecutionOutcome:
        """The outcome, when the plan ended because the service was stopped.

        A plan that came to its end in spite of that keeps the result it reported.
        """
        outcome = self.reported(result)
        if outcome.result.exit_status in (item_pb2.EXIT_STATUS_ABORTED, item_pb2.EXIT_STATUS_FAILED):
            outcome.result.exit_status = item_pb2.EXIT_STATUS_FAILED
            outcome.result.failure_cause = item_pb2.FAILURE_CAUSE_SHUTDOWN
            outcome.result.message = message
        return outcome

    def lost(self, ending: Ending) -> ExecutionOutcome:
        """The outcome, when the environment is gone and can't report it. Runs that were open stay open."""
        return self._outcome(
            ItemResult(
                exit_status=item_pb2.EXIT_STATUS_FAILED,
                failure_cause=ending.cause,
                message=ending.plan_message,
                ended_by=ending.user,
            )
        )

    def _outcome(self, result: ItemResult) -> ExecutionOutcome:
        outcome = ExecutionOutcome(execution_id=self.execution_id, item_uid=self.item_uid, result=result)
        complete(outcome.result, self.excerpt)
        del outcome.result.runs[:]
        outcome.result.runs.extend(self._message.runs)
        if self._message.HasField("start_time"):
            outcome.result.start_time.CopyFrom(self._message.start_time)
        else:
            outcome.result.ClearField("start_time")
        return outcome

    def _open(self, document: RunDocument) -> RunOpened | None:
        start = document.start
        if start.uid in self._runs or len(self._runs) >= MAX_RUNS or len(start.uid) > MAX_UID:
            return None
        size = len(start.uid.encode()) + _BESIDE_UID
        if self._runs_bytes + size > MAX_RUNS_BYTES:
            return None
        self._runs_bytes += size
        run = self._message.runs.add(run_uid=start.uid, open=True)
        if start.HasField("scan_id"):
            run.scan_id = start.scan_id
        self._runs[start.uid] = run
        return RunOpened(execution_id=self.execution_id, run=run)

    def _close(self, document: RunDocument) -> RunClosed | None:
        run = self._runs.get(document.stop.run_start_uid)
        if run is None or not run.open:
            return None
        run.open = False
        run.exit_status = document.stop.exit_status.encode()[:_MAX_EXIT_STATUS].decode(errors="ignore")
        return RunClosed(execution_id=self.execution_id, run_uid=run.run_uid, exit_status=run.exit_status)


@dataclass
class _Awaited:
    """An execution that was named and has not arrived, and the requests for it."""

    execution_id: str
    control: RunEngineControl = field(default_factory=RunEngineControl)
    requests: list[EngineRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.control.execution_accepted()


class RunningPlan:
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
        for request in awaited.requests:
            self._control.accept(request.action)
        return tuple(awaited.requests)

    def forget(self, execution_id: str) -> bool:
        """Forget the requests for an execution that will not arrive; returns whether there were any."""
        if self._awaited is None or self._awaited.execution_id != execution_id:
            return False
        self._awaited = None
        return True

    def accept(self, request: EngineRequest) -> bool:
        """Accept a request; returns whether the environment is to be told now, see `RunEngineControl.accept`.

        Raises NotRunningError or NotPausedError.
        """
        running = self._execution.execution_id if self._execution is not None else ""
        if request.execution_id in {"", running}:
            return self._control.accept(request.action)
        if self._awaited is None or self._awaited.execution_id != request.execution_id:
            awaited = _Awaited(request.execution_id)
        else:
            awaited = self._awaited
        if awaited.control.accept(request.action):
            awaited.requests.append(request)
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
        _log.warning("The environment named execution %.40s, which is not running; it is ignored.", execution_id)
        return False

    def finished(self, frame: channel_pb2.PlanFinished, *, stopping: bool) -> ExecutionOutcome | None:
        """End the execution as the environment reports; None if it is not the running one."""
        execution = self._execution
        if execution is None or not self.is_current(frame.execution_id):
            return None
        if stopping:
            return self._end(execution.interrupted(frame.result, service_stopped().plan_message))
        return self._end(execution.reported(frame.result))

    def lost(self, ending: Ending) -> ExecutionOutcome | None:
        """End the execution because the environment is gone; None if none is running."""
        self._awaited = None
        return self._end(self._execution.lost(ending)) if self._execution is not None else None

    def _end(self, outcome: ExecutionOutcome) -> ExecutionOutcome:
        outcome.pause_pending, outcome.end_requested = self._control.pause_pending, self._control.end_requested
        self._execution = None
        self._control.execution_ended()
        return outcome
