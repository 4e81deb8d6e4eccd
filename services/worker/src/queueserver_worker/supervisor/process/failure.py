"""Why an environment is gone, in sentences for people."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from queueserver.common.v1 import item_pb2, task_pb2
from queueserver.common.v1.environment_pb2 import EnvironmentFailure

from queueserver_worker.supervisor.process.lifecycle import State

_ACTIVITY = {
    State.INITIALIZING: "while the startup code was loading",
    State.IDLE: "while it was idle",
    State.EXECUTING_PLAN: "while the plan ran",
    State.EXECUTING_TASK: "while a task ran",
    State.CLOSING: "while it was closing",
    State.DESTROYING: "while it was being destroyed",
}
_TASK_CAUSES = {
    item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST: task_pb2.TASK_FAILURE_CAUSE_ENVIRONMENT_LOST,
    item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED: task_pb2.TASK_FAILURE_CAUSE_ENVIRONMENT_DESTROYED,
    item_pb2.FAILURE_CAUSE_SHUTDOWN: task_pb2.TASK_FAILURE_CAUSE_SHUTDOWN,
}
MAX_TEXT = 64 * 1024
_CLOSED_AROUND_TASK = "the environment was closed on request while the task ran in the background."
_TAIL_CHARACTERS = 8_000
_TAIL_LINES = 30


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the supervisor itself ends an environment."""

    #: What this means for the running plan.
    cause: item_pb2.FailureCause.ValueType
    #: The sentence about that plan.
    plan_message: str
    #: The sentence about the environment; empty if all is well.
    failure_message: str
    #: The sentence about each running task, after a colon.
    task_message: str
    #: Who asked for it, if known.
    user: str = ""

    @property
    def task_cause(self) -> task_pb2.TaskFailureCause.ValueType:
        """What this means for each running task."""
        return _TASK_CAUSES[self.cause]


def destroyed(state: State, user: str, *, paused: bool = False) -> Ending:
    """Destroyed on request."""
    by = f" of {user}" if user else ""
    return Ending(
        item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED,
        f"The environment was destroyed on request{by} while the plan {'was paused' if paused else 'ran'}.",
        _unfinished_opening(state, "destroyed"),
        f"the environment was destroyed on request{by} while the task ran.",
        user,
    )


def closed(state: State) -> Ending:
    """Closed on request."""
    return Ending(
        item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED, "", _unfinished_opening(state, "closed"), _CLOSED_AROUND_TASK
    )


def closing_took_too_long(seconds: float) -> Ending:
    """Killed, because it did not close."""
    return Ending(
        item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED,
        "",
        f"The environment process did not end within {seconds:g} seconds after it was told to close, and was killed.",
        _CLOSED_AROUND_TASK,
    )


def broken(problem: str) -> Ending:
    """Killed, because it can't be reached any more; `problem` completes "The environment process …"."""
    message = f"The environment process {problem}, and was killed."
    return Ending(item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST, message, message, _uncapitalized(message))


def died(sentence: str) -> Ending:
    """Ended by itself."""
    return Ending(item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST, sentence, sentence, _uncapitalized(sentence))


def service_stopped() -> Ending:
    """Ended, because the Worker is being stopped."""
    return Ending(
        item_pb2.FAILURE_CAUSE_SHUTDOWN,
        "The Worker service was stopped while the plan ran.",
        "",
        "the Worker service was stopped while the task ran.",
    )


def describe_exit(state: State, returncode: int, *, paused: bool = False, simulating: bool = False) -> str:
    """One sentence about a process that ended by itself."""
    if returncode < 0:
        how = f"was killed by signal {-returncode}{_signal_name(-returncode)}"
    else:
        how = f"ended with exit code {returncode}"
    activity = "while the plan was paused" if paused else _ACTIVITY.get(state, "unexpectedly")
    if simulating and state is State.IDLE:
        activity = "while it simulated a plan"
    return f"The environment process {how} {activity}."


def bounded(failure: EnvironmentFailure) -> EnvironmentFailure:
    """A copy of what the environment reported, no longer than is reasonable."""
    return EnvironmentFailure(
        message=failure.message[:2_000] or "The startup code failed, and did not say why.",
        exception_type=failure.exception_type[:200],
        file=failure.file[:4_000],
        line=failure.line,
        traceback=failure.traceback[-MAX_TEXT:],
    )


class Tail:
    """The last lines of a text that arrives in pieces."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, text: str) -> None:
        """Append a piece."""
        self._text = (self._text + text)[-_TAIL_CHARACTERS:]

    def lines(self) -> str:
        """The last lines."""
        return "\n".join(self._text.splitlines()[-_TAIL_LINES:])


def _unfinished_opening(state: State, how: str) -> str:
    if state is not State.INITIALIZING:
        return ""
    return f"The environment was {how} on request while its startup code was loading."


def _uncapitalized(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _signal_name(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""
