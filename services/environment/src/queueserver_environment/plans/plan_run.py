"""One plan in the RunEngine, from its first message to its end, through all pauses.

Runs in the main thread, because the RunEngine has to be called and resumed there. Guarantees: exactly one result,
whatever the plan, its devices and its callbacks raise. A plan that ends by itself despite a request for a pause
or an abort has the result it came to.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from queueserver_environment.messages.items import ItemResult
from queueserver_environment.messages.states import ExitStatus, RunEngineAction, RunEngineState
from queueserver_environment.outcome.verdict import Evidence, ended_as_asked, failed, failed_with, result_of
from queueserver_environment.outcome.watch import PlanWatch
from queueserver_environment.plans.failures import error_text
from queueserver_environment.plans.interruptions import Answer, Interruptions
from queueserver_environment.plans.plan_wrapper import PlanWrapper
from queueserver_environment.plans.run_engine import WatchedRunEngine, state_name

_START: Final = Answer(RunEngineAction.RESUME)


class PlanRun:
    """Runs one plan."""

    def __init__(self, engine: WatchedRunEngine, control: Interruptions) -> None:
        self._engine = engine
        self._control = control

    def to_its_end(self, make_plan: Callable[[], Iterable[Any]], metadata: dict[str, Any]) -> ItemResult:
        """Run the plan until it has ended; wait for answers while it is paused."""
        try:
            wrapper = PlanWrapper(make_plan(), self._control)
        except BaseException as error:  # noqa: BLE001 - protects the process: what a plan's function raises is its outcome
            return failed_with(error)
        self._control.wait_until_free()
        abort = self._control.wanted_abort
        if abort is not None:
            return ended_as_asked(abort)
        self._engine.hooks.plan_begins()
        watch = PlanWatch(self._engine.engine)
        try:
            result = self._run(wrapper, watch, metadata)
        finally:
            watch.end()
        result.notices.extend((*watch.notices, *self._engine.hooks.notices()))
        return result

    def _run(self, wrapper: PlanWrapper, watch: PlanWatch, metadata: dict[str, Any]) -> ItemResult:
        answer = _START
        proceed: Callable[[], Any] = partial(self._engine.engine, wrapper.messages(), **metadata)
        while True:
            self._engine.hooks.establish()
            pauses = watch.pauses
            raised = _error_of(proceed)
            if watch.pauses == pauses or self._engine.state != RunEngineState.PAUSED:
                return self._result_of(raised, wrapper, watch, answer)
            answer = self._control.wait_for_answer()
            proceed = self._step(answer)

    def _step(self, answer: Answer) -> Callable[[], Any]:
        engine = self._engine.engine
        # Not those of the object, which user code may have replaced.
        kind = type(engine)
        steps: dict[RunEngineAction, Callable[[], Any]] = {
            RunEngineAction.RESUME: partial(kind.resume, engine),
            RunEngineAction.STOP: partial(kind.stop, engine),
            RunEngineAction.ABORT: partial(kind.abort, engine, answer.note),
            RunEngineAction.HALT: partial(kind.halt, engine),
        }
        return steps[answer.action]

    def _result_of(
        self, raised: BaseException | None, wrapper: PlanWrapper, watch: PlanWatch, answer: Answer
    ) -> ItemResult:
        if raised is not None:
            self._abort_if_paused(raised)
        if self._engine.engine.loop.is_closed():
            return failed("code closed the event loop of RE; destroy the environment and open it again.")
        reason = str(getattr(self._engine.engine, "_reason", ""))
        result = result_of(Evidence(raised, answer, self._control.wanted_abort, wrapper, watch, reason))
        if self._engine.state == RunEngineState.IDLE:
            return result
        left = f"it left the RunEngine {state_name(self._engine.state)}; destroy the environment and open it again."
        if result.exit_status != ExitStatus.FAILED:
            return failed(left)
        result.message = f"{result.message.rstrip('.')}. And {left}"
        return result

    def _abort_if_paused(self, error: BaseException) -> None:
        """End a plan that can't continue because, for example, a device failed to resume."""
        if self._engine.state != RunEngineState.PAUSED:
            return
        try:
            self._engine.engine.abort(error_text(error))
        except BaseException:  # noqa: BLE001 - the plan's clean-up is user code too; the first error is the one to tell
            return


def _error_of(proceed: Callable[[], Any]) -> BaseException | None:
    try:
        proceed()
    except BaseException as error:  # noqa: BLE001 - protects the process: whatever a plan raises is its outcome
        return error
    return None
