"""A Worker as a test decides it to be: which plans it executes, what it tells, and what of that gets lost.

It keeps the promises of the contract: an execution id is started once, an outcome is kept until it is acknowledged,
events are numbered without holes and kept for who comes back. Everything else happens when the test says so. It has
no process and no network; ``worker_server.py`` gives it a voice, and ``task_script.py`` tasks. Test and server call it
from different threads, so everything happens under ``changed``, which is notified at every change.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum

from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1 import inventory_pb2, item_pb2
from queueserver.worker.v1.event_pb2 import (
    ExecutionOutcome,
    ExecutionStarted,
    PlanExecution,
    WorkerEvent,
    WorkerSnapshot,
)
from queueserver_client import ExitStatus

#: The only plan there is. It has no parameters.
PLAN = "count"
#: Generous: it only decides how long a broken test takes to fail.
SECONDS = 20.0
_ENGINES = {
    env.ENVIRONMENT_STATE_IDLE: env.RUN_ENGINE_STATE_IDLE,
    env.ENVIRONMENT_STATE_EXECUTING_PLAN: env.RUN_ENGINE_STATE_RUNNING,
    env.ENVIRONMENT_STATE_EXECUTING_TASK: env.RUN_ENGINE_STATE_IDLE,
}
_INVENTORY = inventory_pb2.Inventory(plans=[inventory_pb2.PlanDescription(name=PLAN, returns_generator=True)])


class Fate(Enum):
    """What becomes of a command to run a plan, or likewise a task."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    #: It is refused after the connection broke and the Manager came back to look.
    REFUSED_LATE = "refused late"
    #: It does not arrive.
    COMMAND_LOST = "command lost"
    #: It is accepted, and the Manager is not told so.
    REPLY_LOST = "reply lost"
    #: The plan has completed, and the Manager has stored that, before the reply is sent.
    ENDS_FIRST = "ends first"
    #: The plan has completed, and the reply is lost.
    ENDS_AND_REPLY_LOST = "ends and reply lost"
    #: The environment dies before the command is carried out.
    ENVIRONMENT_DIES = "environment dies"
    #: The Worker is restarted before the command is carried out.
    WORKER_RESTARTS = "worker restarts"
    #: Nothing more happens until :meth:`WorkerScript.let_go`; then the command is lost.
    HANGS = "hangs"
    #: The same, but it was accepted.
    HANGS_ACCEPTED = "hangs accepted"


#: Those after which the Manager needs nothing of the test.
COMMAND_FATES = [fate for fate in Fate if fate not in {Fate.HANGS, Fate.HANGS_ACCEPTED}]


