"""Pause, resume and end the running plan.

These go straight to the Worker: they wait for no commit and for no other client. A repetition with the same
request id is recognised by the answer that was stored for the first one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from queueserver_manager.domain.editing import set_autostart
from queueserver_manager.domain.environment_errors import EnvironmentClosed, RunEngineMissing
from queueserver_manager.domain.errors import (
    EnvironmentUnresponsive,
    InvalidState,
    Refused,
    Unavailable,
    WorkerUnavailable,
)
from queueserver_manager.domain.item import RunSummary
from queueserver_manager.domain.lifecycle import ALLOWED, Action, ManagerState, RunEngineState
from queueserver_manager.domain.metadata import permitted
from queueserver_manager.domain.state_refusals import check
from queueserver_manager.operations.deeds import Deed, Deeds
from queueserver_manager.operations.ledger import Ledger
from queueserver_manager.operations.reply import Reply
from queueserver_manager.operations.worker_view import WorkerView
from queueserver_manager.worker_client.port import (
    EngineRequest,
    RunEngineVerb,
    StaleEpoch,
    Worker,
    WorkerDown,
    WorkerOutdated,
    WorkerRefused,
)

_ACTIONS = {
    RunEngineVerb.PAUSE_DEFERRED: Action.PAUSE,
    RunEngineVerb.PAUSE_IMMEDIATE: Action.PAUSE,
    RunEngineVerb.RESUME: Action.RESUME,
    RunEngineVerb.STOP: Action.STOP_PLAN,
    RunEngineVerb.ABORT: Action.ABORT_PLAN,
    RunEngineVerb.HALT: Action.HALT_PLAN,
    RunEngineVerb.ABORT_NOW: Action.ABORT_NOW,
}
#: What the log says of them.
_DEEDS = {
    RunEngineVerb.PAUSE_DEFERRED: ("pause_requested", "asked to pause {plan} at the next checkpoint"),
    RunEngineVerb.PAUSE_IMMEDIATE: ("pause_requested", "asked to pause {plan} at once"),
    RunEngineVerb.RESUME: ("resume_requested", "resumed {plan}"),
    RunEngineVerb.STOP: ("stop_requested", "asked to stop {plan}"),
    RunEngineVerb.ABORT: ("abort_requested", "asked to abort {plan}"),
    RunEngineVerb.HALT: ("halt_requested", "asked to halt {plan}"),
    RunEngineVerb.ABORT_NOW: ("abort_now_requested", "asked to abort {plan} at once"),
}
#: What may be asked for whenever a plan is executed, also while it is on its way to the Worker or back.
_INTERRUPTIONS = frozenset({Action.PAUSE, Action.ABORT_NOW})


@dataclass(frozen=True, slots=True)
class _Undelivered:
    """An interruption that was accepted for an execution of which the Worker did not know."""

    execution_id: str
    request: EngineRequest
    action: Action


class RunEngineOperations:
    """What clients may do with the running plan."""

    def __init__(
        self,
        ledger: Ledger,
        view: WorkerView,
        worker: Worker,
        permitted_keys: tuple[str, ...],
        on_stale: Callable[[], None],
        on_its_way: Callable[[str], asyncio.Task[None] | None],
    ) -> None:
        self._ledger = ledger
        self._deeds = Deeds(ledger)
        self._view = view
        self._worker = worker
        self._permitted_keys = permitted_keys
        self._on_stale = on_stale
        #: What ends when an execution that is on its way to the Worker has arrived, or was refused.
        self._on_its_way = on_its_way
        self._undelivered: list[_Undelivered] = []
        #: How many requests were accepted so far.
        self._accepted = 0

    async def control(self, request: EngineRequest, reply: Reply[None]) -> bytes:
        """Pass a request on. Raises InvalidState, EnvironmentClosed, RunEngineMissing, WorkerUnavailable."""
        return await self._deeds.once(reply, lambda: self._control(request), self._deed(request), in_haste=True)

    def _deed(self, request: EngineRequest) -> Deed:
        running = self._ledger.summary.running
        plan = f"plan {running.item.name} (item {running.item.uid})" if running is not None else "the plan"
        name, did = _DEEDS[request.verb]
        note = f": {request.note}" if request.note else ""
        return Deed(name, did.format(plan=plan) + note)

    async def _control(self, request: EngineRequest) -> None:
        action = _ACTIONS[request.verb]
        self._check(action)
        if action in _INTERRUPTIONS:
            await self._interrupt(request, action)
            if request.verb is RunEngineVerb.PAUSE_IMMEDIATE:
                self._view.pause_at_once_for = self._view.pause_for
        else:
            await self._note_and_send(request, action)
        if action is not Action.PAUSE:
            self._view.leave_pause()
        self._view.changed()

    async def _interrupt(self, request: EngineRequest, action: Action) -> None:
        """Pause or end what runs, also in a moment in which the Worker has nothing to act upon.

        A plan on its way there is waited for, and one that has to be sent there again is interrupted when it is there.
        After one that has ended already nothing is begun, as after one that is past its last checkpoint.
        """
        while (running := self._ledger.summary.running) is not None:
            arrival = self._on_its_way(running.execution_id)
            if await self._note_and_send(request, action):
                return
            if arrival is not None:
                # It may have arrived right behind this.
                await asyncio.wait({arrival})
                continue
            # A commit that is under way may begin the next one: it was decided before this was noted.
            now = await self._ledger.read(lambda record: record.running)
            if now is None:
                with suppress(Unavailable):
                    await self._ledger.submit(lambda record: set_autostart(record, enabled=False))
            elif now.execution_id == running.execution_id:
                self._undelivered.append(_Undelivered(running.execution_id, request, action))
                return

    async def deliver(self, execution_id: str) -> None:
        """The Worker has accepted an execution: tell it now what was asked for before."""
        asked, self._undelivered = self._undelivered, []
        for each in asked:
            if each.execution_id == execution_id:
                with suppress(Refused):
                    await self._send(each.request, each.action)

    async def _note_and_send(self, request: EngineRequest, action: Action) -> bool:
        """As :meth:`_send`; what is wanted is noted first: it may take effect before the answer is here.

        Who ends a plan does not expect the next one to begin: that stays noted if nobody knows whether the Worker has
        heard it.
        """
        running = self._ledger.summary.running
        if running is None or action is Action.RESUME:
            return await self._send(request, action)
        uid, accepted = running.execution_id, self._accepted
        was_wanted = self._wanted(action) == uid
        self._want(action, uid)
        try:
            heard = await self._send(request, action)
        except Refused as refusal:
            is_known = action is Action.PAUSE or not isinstance(refusal, WorkerUnavailable)
            # What was wanted before, or is wanted by somebody else who was heard meanwhile, stays noted.
            if is_known and not was_wanted and accepted == self._accepted and self._wanted(action) == uid:
                self._want(action, "")
                self._view.changed()
            raise
        self._accepted += 1
        return heard

    def _wanted(self, action: Action) -> str:
        return self._view.pause_for if action is Action.PAUSE else self._view.end_for

    def _want(self, action: Action, uid: str) -> None:
        if action is Action.PAUSE:
            self._view.pause_for = uid
        else:
            self._view.end_for = uid

    def _check(self, action: Action) -> None:
        view = self._view
        if not view.connected:
            raise WorkerUnavailable
        state = self._state()
        if state in ALLOWED[action]:
            return
        # On its way in or out, an environment lacks a RunEngine for that reason: the state is what is in the way.
        if state is ManagerState.IDLE:
            if not view.environment.exists:
                raise EnvironmentClosed(
                    "RE Worker environment does not exist: there is no plan to act upon.", "Nothing is left to do."
                )
            if view.environment.run_engine is RunEngineState.NONE:
                raise RunEngineMissing
        check(action, state)

    async def _send(self, request: EngineRequest, action: Action) -> bool:
        """Tell the Worker; answers whether it has a plan to interrupt. Raises as :meth:`control`."""
        try:
            await self._worker.control_run_engine(request)
        except WorkerRefused as error:
            if error.reason == "RUN_ENGINE_MISSING":
                raise RunEngineMissing from error
            if isinstance(error, WorkerOutdated):
                raise WorkerUnavailable(error.message) from error
            if error.reason == "NOT_RUNNING" and action in _INTERRUPTIONS:
                return False
            # The plan came to its end, or its pause did, while the request was on its way.
            raise InvalidState(f"Can't {action.value}: {error.message}", self._state(), ALLOWED[action]) from error
        except StaleEpoch as error:
            self._on_stale()
            raise WorkerUnavailable from error
        except WorkerDown as error:
            raise WorkerUnavailable from error
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
        if not view.connected:
            raise WorkerUnavailable
        if not view.environment.exists:
            raise EnvironmentClosed("RE Worker environment does not exist.")
        check(Action.READ_METADATA, self._state())
        if view.environment.run_engine is RunEngineState.NONE:
            raise RunEngineMissing
        try:
            metadata = await self._worker.metadata()
        except WorkerRefused as error:
            raise EnvironmentClosed(error.message) from error
        except TimeoutError as error:
            raise EnvironmentUnresponsive from error
        except WorkerDown as error:
            raise WorkerUnavailable from error
        return permitted(metadata, self._permitted_keys)
