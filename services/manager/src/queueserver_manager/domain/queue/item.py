"""What is in the queue, runs, and ends in the history.

All of it is immutable. An item keeps its uid while it is moved; a new attempt after a failure is a new item
that points back to the one before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from queueserver_manager.domain.refusals.errors import Violation

#: The only instruction: the queue stops when it reaches it.
QUEUE_STOP = "queue_stop"


class ItemKind(Enum):
    """Kind of item; the value is its word in storage and on the command line."""

    PLAN = "plan"
    INSTRUCTION = "instruction"


@dataclass(frozen=True, slots=True)
class ItemWarning:
    """A text that names no device, where a device could stand."""

    #: Its path, for example "item.args[1]".
    field: str
    text: str
    #: One sentence.
    message: str
    #: Names of similar devices, best first.
    near_matches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A plan call (or instruction) with its owner and attempt number."""

    uid: str
    kind: ItemKind
    name: str
    user: str
    user_group: str
    #: Seconds since the epoch at which it entered the queue.
    created: float
    #: Arguments as JSON values, numbers already int or float. None if the client gave none.
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    #: Metadata for the RunEngine.
    meta: dict[str, Any] | None = None
    #: The client's own data; never interpreted.
    properties: dict[str, Any] | None = None
    attempt: int = 1
    #: uid of the attempt before; empty on a first attempt.
    retry_of_uid: str = ""
    #: The queue does not start while this item is at its head.
    held: bool = False
    #: What is wrong with it under the present plans, devices and permissions; see revalidation.py.
    problems: tuple[Violation, ...] = ()
    #: Warnings for its submitter. Not stored.
    warnings: tuple[ItemWarning, ...] = field(default=(), compare=False, repr=False)
    #: Encoded forms, kept by adapters so that an item is encoded once. Not part of the item itself.
    encoded: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    #: Bytes as stored, without what a new attempt or new problems add.
    size: int = field(default=0, compare=False, repr=False)

    def next_attempt(self, uid: str, now: float, *, held: bool = False) -> Item:
        """Make the item that retries what this one did not finish."""
        return replace(
            self, uid=uid, created=now, attempt=self.attempt + 1, retry_of_uid=self.uid, held=held, encoded={}
        )

    def repetition(self, uid: str, now: float) -> Item:
        """Make the item that repeats this one, in loop mode."""
        return replace(self, uid=uid, created=now, attempt=1, retry_of_uid="", held=False, encoded={})

    def in_place_of(self, other: Item) -> Item:
        """The same item, with the attempt of the item that it replaces."""
        if (self.attempt, self.retry_of_uid) == (other.attempt, other.retry_of_uid):
            return self
        return replace(self, attempt=other.attempt, retry_of_uid=other.retry_of_uid, encoded={})

    def checked(self, problems: tuple[Violation, ...]) -> Item:
        """The same item, with these problems."""
        return replace(self, problems=problems, encoded={})

    def released(self) -> Item:
        """The same item, no longer held."""
        return replace(self, held=False, encoded={}) if self.held else self


@dataclass(frozen=True, slots=True)
class RunningItem:
    """An item that was claimed for execution and has no outcome yet."""

    item: Item
    #: Identity of this one execution.
    execution_id: str
    #: Seconds since the epoch.
    claimed: float
    #: Process of the Worker and environment it was claimed for: if the Worker has another boot id later, what
    #: executed the item is gone.
    boot_id: str
    environment_id: str
    #: It was submitted for immediate execution and never was in the queue.
    immediate: bool = False
    #: Asked for when the plan could not do it any more, so that nothing starts by itself after it: a pause, an end.
    pause_pending: bool = False
    end_requested: bool = False


class ExitStatus(Enum):
    """How an execution ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    ABORTED = "aborted"
    HALTED = "halted"

    @property
    def is_success(self) -> bool:
        """Completed and stopped plans did what was asked; the others get a new attempt."""
        return self in (ExitStatus.COMPLETED, ExitStatus.STOPPED)


class FailureCause(Enum):
    """What made an execution fail."""

    NONE = ""
    PLAN_ERROR = "plan_error"
    NOT_STARTED = "not_started"
    ENVIRONMENT_LOST = "environment_lost"
    ENVIRONMENT_DESTROYED = "environment_destroyed"
    WORKER_LOST = "worker_lost"
    SHUTDOWN = "shutdown"


#: Causes that lie outside of the plan.
INTERRUPTIONS = frozenset(
    {
        FailureCause.ENVIRONMENT_LOST,
        FailureCause.ENVIRONMENT_DESTROYED,
        FailureCause.WORKER_LOST,
        FailureCause.SHUTDOWN,
    }
)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run that an execution opened."""

    uid: str
    scan_id: int | None
    is_open: bool
    #: exit_status of its stop document; empty while open.
    exit_status: str


@dataclass(frozen=True, slots=True)
class ItemResult:
    """Outcome of one execution. Times are seconds since the epoch; start is None if the plan never began."""

    exit_status: ExitStatus
    stop: float
    start: float | None = None
    failure_cause: FailureCause = FailureCause.NONE
    message: str = ""
    traceback: str = ""
    runs: tuple[RunSummary, ...] = ()
    #: The last console text printed during the execution.
    console: str = ""
    #: What a person should know about the environment afterwards, one sentence each.
    notices: tuple[str, ...] = ()
    #: The user who asked for it to end; empty if there is none.
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the Worker reports at the end of an execution."""

    execution_id: str
    result: ItemResult
    #: The Worker never accepted it; the plan is not at fault.
    refused: bool = False
    #: The Worker accepted a pause that never took effect, or a request to end it.
    pause_pending: bool = False
    end_requested: bool = False


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An item and its result."""

    #: 1 for the first entry ever; never reused.
    number: int
    item: Item
    execution_id: str
    result: ItemResult
    #: uid of the new attempt that was put back in the queue; empty if there is none.
    requeued_as_uid: str = ""
    #: As in Item.
    encoded: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    #: Bytes as it is stored.
    size: int = field(default=0, compare=False, repr=False)