class WorkerScript:
    """The Worker. ``is_stored`` tells whether an execution is in the stored history."""

    def __init__(self, is_stored: Callable[[str], bool]) -> None:
        self._is_stored = is_stored
        self.changed = threading.Condition()
        self.boots = 1
        #: Watches that began under another number are broken.
        self.connection = 0
        self.environment = env.EnvironmentStatus(state=env.ENVIRONMENT_STATE_CLOSED, responsive=True)
        self.journal: list[WorkerEvent] = []
        #: Events beyond this one are not sent. None: all are.
        self.told: int | None = None
        self._as_told = WorkerSnapshot()
        self.current: PlanExecution | None = None
        self._accepted: set[str] = set()
        #: Executions that were really begun, as (execution id, item uid), in order.
        self.begun: list[tuple[str, str]] = []
        #: Outcomes that were not acknowledged, by execution id, and all there ever were.
        self.outcomes: dict[str, ExecutionOutcome] = {}
        self.ended: list[ExecutionOutcome] = []
        #: Executions whose outcomes the Manager says it has stored, whether or not that got lost.
        self.accounted: set[str] = set()
        #: What becomes of the next commands to run a plan; then all are accepted.
        self.fates: deque[Fate] = deque()
        #: What becomes of the next acknowledgement; ACCEPTED, COMMAND_LOST or HANGS.
        self.fate_of_acknowledgement = Fate.ACCEPTED
        self.hanging = 0
        self.epoch = 0
        #: How often a Manager told its epoch and nothing else, and how often it wanted a plan to be run.
        self.fences = self.commands = 0
        #: What a Manager must not do and did.
        self.faults: list[str] = []

    @property
    def is_open(self) -> bool:
        """There is an environment."""
        return self.environment.state != env.ENVIRONMENT_STATE_CLOSED

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a change after which ``condition`` holds."""
        with self.changed:
            if not self.changed.wait_for(condition, SECONDS):
                raise AssertionError(f"the Worker waits in vain until {what}")

    def clear(self) -> None:
        """Forget what was executed. Nothing is going on, and all outcomes were acknowledged."""
        with self.changed:
            self.begun.clear()
            self.ended.clear()

    # What happens to it

    def restart(self) -> None:
        """The service is restarted: what it executed is gone without an outcome; outcomes were on disk."""
        with self.changed:
            self.boots += 1
            self.journal.clear()
            self._accepted.clear()
            self.current = None
            self.environment = env.EnvironmentStatus(state=env.ENVIRONMENT_STATE_CLOSED, responsive=True)
            self.break_connection()

    def break_connection(self) -> None:
        """Whoever watches is cut off, and when he comes back nothing is withheld."""
        with self.changed:
            self.connection += 1
            self.told = None
            self.changed.notify_all()

    def withhold(self) -> None:
        """From now on events are late: they come when :meth:`tell` is called. Snapshots are as old."""
        with self.changed:
            self._as_told = self.snapshot()
            self.told = len(self.journal)

    def tell(self) -> None:
        """What was withheld is sent."""
        with self.changed:
            self.told = None
            self.changed.notify_all()

    def let_go(self) -> None:
        """What hangs goes on; whoever waits for the answer is gone."""
        with self.changed:
            self.hanging = 0
            self.changed.notify_all()

    def hang(self) -> None:
        """Called by the server: wait until the test lets go."""
        with self.changed:
            self.hanging += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: not self.hanging, SECONDS)

    def meet_again(self) -> None:
        """Called by the server: break the connection, and wait until the Manager has dealt with the next snapshot.

        It shows that by acknowledging an old outcome; without one there is nothing to wait for.
        """
        with self.changed:
            old, fences = {outcome.execution_id for outcome in self._newest(1)}, self.fences
            self.remember(1)
            self.break_connection()
            # Together less than a Manager waits for an answer.
            self.changed.wait_for(lambda: self.fences > fences, 2)
            self.accounted -= old
            self.changed.wait_for(lambda: old <= self.accounted, 2)

    # What it does

    def open(self, environment_id: str) -> None:
        """Open an environment."""
        with self.changed:
            self.environment.environment_id = environment_id
            self._report_environment(env.ENVIRONMENT_STATE_INITIALIZING)
            self._report(WorkerEvent(inventory_changed=_INVENTORY))
            self._report_environment(env.ENVIRONMENT_STATE_IDLE)

    def begin(self, execution_id: str, item_uid: str) -> None:
        """Begin an execution."""
        with self.changed:
            self._accepted.add(execution_id)
            self.begun.append((execution_id, item_uid))
            self.current = PlanExecution(execution_id=execution_id, item_uid=item_uid)
            self._report_environment(env.ENVIRONMENT_STATE_EXECUTING_PLAN)
            self._report(WorkerEvent(execution_started=ExecutionStarted(execution_id=execution_id, item_uid=item_uid)))

    def finish(self, status: ExitStatus) -> None:
        """The plan that is being executed ends."""
        failed = status is ExitStatus.FAILED
        cause = item_pb2.FAILURE_CAUSE_PLAN_ERROR if failed else item_pb2.FAILURE_CAUSE_UNSPECIFIED
        number = item_pb2.ExitStatus.Value(f"EXIT_STATUS_{status.name}")
        self._end(item_pb2.ItemResult(exit_status=number, failure_cause=cause), env.ENVIRONMENT_STATE_IDLE)

    def lose_environment(self) -> None:
        """The environment's process dies."""
        result = item_pb2.ItemResult(
            exit_status=item_pb2.EXIT_STATUS_FAILED, failure_cause=item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST
        )
        self._end(result, env.ENVIRONMENT_STATE_CLOSED)

    def report_again(self, count: int) -> None:
        """The newest outcomes are reported once more, the newest one first."""
        with self.changed:
            for outcome in reversed(self._newest(count)):
                self._report(WorkerEvent(execution_finished=outcome))

    def remember(self, count: int) -> None:
        """It keeps the newest outcomes although they were acknowledged."""
        with self.changed:
            self.outcomes.update((outcome.execution_id, outcome) for outcome in self._newest(count))

    def _newest(self, count: int) -> list[ExecutionOutcome]:
        return self.ended[max(0, len(self.ended) - count) :]

    def mark(self, number: int) -> None:
        """Report a change by which the test recognises that everything before it was heard."""
        with self.changed:
            self.environment.pid = number
            self._report_environment(self.environment.state)

    def acknowledge(self, execution_ids: Iterable[str]) -> None:
        """Forget outcomes."""
        with self.changed:
            for execution_id in execution_ids:
                if not self._is_stored(execution_id):
                    self.faults.append(f"the outcome of {execution_id} was acknowledged and is not stored")
                self.outcomes.pop(execution_id, None)
            self.changed.notify_all()

    def knows(self, execution_id: str) -> bool:
        """Whether this execution was accepted before."""
        return execution_id in self._accepted or execution_id in self.outcomes

    def snapshot(self) -> WorkerSnapshot:
        """The Worker as it is, or was told to be. Outcomes come in another order than they were made."""
        if self.told is not None:
            return self._as_told
        return WorkerSnapshot(
            boot_id=str(uuid.UUID(int=self.boots)),
            version="0",
            last_sequence=len(self.journal),
            first_kept_sequence=1,
            environment=self.environment,
            inventory=_INVENTORY if self.is_open else None,
            execution=self.current,
            outcomes=reversed(self.outcomes.values()),
        )

    def _end(self, result: item_pb2.ItemResult, left: env.EnvironmentState.ValueType) -> None:
        with self.changed:
            current, self.current = self.current, None
            self._report_environment(left)
            if current is None:
                return
            result.stop_time.GetCurrentTime()
            outcome = ExecutionOutcome(execution_id=current.execution_id, item_uid=current.item_uid, result=result)
            self.outcomes[current.execution_id] = outcome
            self.ended.append(outcome)
            self._report(WorkerEvent(execution_finished=outcome))

    def _report_environment(self, state: env.EnvironmentState.ValueType) -> None:
        self.environment.state = state
        self.environment.run_engine_state = _ENGINES.get(state, env.RUN_ENGINE_STATE_UNSPECIFIED)
        self._report(WorkerEvent(environment_changed=self.environment))

    def _report(self, event: WorkerEvent) -> None:
        event.sequence = len(self.journal) + 1
        self.journal.append(event)
        self.changed.notify_all()
