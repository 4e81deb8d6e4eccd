"""One execution of an item: what is known about it while it runs, and how it gets its one outcome.

The environment's report is corrected where it can't be right: the runs are those whose documents were seen here, and
causes that only the supervisor can know (the environment was lost, the service was stopped) are not taken from it, nor
is the printed text.
"""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import item_pb2
from queueserver.common.v1.document_pb2 import RunDocument
from queueserver.common.v1.item_pb2 import ItemResult, RunSummary
from queueserver.worker.v1.event_pb2 import ExecutionOutcome, ExecutionStarted, PlanExecution, RunClosed, RunOpened

from queueserver_worker.supervisor.clock import is_time, now
from queueserver_worker.supervisor.executions.result_bounds import complete
from queueserver_worker.supervisor.process.excerpt import Excerpt
from queueserver_worker.supervisor.process.failure import Ending

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
