"""States, requests and streams: the enums of the channel."""

from enum import IntEnum


class RunEngineState(IntEnum):
    """State of the RunEngine."""

    UNSPECIFIED = 0
    IDLE = 1
    RUNNING = 2
    PAUSING = 3
    PAUSED = 4
    STOPPING = 5
    ABORTING = 6
    HALTING = 7
    SUSPENDING = 8
    PANICKED = 9


class RunEngineAction(IntEnum):
    """What is requested of a running plan."""

    UNSPECIFIED = 0
    PAUSE_DEFERRED = 1
    PAUSE_IMMEDIATE = 2
    RESUME = 3
    STOP = 4
    ABORT = 5
    HALT = 6
    ABORT_NOW = 7


class ItemType(IntEnum):
    """Kind of an item."""

    UNSPECIFIED = 0
    PLAN = 1
    INSTRUCTION = 2


class ExitStatus(IntEnum):
    """How a plan ended."""

    UNSPECIFIED = 0
    COMPLETED = 1
    FAILED = 2
    STOPPED = 3
    ABORTED = 4
    HALTED = 5


class FailureCause(IntEnum):
    """Why a plan failed."""

    UNSPECIFIED = 0
    PLAN_ERROR = 1
    NOT_STARTED = 2
    ENVIRONMENT_LOST = 3
    ENVIRONMENT_DESTROYED = 4
    WORKER_LOST = 5
    SHUTDOWN = 6


class TaskFailureCause(IntEnum):
    """Why a task failed."""

    UNSPECIFIED = 0
    TASK_ERROR = 1
    NOT_STARTED = 2
    ENVIRONMENT_LOST = 3
    ENVIRONMENT_DESTROYED = 4
    WORKER_LOST = 5
    SHUTDOWN = 6


class ConsoleStream(IntEnum):
    """Where text was printed."""

    UNSPECIFIED = 0
    STDOUT = 1
    STDERR = 2
    WORKER = 3
    MANAGER = 4
