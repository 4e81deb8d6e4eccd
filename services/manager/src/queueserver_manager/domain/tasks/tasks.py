"""Tasks: functions and scripts that the environment executes beside plans, and their results.

A task is stored before anything acts on it, and ends exactly once. Results are kept for a time and in a number that
can both be set, and survive restarts; what a task is to do is dropped when it is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any


class TaskKind(Enum):
    """What a task does; the value is the word used in messages."""

    FUNCTION = "function"
    SCRIPT = "script"
    ENVIRONMENT_UPDATE = "environment_update"


#: What messages about a failed task call its kind.
TITLES: Mapping[TaskKind, str] = {
    TaskKind.FUNCTION: "Execute function",
    TaskKind.SCRIPT: "Load script",
    TaskKind.ENVIRONMENT_UPDATE: "Update environment",
}


#: This many tasks run in the background at once; the Worker takes no more either.
MOST_IN_BACKGROUND = 100


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function; names of devices in its arguments stay names."""

    name: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """A script for the environment's namespace."""

    text: str
    update_lists: bool = True
    update_re: bool = False
    #: The file it comes from; empty if there is none.
    name: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentUpdate:
    """The namespace is to be read again."""


Work = FunctionCall | Script | EnvironmentUpdate
_KINDS: Mapping[type, TaskKind] = {
    FunctionCall: TaskKind.FUNCTION,
    Script: TaskKind.SCRIPT,
    EnvironmentUpdate: TaskKind.ENVIRONMENT_UPDATE,
}


def kind_of_work(work: Work) -> TaskKind:
    """Which kind of task does this."""
    return _KINDS[type(work)]


@dataclass(frozen=True, slots=True)
class Task:
    """A task as accepted. Times are seconds since the epoch."""

    #: Counts all tasks ever, from 1: their order.
    number: int
    uid: str
    kind: TaskKind
    #: Of the function, or of the script; empty for others.
    name: str
    background: bool
    user: str
    user_group: str
    created: float
    #: For which process of the Worker and which environment it was accepted.
    boot_id: str
    environment_id: str
    #: What is to be done; None once it is done.
    work: Work | None = None


class TaskFailureCause(Enum):
    """What made a task fail."""

    NONE = ""
    TASK_ERROR = "task_error"
    NOT_STARTED = "not_started"
    ENVIRONMENT_LOST = "environment_lost"
    ENVIRONMENT_DESTROYED = "environment_destroyed"
    WORKER_LOST = "worker_lost"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task ended."""

    success: bool
    stop: float
    start: float | None = None
    message: str = ""
    traceback: str = ""
    #: What the function returned, as a serialized queueserver.common.v1.Value; None if nothing.
    return_value: bytes | None = None
    console: str = ""
    failure_cause: TaskFailureCause = TaskFailureCause.NONE


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What the Worker reports of a task that has ended."""

    task_uid: str
    result: TaskResult


@dataclass(frozen=True, slots=True)
class KeptTask:
    """A task, and its result once it has ended."""

    task: Task
    result: TaskResult | None = None

    @property
    def size(self) -> int:
        """About how many bytes its result has: what it returned, and texts."""
        result = self.result
        if result is None:
            return 0
        texts = len(result.message) + len(result.traceback) + len(result.console)
        return texts + (len(result.return_value) if result.return_value is not None else 0)


class Tasks:
    """Running tasks, and those whose results are kept, oldest first."""

    def __init__(self, kept: Iterable[KeptTask] = ()) -> None:
        self._kept = {one.task.uid: one for one in sorted(kept, key=lambda one: one.task.number)}
        self._running = {uid: one.task for uid, one in self._kept.items() if one.result is None}
        self._last = max((one.task.number for one in self._kept.values()), default=0)

    def __iter__(self) -> Iterator[KeptTask]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def next_number(self) -> int:
        """Number of the next task. It only has to be higher than those that are kept."""
        return self._last + 1

    def get(self, uid: str) -> KeptTask | None:
        """A task, if it is still known."""
        return self._kept.get(uid)

    @property
    def running(self) -> list[Task]:
        """Tasks that have not ended."""
        return sorted(self._running.values(), key=lambda task: task.number)

    @property
    def foreground(self) -> Task | None:
        """The task that has the environment to itself, if there is one."""
        return next((task for task in self._running.values() if not task.background), None)

    @property
    def background_count(self) -> int:
        """How many tasks run in the background, as far as known."""
        return sum(task.background for task in self._running.values())

    def put(self, kept: KeptTask) -> None:
        """Add a task, or its result."""
        uid = kept.task.uid
        self._kept[uid] = kept
        if kept.result is None:
            self._running[uid] = kept.task
        else:
            self._running.pop(uid, None)
        self._last = max(self._last, kept.task.number)

    def drop(self, uid: str) -> None:
        """Forget a task."""
        del self._kept[uid]
        self._running.pop(uid, None)

    def restore(self, dropped: Iterable[KeptTask]) -> None:
        """Undo :meth:`drop`."""
        before = {one.task.uid: one for one in dropped} | self._kept
        self._kept = dict(sorted(before.items(), key=lambda pair: pair[1].task.number))
        self._running = {uid: one.task for uid, one in self._kept.items() if one.result is None}


@dataclass(frozen=True, slots=True)
class Retention:
    """How long, in seconds since the end, and how many results are kept."""

    age: float = 3600.0
    count: int = 1000
    #: Bytes of all results together; the latest one stays, however long it is.
    size: int = 64 * 1024 * 1024


def ended(kept: KeptTask, result: TaskResult) -> KeptTask:
    """A task that has ended: what it was to do is no longer needed."""
    return KeptTask(replace(kept.task, work=None), result)


def outdated(tasks: Tasks, retention: Retention, now: float) -> tuple[str, ...]:
    """Tasks whose results need not be kept: too old, or too many.

    The first to end is the first to go, whenever it began: a client may have waited long for one that just ended.
    """
    finished = sorted((one for one in tasks if one.result is not None), key=_end)
    surplus, room = len(finished) - retention.count, retention.size
    kept = finished[max(surplus, 0) :]
    gone = finished[: len(finished) - len(kept)]
    for one in reversed(kept):
        room -= one.size
        if room < 0 or _end(one)[0] < now - retention.age:
            gone.append(one)
    return tuple(one.task.uid for one in gone)


def _end(one: KeptTask) -> tuple[float, int]:
    """When a task ended; those that ended at the same time by their number."""
    return (one.result.stop if one.result is not None else 0.0, one.task.number)
