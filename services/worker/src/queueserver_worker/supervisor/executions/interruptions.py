"""Which requests for the running plan make sense now: pause it, resume it, end it.

Guarantees: each pause gets at most one answer, so that an accepted request is carried out; an abort of a
running plan is accepted at any moment of its execution, and nothing is accepted after it that it would undo. A
repeated request is accepted again and not passed on again, so that requests to an environment that hangs do not
pile up.
Does not guarantee an effect: a plan may end before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from queueserver.common.v1 import environment_pb2 as environment
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.environment_channel_pb2 import ControlCommand, ToEnvironment

from queueserver_worker.supervisor.errors import NotPausedError, NotRunningError

RunEngineAction: TypeAlias = "pb.RunEngineAction.ValueType"
RunEngineState: TypeAlias = "environment.RunEngineState.ValueType"

_PAUSES = frozenset({pb.RUN_ENGINE_ACTION_PAUSE_DEFERRED, pb.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE})
_ANSWERS = frozenset(
    {
        pb.RUN_ENGINE_ACTION_RESUME,
        pb.RUN_ENGINE_ACTION_STOP,
        pb.RUN_ENGINE_ACTION_ABORT,
        pb.RUN_ENGINE_ACTION_HALT,
    }
)
ACTIONS = _PAUSES | _ANSWERS | {pb.RUN_ENGINE_ACTION_ABORT_NOW}
"""Everything that can be requested."""
_RUNNING_STATES = frozenset(
    {
        environment.RUN_ENGINE_STATE_RUNNING,
        environment.RUN_ENGINE_STATE_PAUSING,
        environment.RUN_ENGINE_STATE_SUSPENDING,
    }
)
_PAUSED = environment.RUN_ENGINE_STATE_PAUSED


@dataclass(frozen=True)
class EngineRequest:
    """A request for an execution."""

    #: Empty: the running one.
    execution_id: str
    action: RunEngineAction
    #: For the stop document of the run.
    note: str = ""
    #: Who asks for it.
    user: str = ""

    def frame_for(self, execution_id: str) -> ToEnvironment:
        """The frame that passes it on, for an execution."""
        command = ControlCommand(action=self.action, note=self.note, user=self.user, execution_id=execution_id)
        return ToEnvironment(control=command)


class RunEngineControl:
    """What was requested during the running execution, if there is one."""

    def __init__(self) -> None:
        self._state: RunEngineState = environment.RUN_ENGINE_STATE_UNSPECIFIED
        self._executing = False
        self._begun = False
        self._pause: RunEngineAction | None = None
        #: How the present pause ends, or ABORT_NOW, which holds for the whole execution.
        self._answer: RunEngineAction | None = None
        self._end_requested = False

    @property
    def pause_pending(self) -> bool:
        """A pause was accepted, and the plan has neither paused nor ended since."""
        return self._pause is not None

    @property
    def end_requested(self) -> bool:
        """The execution was told to end."""
        return self._end_requested

    @property
    def paused(self) -> bool:
        """The plan is paused, and it is not decided how to continue."""
        return self._executing and self._state == _PAUSED and self._answer is None

    def execution_accepted(self) -> None:
        """An execution is running from now on."""
        self.execution_ended()
        self._executing = True

    def execution_ended(self) -> None:
        """No execution is running any more."""
        self._executing = self._begun = self._end_requested = False
        self._pause = self._answer = None

    def state_changed(self, state: RunEngineState) -> None:
        """Note a state of the RunEngine, as the environment reports it."""
        self._state = state
        if state == environment.RUN_ENGINE_STATE_RUNNING:
            self._begun = True
        if state == _PAUSED:
            self._pause = None
        if self._answer != pb.RUN_ENGINE_ACTION_ABORT_NOW:
            self._answer = None

    def accept(self, action: RunEngineAction) -> bool:
        """Accept a request; returns whether it is news for the environment.

        Raises NotRunningError when there is nothing to pause or to abort, NotPausedError when the plan does not wait
        for an answer, or got another one.
        """
        if action in _PAUSES:
            return self._accept_pause(action)
        if action in _ANSWERS:
            return self._accept_answer(action)
        return self._accept_abort(action)

    def _accept_pause(self, action: RunEngineAction) -> bool:
        is_running = self._state in _RUNNING_STATES or not self._begun or self._answer == pb.RUN_ENGINE_ACTION_RESUME
        if not self._executing or not is_running or self._answer == pb.RUN_ENGINE_ACTION_ABORT_NOW:
            raise NotRunningError(self._text())
        if self._pause in {action, pb.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE}:
            return False
        self._pause = action
        return True

    def _accept_answer(self, action: RunEngineAction) -> bool:
        if not self._executing or self._state != _PAUSED or self._answer not in {None, action}:
            raise NotPausedError(self._text())
        is_news = self._answer is None
        self._answer = action
        self._end_requested |= action != pb.RUN_ENGINE_ACTION_RESUME
        return is_news

    def _accept_abort(self, action: RunEngineAction) -> bool:
        if not self._executing:
            raise NotRunningError(self._text())
        is_news = self._answer != action
        self._answer = action
        self._end_requested = True
        return is_news

    def _text(self) -> str:
        if not self._executing:
            return "idle"
        if self._answer is not None:
            return _ANSWERED[self._answer]
        if not self._begun:
            return "starting"
        name = (
            environment.RunEngineState.Name(self._state) if self._state in environment.RunEngineState.values() else ""
        )
        return name.removeprefix("RUN_ENGINE_STATE_").lower() or "in an unknown state"


_ANSWERED: dict[RunEngineAction, str] = {
    pb.RUN_ENGINE_ACTION_RESUME: "being resumed",
    pb.RUN_ENGINE_ACTION_STOP: "being stopped",
    pb.RUN_ENGINE_ACTION_ABORT: "being aborted",
    pb.RUN_ENGINE_ACTION_HALT: "being halted",
    pb.RUN_ENGINE_ACTION_ABORT_NOW: "being aborted",
}
