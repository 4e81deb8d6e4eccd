"""The result of a plan that has ended, decided only by what is known of its end.

A plan is completed only if its generator returned by itself and none of its runs was closed without success. What was
requested (stop, abort, halt) is the result if it ended the plan. The text explains everything else: a device
that could not be paused, an end caused by the plan or by other code in the environment, an error.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bluesky.utils import FailedPause, PlanHalt, RequestAbort, RequestStop, RunEngineInterrupted

from queueserver_environment.messages.items import ItemResult
from queueserver_environment.messages.states import ExitStatus, FailureCause, RunEngineAction
from queueserver_environment.outcome.refusals import Refusal, refusal_in
from queueserver_environment.outcome.watch import ClosedRun, PlanWatch
from queueserver_environment.plans.failures import error_text, shorten, user_traceback
from queueserver_environment.plans.interruptions import Answer
from queueserver_environment.plans.plan_wrapper import PlanExitError, PlanWrapper

_STATUS: Final[dict[RunEngineAction, ExitStatus]] = {
    RunEngineAction.RESUME: ExitStatus.COMPLETED,
    RunEngineAction.STOP: ExitStatus.STOPPED,
    RunEngineAction.ABORT: ExitStatus.ABORTED,
    RunEngineAction.HALT: ExitStatus.HALTED,
}
"""Result of a plan that ended without an error after an answer to its last pause."""
_WORDS: Final = {
    ExitStatus.FAILED: "failed",
    ExitStatus.STOPPED: "stopped",
    ExitStatus.ABORTED: "aborted",
    ExitStatus.HALTED: "halted",
}
_MAX_REASON: Final = 500
_NOT_RESUMABLE: Final = (
    "by the RunEngine: it was paused or suspended where it can't be resumed, because it has no checkpoint."
)
_RAISED_BY_PLANS: Final[dict[type[BaseException], ExitStatus]] = {
    RequestStop: ExitStatus.STOPPED,
    RequestAbort: ExitStatus.ABORTED,
    FailedPause: ExitStatus.ABORTED,
    PlanHalt: ExitStatus.ABORTED,
}
"""The exceptions by which the RunEngine ends plans, and how it ends a plan that raises one."""
_ENDED_BY_CODE: Final = (
    ("halting", ExitStatus.HALTED, "RE.halt() or raised KeyboardInterrupt"),
    ("stopping", ExitStatus.STOPPED, "RE.stop()"),
    ("aborting", ExitStatus.ABORTED, "RE.abort()"),
)
"""States that show who ended a plan if no request and no error did."""


@dataclass(frozen=True)
class Evidence:
    """What is known of the end of a plan.

    Parameters
    ----------
    raised
        What came out of the RunEngine; None if it returned.
    answer
        How the last pause was ended; RESUME if there was none.
    abort
        The request to end the plan, whether or not it has reached the RunEngine.
    wrapper, watch
        What was seen of the plan.
    reason
        Why the RunEngine was told to end it, if it was.

    """

    raised: BaseException | None
    answer: Answer
    abort: Answer | None
    wrapper: PlanWrapper
    watch: PlanWatch
    reason: str = ""

    @property
    def interrupted(self) -> bool:
        """The RunEngine says that something interrupted the plan; the plan itself did not say so."""
        return isinstance(self.raised, RunEngineInterrupted) and self.raised is not self.wrapper.raised


def result_of(evidence: Evidence) -> ItemResult:
    """Judge a plan that has ended in the RunEngine."""
    wrapper, raised, refusal = evidence.wrapper, evidence.raised, _refusal_of(evidence)
    refused = refusal is not None and refusal.error is raised
    if evidence.abort is not None and not wrapper.completed and (wrapper.kept_out or evidence.interrupted or refused):
        return ended_as_asked(evidence.abort, refusal)
    if evidence.answer.action != RunEngineAction.RESUME and (raised is None or _is_halt(evidence.answer)):
        # A plan that can't be halted without an error was halted nevertheless.
        return ended_as_asked(evidence.answer)
    if raised is not None and not evidence.interrupted:
        return _failed_by(raised, evidence)
    if wrapper.completed:
        return _returned(evidence.watch)
    return _ended_by_run_engine(evidence)


def ended_as_asked(answer: Answer, refusal: Refusal | None = None) -> ItemResult:
    """Report that the plan ended as requested."""
    message = answer.message
    if message and message[-1] not in ".!?":
        message += "."
    if refusal is not None:
        message = f"{message or 'Plan aborted.'} Its clean-up was left out, because {refusal.text}"
    return ItemResult(exit_status=_STATUS[answer.action], message=message, ended_by=answer.user)


def failed_with(error: BaseException) -> ItemResult:
    """Report the error by which a plan failed."""
    if isinstance(error, PlanExitError) and error.__cause__ is not None:
        return failed(str(error), user_traceback(error.__cause__))
    return failed(_cause_text(error), user_traceback(error))


def failed(reason: str, traceback: str = "") -> ItemResult:
    """Report that a plan failed."""
    return ItemResult(
        exit_status=ExitStatus.FAILED,
        failure_cause=FailureCause.PLAN_ERROR,
        message=f"Plan failed: {reason}",
        traceback=traceback,
    )


def _returned(watch: PlanWatch) -> ItemResult:
    if watch.failed_run is not None:
        run = watch.failed_run
        status = ExitStatus.ABORTED if run.exit_status == "abort" else ExitStatus.FAILED
        more = f" (and {watch.failed_runs - 1} more)" if watch.failed_runs > 1 else ""
        return _ended(status, f"it returned, but its run {run.uid[:8]}{more} was closed as {_closed(run)}")
    if watch.open_runs:
        uid = next(iter(watch.open_runs))
        return failed(f"it returned, but the RunEngine could not close its run {uid[:8]}.")
    return ItemResult(exit_status=ExitStatus.COMPLETED)


def _closed(run: ClosedRun) -> str:
    reason = shorten(run.reason, _MAX_REASON)
    return f"{run.exit_status!r}: {reason}" if reason else f"{run.exit_status!r} without a reason."


def _failed_by(raised: BaseException, evidence: Evidence) -> ItemResult:
    refusal = _refusal_of(evidence)
    if refusal is not None and refusal.error is raised:
        return failed(refusal.text, user_traceback(raised))
    closing = _disguised(raised)
    if closing is not None:
        return failed(_control_text(closing), user_traceback(closing))
    if isinstance(raised, RunEngineInterrupted):
        return failed(_control_text(raised), user_traceback(raised))
    return failed_with(raised)


def _disguised(raised: BaseException) -> GeneratorExit | None:
    """Return what the RunEngine turned into an empty ValueError when a plan, a device or a callback raised it."""
    cause = raised.__cause__
    return cause if type(raised) is ValueError and not raised.args and isinstance(cause, GeneratorExit) else None


def _ended_by_run_engine(evidence: Evidence) -> ItemResult:
    """Judge a plan that the RunEngine ended without an error and without a request."""
    wrapper = evidence.wrapper
    refusal = _refusal_of(evidence)
    if refusal is not None:
        return _ended(ExitStatus.ABORTED, refusal.text)
    if wrapper.failed_pause is not None and "aborting" in evidence.watch.states:
        return ItemResult(exit_status=ExitStatus.ABORTED, message=f"Plan aborted {_NOT_RESUMABLE}")
    cause = wrapper.raised or evidence.watch.ended_by
    passed_on = wrapper.raised is None or wrapper.raised is wrapper.thrown
    if passed_on and any(state in evidence.watch.states for state, _, _ in _ENDED_BY_CODE):
        return _ended_by_code(evidence)
    if cause is None or isinstance(cause, StopIteration):
        return failed("it was ended before it had returned, perhaps by a preprocessor of the RunEngine.")
    if isinstance(cause, FailedPause) and cause is not wrapper.raised:
        return _ended(ExitStatus.ABORTED, f"it could not be paused: {error_text(cause)}")
    return _ended_by_itself(cause, wrapper)


def _ended_by_itself(cause: BaseException, wrapper: PlanWrapper) -> ItemResult:
    if isinstance(cause, asyncio.CancelledError):
        where = f" while the RunEngine processed {_message_text(wrapper.thrown_at)}" if wrapper.thrown is cause else ""
        return failed(f"it was cancelled{where}: {_named(cause)}", user_traceback(cause))
    for kind, status in _RAISED_BY_PLANS.items():
        if isinstance(cause, kind):
            return _ended(status, _control_text(cause), user_traceback(cause))
    return failed_with(cause)


def _ended_by_code(evidence: Evidence) -> ItemResult:
    status, call = next((status, call) for state, status, call in _ENDED_BY_CODE if state in evidence.watch.states)
    reason = f": {shorten(evidence.reason, _MAX_REASON)}" if evidence.reason else "."
    return _ended(status, f"code in the environment called {call}{reason}")


def _ended(status: ExitStatus, why: str, traceback: str = "") -> ItemResult:
    if status == ExitStatus.FAILED:
        return failed(why, traceback)
    return ItemResult(exit_status=status, message=f"Plan {_WORDS[status]}: {why}", traceback=traceback)


def _refusal_of(evidence: Evidence) -> Refusal | None:
    return evidence.watch.refusal or refusal_in(evidence.raised)


def _is_halt(answer: Answer) -> bool:
    return answer.action == RunEngineAction.HALT


def _control_text(error: BaseException) -> str:
    return f"it raised {_named(error)}, which only the RunEngine should raise; to fail, raise another error."


def _named(error: BaseException) -> str:
    """Name an exception, with its text if it has one."""
    name, text = type(error).__name__, error_text(error)
    return name if text == name else f"{name} ({text})"


def _message_text(message: Any) -> str:
    command, device = getattr(message, "command", None), getattr(message, "obj", None)
    text = f"its message {command!r}"
    name = _text_of(lambda: device.name) if device is not None else None
    return f"{text} for {name!r}" if name else text


def _text_of(attribute: Callable[[], Any]) -> str | None:
    try:
        found = attribute()
    except BaseException:  # noqa: BLE001 - protects the report from a device whose attributes raise
        return None
    return found if isinstance(found, str) else None


def _cause_text(error: BaseException) -> str:
    """Report the error of a device rather than that its status failed."""
    cause = (error.__cause__ if type(error).__name__ == "FailedStatus" else None) or error
    # The text of these is a bare value, such as the key or the exit code, which says nothing by itself.
    return error_text(cause) if isinstance(cause, Exception) and not isinstance(cause, KeyError) else _named(cause)
