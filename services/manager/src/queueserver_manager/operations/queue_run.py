"""Start and stop the queue, autostart, and execute an item now."""

from __future__ import annotations

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.lifecycle import ALLOWED, ManagerState, Operation, RunEngineState
from queueserver_manager.domain.queue import queue_run
from queueserver_manager.domain.queue.item import Item, RunningItem
from queueserver_manager.domain.queue.queue_edits import set_autostart
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.environment_errors import (
    EnvironmentClosed,
    RunEngineBusy,
    RunEngineMissing,
    RunEnginePanicked,
)
from queueserver_manager.domain.refusals.state_refusals import check, refuse_second_start
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.commit_batch import Decide
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.prepared_decisions import submit_prepared
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.validation.submissions import Submissions
from queueserver_manager.operations.worker.worker_view import WorkerView


class QueueRunOperations:
    """What clients may do about the run of the queue. Every method raises the ledger's refusals besides its own."""

    def __init__(self, ledger: Ledger, view: WorkerView, submissions: Submissions) -> None:
        self._ledger = ledger
        self._view = view
        self._submissions = submissions

    async def start(self, caller: Caller, reply: ReplySpec[RunningItem | None]) -> bytes:
        """Start the queue; the result is what was claimed.

        Raises QueueRunning, InvalidState, EnvironmentClosed, RunEngineMissing, RunEngineBusy, RunEnginePanicked,
        ItemHeld, WorkerUnavailable.
        """

        def decide(record: Record) -> Decision[RunningItem | None]:
            self._require_executable(record, Operation.START_QUEUE)
            decision = queue_run.start_queue(record, caller.user, self._view.claim_context())
            return Decision(decision.result.claimed, decision.changes, decision.events)

        return (await self._ledger.submit(decide, reply)).answer

    async def execute(self, caller: Caller, submission: Submission, reply: ReplySpec[tuple[Item, int]]) -> bytes:
        """Execute an item now; the result is the item and the size of the queue. Raises as add and start."""

        async def prepare() -> Decide[tuple[Item, int]]:
            item = self._submissions.make(caller, submission)

            def decide(record: Record) -> Decision[tuple[Item, int]]:
                self._require_executable(record, Operation.EXECUTE_ITEM)
                decision = queue_run.execute_item(record, item, self._view.claim_context())
                return Decision((item, len(record.queue)), decision.changes, decision.events)

            return decide

        return await submit_prepared(self._ledger, reply, prepare)

    def _state(self, record: Record) -> ManagerState:
        return self._view.state(
            has_running_item=record.running is not None, has_foreground_task=record.tasks.foreground is not None
        )

    def _require_executable(self, record: Record, action: Operation) -> None:
        view = self._view
        view.refuse_when_stopping()
        view.require_worker()
        state = self._state(record)
        if not view.status.environment.exists and state in ALLOWED[action]:
            raise EnvironmentClosed(f"RE Worker environment does not exist: open it, then {action.value}.")
        if action is Operation.START_QUEUE and record.queue_activity.active:
            refuse_second_start(state, stop_pending=record.queue_activity.stop_pending)
        check(action, state)
        if view.status.environment.run_engine is RunEngineState.NONE:
            raise RunEngineMissing
        if view.status.environment.run_engine is RunEngineState.PANICKED:
            raise RunEnginePanicked
        if view.status.environment.run_engine is not RunEngineState.IDLE:
            raise RunEngineBusy

    async def stop(self, caller: Caller, reply: ReplySpec[None]) -> bytes:
        """Let the running item finish and start no other. Raises InvalidState."""

        def decide(record: Record) -> Decision[None]:
            check(Operation.STOP_QUEUE, self._state(record))
            return queue_run.stop_queue(record, caller.user)

        return (await self._ledger.submit(decide, reply)).answer

    async def cancel_stop(self, caller: Caller, reply: ReplySpec[None]) -> bytes:
        """Withdraw a pending stop."""
        return (
            await self._ledger.submit(lambda record: queue_run.cancel_stop_queue(record, caller.user), reply)
        ).answer

    async def set_autostart(self, reply: ReplySpec[None], *, enabled: bool) -> bytes:
        """Switch autostart on or off; it starts the queue if it can."""
        return (await self._ledger.submit(lambda record: set_autostart(record, enabled=enabled), reply)).answer
