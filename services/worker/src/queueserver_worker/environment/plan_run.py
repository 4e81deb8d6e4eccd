"""One plan in the RunEngine, from its first message to its end, through all pauses.

Runs in the main thread, because the RunEngine wants to be called and resumed there. Guarantees: exactly one result,
whatever the plan, its devices and its callbacks raise. A plan that ends by itself although somebody asked for a pause
or an abort has the result it came to.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from queueserver.common.v1 import item_pb2 as pb
from queueserver.common.v1.environment_pb2 import RUN_ENGINE_STATE_IDLE, RUN_ENGINE_STATE_PAUSED
from queueserver.worker.v1 import worker_service_pb2 as actions

from queueserver_worker.environment.control import Action, Answer, PlanControl
from queueserver_worker.environment.failures import error_text, user_traceback
from queueserver_worker.environment.guard import PlanExitError, PlanGuard
from queueserver_worker.environment.run_engine import WatchedRunEngine, state_name

_STATUS: Final[dict[Action, "pb.ExitStatus.ValueType"]] = {
    actions.RUN_ENGINE_ACTION_RESUME: pb.EXIT_STATUS_COMPLETED,
    actions.RUN_ENGINE_ACTION_STOP: pb.EXIT_STATUS_STOPPED,
    actions.RUN_ENGINE_ACTION_ABORT: pb.EXIT_STATUS_ABORTED,
    actions.RUN_ENGINE_ACTION_HALT: pb.EXIT_STATUS_HALTED,
}
"""Result of a plan that ended without an error after an answer to its last pause."""
_START: Final = Answer(actions.RUN_ENGINE_ACTION_RESUME)
_NOT_RESUMABLE: Final = (
    "Plan aborted by the RunEngine: it was paused or suspended where it can't be resumed, because it has no checkpoint."
)


class PlanRun:
    """Runs one plan."""

    def __init__(self, engine: WatchedRunEngine, control: PlanControl) -> None:
        self._engine = engine
        self._control = control

    def to_its_end(self, make_plan: Callable[[], Iterable[Any]], metadata: dict[str, Any]) -> pb.ItemResult:
        """Run the plan until it has ended; wait for answers while it is paused."""
        try:
            guard = PlanGuard(make_plan(), self._control)
        except BaseException as error:  # noqa: BLE001 - protects the process: what a plan's function raises is its outcome
            return _failed_with(error)
        self._control.wait_until_free()
        abort = self._control.wanted_abort
        if abort is not None:
            return _ended_by(abort)
        answer = _START
        go_on: Callable[[], Any] = partial(self._engine.engine, guard.messages(), **metadata)
        while True:
            self._engine.hooks.establish()
            try:
                go_on()
            except BaseException as error:  # noqa: BLE001 - protects the process: whatever a plan raises is its outcome
                if not self._is_paused_by(error):
                    return self._result_of(error, guard, answer)
            else:
                return self._result_of(None, guard, answer)
            answer = self._control.wait_for_answer()
            go_on = self._step(answer)

    def _step(self, answer: Answer) -> Callable[[], Any]:
        engine = self._engine.engine
        steps: dict[Action, Callable[[], Any]] = {
            actions.RUN_ENGINE_ACTION_RESUME: engine.resume,
            actions.RUN_ENGINE_ACTION_STOP: engine.stop,
            actions.RUN_ENGINE_ACTION_ABORT: partial(engine.abort, answer.note),
            actions.RUN_ENGINE_ACTION_HALT: engine.halt,
        }
        return steps[answer.action]

    def _is_paused_by(self, error: BaseException) -> bool:
        return _is_interruption(error) and self._engine.state == RUN_ENGINE_STATE_PAUSED

    def _result_of(self, error: BaseException | None, guard: PlanGuard, answer: Answer) -> pb.ItemResult:
        abort = self._control.wanted_abort
        if abort is not None and not guard.completed and (guard.kept_out or _is_interruption(error)):
            return _ended_by(abort)
        if error is None or answer.action == actions.RUN_ENGINE_ACTION_HALT:
            # A plan that can't be halted without an error was halted even so.
            return _ended_by(answer)
        if not _is_interruption(error):
            self._abort_if_paused(error)
            return _failed_with(error)
        if self._engine.state != RUN_ENGINE_STATE_IDLE:
            state = state_name(self._engine.state)
            return _failed(f"it left the RunEngine {state}; destroy the environment and open it again.", "")
        if guard.completed:
            return _ended_by(_START)
        return pb.ItemResult(exit_status=pb.EXIT_STATUS_ABORTED, message=_NOT_RESUMABLE)

    def _abort_if_paused(self, error: BaseException) -> None:
        """End a plan that can't go on because, for example, a device failed to resume."""
        if self._engine.state != RUN_ENGINE_STATE_PAUSED:
            return
        try:
            self._engine.engine.abort(error_text(error))
        except BaseException:  # noqa: BLE001 - the plan's clean-up is user code too; the first error is the one to tell
            return


def _is_interruption(error: BaseException | None) -> bool:
    return type(error).__name__ == "RunEngineInterrupted"


def _ended_by(answer: Answer) -> pb.ItemResult:
    return pb.ItemResult(exit_status=_STATUS[answer.action], message=answer.message)


def _failed_with(error: BaseException) -> pb.ItemResult:
    if isinstance(error, PlanExitError) and error.__cause__ is not None:
        return _failed(str(error), user_traceback(error.__cause__))
    return _failed(_cause_text(error), user_traceback(error))


def _failed(reason: str, traceback: str) -> pb.ItemResult:
    return pb.ItemResult(
        exit_status=pb.EXIT_STATUS_FAILED,
        failure_cause=pb.FAILURE_CAUSE_PLAN_ERROR,
        message=f"Plan failed: {reason}",
        traceback=traceback,
    )


def _cause_text(error: BaseException) -> str:
    """Tell the error of a device rather than that its status failed."""
    cause = error.__cause__ if type(error).__name__ == "FailedStatus" else None
    return error_text(cause or error)
