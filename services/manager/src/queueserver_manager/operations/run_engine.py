"""Pause, resume and end the running plan.

These go straight to the Worker: they wait for no commit and for no other client. A repetition with the same
request id is recognised by the answer that was stored for the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.lifecycle import ALLOWED, ManagerState, Operation, RunEngineState
from queueserver_manager.domain.metadata import permitted
from queueserver_manager.domain.queue.item import RunningItem, RunSummary
from queueserver_manager.domain.queue.queue_run import stop_after
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.environment_errors import EnvironmentClosed, RunEngineMissing
from queueserver_manager.domain.refusals.errors import (
    InvalidState,
    ItemNotRunning,
    Refused,
    StorageUnavailable,
    WorkerUnavailable,
)
from queueserver_manager.domain.refusals.state_refusals import check
from queueserver_manager.operations.commit.idempotent_commands import CommandLogEntry, IdempotentCommands
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.worker.worker_call import worker_call
from queueserver_manager.operations.worker.worker_view import Asked, WorkerView
from queueserver_manager.worker_client.port import (
    EngineRequest,
    RunEngineAction,
    Worker,
    WorkerRefused,
)

_ACTIONS = {
    RunEngineAction.PAUSE_DEFERRED: Operation.PAUSE,
    RunEngineAction.PAUSE_IMMEDIATE: Operation.PAUSE,
    RunEngineAction.RESUME: Operation.RESUME,
    RunEngineAction.STOP: Operation.STOP_PLAN,
    RunEngineAction.ABORT: Operation.ABORT_PLAN,
    RunEngineAction.HALT: Operation.HALT_PLAN,
    RunEngineAction.ABORT_NOW: Operation.ABORT_NOW,
}
#: What the log says of them.
_LOG_ENTRIES = {
    RunEngineAction.PAUSE_DEFERRED: ("pause_requested", "asked to pause {plan} at the next checkpoint"),
    RunEngineAction.PAUSE_IMMEDIATE: ("pause_requested", "asked to pause {plan} at once"),
    RunEngineAction.RESUME: ("resume_requested", "resumed {plan}"),
    RunEngineAction.STOP: ("stop_requested", "asked to stop {plan}"),
    RunEngineAction.ABORT: ("abort_requested", "asked to abort {plan}"),
    RunEngineAction.HALT: ("halt_requested", "asked to halt {plan}"),
    RunEngineAction.ABORT_NOW: ("abort_now_requested", "asked to abort {plan} at once"),
}
#: What may be requested whenever a plan is executed, also while it is on its way to the Worker or back.
_INTERRUPTIONS = frozenset({Operation.PAUSE, Operation.ABORT_NOW})
#: Reasons of the Worker for which there is nothing left to interrupt.
_PAST = frozenset({"EXECUTION_ENDED", "NOT_RUNNING"})


class RunEngineOperations:
    """What clients may do with the running plan."""

    def __init__(
        self,
        ledger: Ledger,
        view: WorkerView,
        worker: Worker,
        permitted_keys: tuple[str, ...],
        on_stale: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._commands = IdempotentCommands(ledger)
        self._view = view
        self._worker = worker
        self._permitted_keys = permitted_keys
        self._on_stale = on_stale

    async def control(self, request: EngineRequest, reply: ReplySpec[None]) -> bytes:
        """Pass a request on.

        Raises InvalidState, ItemNotRunning, EnvironmentClosed, RunEngineMissing, WorkerUnavailable, StorageUnavailable.
        """
        return await self._commands.once(
            reply, lambda: self._control(request), self._log_entry(request), reply_before_stored=True
        )

    def _log_entry(self, request: EngineRequest) -> CommandLogEntry:
        running = self._ledger.summary.running
        plan = f"plan {running.item.name} (item {running.item.uid})" if running is not None else "the plan"
        name, did = _LOG_ENTRIES[request.verb]
        note = f": {request.note}" if request.note else ""
        return CommandLogEntry(name, did.format(plan=plan) + note)

    async def _control(self, request: EngineRequest) -> None:
        action = _ACTIONS[request.verb]
        self._refuse_for_another(request)
        self._check(action)
        while not await self._reach(request, action, self._ledger.summary.running):
            # Another plan started at this very moment: the request is for whichever runs.
            self._refuse_for_another(request)
        if action is not Operation.PAUSE:
            self._view.leave_pause()
        self._view.changed()

    def _refuse_for_another(self, request: EngineRequest) -> None:
        """Refuse a request for another plan than the one that runs. Raises ItemNotRunning."""
        running = self._ledger.summary.running
        if request.item_uid and (running is None or running.item.uid != request.item_uid):
            raise ItemNotRunning(request.item_uid)

    async def _reach(self, request: EngineRequest, action: Operation, running: RunningItem | None) -> bool:
        """Pause, resume or end one execution; returns whether that is done, or False if another one runs now.

        The Worker decides whether the request reaches the execution. If it is past that, the queue is to stop after it,
        which is stored. Until then nothing starts by itself after it, unless the request names its item: then it may
        still be refused.
        """
        if action is Operation.RESUME or (running is None and action not in _INTERRUPTIONS):
            return await self._send(request, action, running.execution_id if running is not None else "")
        execution_id = running.execution_id if running is not None else ""
        asked = self._view.ask(execution_id, is_pause=action is Operation.PAUSE, binds=not request.item_uid)
        try:
            if running is not None and await self._send(request, action, execution_id):
                self._view.received(asked, at_once=request.verb is RunEngineAction.PAUSE_IMMEDIATE)
                return True
            return await self._stop_after(request, asked)
        except WorkerUnavailable:
            # The Worker may have received it or not: a user who ends a plan does not expect the next one to start.
            if not asked.is_pause:
                await self._stop_after(request, asked)
            raise
        finally:
            if not asked.stays:
                self._view.forget(asked)

    async def _stop_after(self, request: EngineRequest, asked: Asked) -> bool:
        """Store that the queue is to stop after an execution; returns False if another one runs.

        A commit that is under way may start the next one: it was decided before.
        """

        def decide(record: Record) -> Decision[bool]:
            if request.item_uid and record.running is None:
                return Decision(False)
            return stop_after(record, asked.execution_id, pause=asked.is_pause)

        try:
            return (await self._ledger.submit(decide)).result
        except StorageUnavailable as error:
            # It stays noted here until the outcome is stored.
            self._view.keep(asked)
            if not error.fate_known:
                # What was being stored may have started another one.
                raise
            return True

    def _check(self, action: Operation) -> None:
        view = self._view
        view.require_worker()
        state = self._state()
        if state in ALLOWED[action]:
            return
        # While it opens or closes, an environment lacks a RunEngine for that reason: the state is the obstacle.
        if state is ManagerState.IDLE:
            if not view.status.environment.exists:
                raise EnvironmentClosed(
                    "RE Worker environment does not exist: there is no plan to act on.", "Nothing is left to do."
                )
            if view.status.environment.run_engine is RunEngineState.NONE:
                raise RunEngineMissing
        check(action, state)

    async def _send(self, request: EngineRequest, action: Operation, execution_id: str) -> bool:
        """Tell the Worker; returns False if the execution is past being interrupted. Raises as :meth:`control`."""

        def refusal(error: WorkerRefused) -> Refused:
            if error.reason == "RUN_ENGINE_MISSING":
                return RunEngineMissing()
            if error.reason == "EXECUTION_ENDED" and request.item_uid:
                return ItemNotRunning(request.item_uid)
            # The plan came to its end, or its pause did, while the request was on its way.
            return InvalidState(f"Can't {action.value}: {error.message}", self._state(), ALLOWED[action])

        with worker_call(refusal, self._on_stale):
            try:
                await self._worker.control_run_engine(request, execution_id)
            except WorkerRefused as error:
                is_named = error.reason == "EXECUTION_ENDED" and request.item_uid
                if is_named or error.reason not in _PAST or action not in _INTERRUPTIONS:
                    raise
                # A plan that has paused meanwhile is in the requested state.
                return error.metadata.get("state") == "paused"
        return True

    def _state(self) -> ManagerState:
        return self._view.state_during(self._ledger.summary)

    def runs(self) -> tuple[RunSummary, ...]:
        """Runs of the running plan, in order of opening."""
        return self._view.runs

    async def metadata(self) -> Mapping[str, Any]:
        """The RunEngine's metadata, as far as it may be shown.

        Raises EnvironmentClosed, InvalidState, RunEngineMissing, EnvironmentUnresponsive, WorkerUnavailable.
        """
        view = self._view
        view.require_worker()
        if not view.status.environment.exists:
            raise EnvironmentClosed("RE Worker environment does not exist.")
        check(Operation.READ_METADATA, self._state())
        if view.status.environment.run_engine is RunEngineState.NONE:
            raise RunEngineMissing
        with worker_call(lambda error: EnvironmentClosed(error.message)):
            metadata = await self._worker.metadata()
        return permitted(metadata, self._permitted_keys)
