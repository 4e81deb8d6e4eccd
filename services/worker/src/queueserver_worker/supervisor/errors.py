"""What the supervisor refuses, as types with attributes.

    WorkerError
    ├── InvalidRequestError        a field of the command can't be used
    ├── StaleEpochError            the caller was replaced by another Manager
    ├── WorkerStoppingError        the Worker is being shut down
    ├── EnvironmentExistsError     another environment is open
    ├── EnvironmentClosedError     there is no environment that could do it
    ├── EnvironmentBusyError       a plan or a task is being executed
    ├── RunEngineMissingError      the namespace has no RunEngine
    ├── ExecutionEndedError        the execution that is meant has ended
    ├── NotRunningError            no plan is running that could be paused or aborted
    ├── NotPausedError             no plan is paused that could be resumed or ended
    ├── QuestionNotFoundError      that question is not asked
    ├── EnvironmentUnresponsiveError   the environment does not answer
    └── WatcherTooSlowError        a watcher was overtaken by the events that are kept

The text of each is one sentence for people that names the way out. `rpc.errors` maps every leaf to a status.
"""

from __future__ import annotations


class WorkerError(Exception):
    """Base of everything the supervisor refuses."""


class InvalidRequestError(WorkerError):
    """A field of the command can't be used."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"Correct the field {field}: {description}.")
        self.field = field
        self.description = description


class StaleEpochError(WorkerError):
    """The caller was replaced by another Manager."""

    def __init__(self, epoch: int, highest: int) -> None:
        super().__init__(
            f"Epoch {epoch} is over, and the Worker accepts commands of epoch {highest} only: "
            "this Manager was replaced and must stop."
        )
        self.epoch = epoch
        self.highest = highest


class WorkerStoppingError(WorkerError):
    """The Worker is being shut down."""

    def __init__(self) -> None:
        super().__init__("The Worker is being stopped: try again when it has been started anew.")


class EnvironmentExistsError(WorkerError):
    """Another environment is open, opening or ending."""

    def __init__(self, environment_id: str, state: str) -> None:
        super().__init__(
            f"There is an environment already (it is {state}): close or destroy it before you open another."
        )
        self.environment_id = environment_id
        self.state = state


class EnvironmentClosedError(WorkerError):
    """There is no environment that could do it; `why` is a sentence if it ended while it was to answer."""

    def __init__(self, state: str, why: str = "") -> None:
        known = f"The environment ended before it answered. {why}"
        super().__init__(
            known if why else f"There is no open environment (it is {state}): open one and wait until it is idle."
        )
        self.state = state


class EnvironmentBusyError(WorkerError):
    """A plan or a foreground task is being executed, or too many background tasks are."""

    def __init__(self, *, execution_id: str = "", task_uid: str = "") -> None:
        if execution_id:
            text = f"The environment executes a plan (execution {execution_id}): wait until it has ended."
        elif task_uid:
            text = f"The environment executes a task in the foreground ({task_uid}): wait until it has ended."
        else:
            text = "The environment executes as many tasks in the background as it can: wait until one has ended."
        super().__init__(text)
        self.execution_id = execution_id
        self.task_uid = task_uid


class RunEngineMissingError(WorkerError):
    """The environment's namespace has no RunEngine."""

    def __init__(self) -> None:
        super().__init__(
            "The environment has no RunEngine: let the startup code create one named RE, and reopen the environment."
        )


class ExecutionEndedError(WorkerError):
    """The execution that is to be paused, resumed or ended has ended."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"Execution {execution_id} has ended: nothing of it is left to pause, resume or end.")
        self.execution_id = execution_id


class NotRunningError(WorkerError):
    """No plan of ours is running that could be paused or aborted."""

    def __init__(self, state: str) -> None:
        super().__init__(f"No plan is running that could be paused or aborted (it is {state}): start one first.")
        self.state = state


class NotPausedError(WorkerError):
    """No plan of ours is paused and waits for a decision."""

    def __init__(self, state: str) -> None:
        super().__init__(f"No plan waits for how to continue (it is {state}): pause it, and wait until it is paused.")
        self.state = state


class QuestionNotFoundError(WorkerError):
    """No question is asked, or another one than that which is to be answered.

    Parameters
    ----------
    question_id
        The question that is asked; empty if none is.

    """

    def __init__(self, question_id: str) -> None:
        super().__init__(
            "The plan asks another question now: read it in the status, then answer it."
            if question_id
            else "No question is open: it was answered, or withdrawn because the plan was paused or "
            "ended; look at the status."
        )
        self.question_id = question_id


class EnvironmentUnresponsiveError(WorkerError):
    """The environment does not answer."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The environment gave no answer for {seconds:g} seconds: try again, or destroy it if it stays like that."
        )
        self.seconds = seconds


class WatcherTooSlowError(WorkerError):
    """A watcher was overtaken: events it had not read are not kept any more."""

    def __init__(self, next_sequence: int, first_kept: int) -> None:
        super().__init__(
            f"This watch wants event {next_sequence}, but the oldest that is kept is {first_kept}: watch anew and "
            "start from the snapshot."
        )
        self.next_sequence = next_sequence
        self.first_kept = first_kept
