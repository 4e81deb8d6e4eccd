"""What happened to the queue, the history, tasks and the lock, in the past tense.

Stored with the change, told to watchers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from queueserver_manager.domain.lock.lock import Lock, LockRequest
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue.item import ExitStatus, HistoryEntry, Item, RunningItem
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.tasks.tasks import Task, TaskResult


class StopReason(Enum):
    """Why a queue stopped."""

    EMPTY = "empty"
    REQUESTED = "requested"
    INSTRUCTION = "instruction"
    FAILURE = "failure"
    ENVIRONMENT = "environment"
    HELD = "held"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class ItemsAdded:
    """Items entered the queue, next to each other; ``index`` is that of the first one afterwards."""

    items: tuple[Item, ...]
    index: int


@dataclass(frozen=True, slots=True)
class ItemRemoved:
    """An item was taken out by a client, or a queue_stop instruction was consumed; ``index`` is the one it had."""

    uid: str
    index: int


@dataclass(frozen=True, slots=True)
class ItemMoved:
    """An item changed its place."""

    uid: str
    from_index: int
    to_index: int


@dataclass(frozen=True, slots=True)
class ItemsMoved:
    """Items changed their place and stand next to each other; ``index`` is that of the first one afterwards."""

    uids: tuple[str, ...]
    index: int


@dataclass(frozen=True, slots=True)
class ItemUpdated:
    """An item was replaced by another one at the same place; ``uid`` is the one it had."""

    uid: str
    item: Item
    index: int


@dataclass(frozen=True, slots=True)
class QueueModeChanged:
    """Ended items are treated differently from now on."""

    mode: QueueMode


@dataclass(frozen=True, slots=True)
class AutostartChanged:
    """Autostart was switched on or off."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class QueueCleared:
    """All items were taken out by a client."""

    removed: int


@dataclass(frozen=True, slots=True)
class QueueStarted:
    """The queue started."""

    user: str


@dataclass(frozen=True, slots=True)
class QueueStopRequested:
    """The queue will stop after the running item."""

    user: str


@dataclass(frozen=True, slots=True)
class QueueStopCancelled:
    """The pending stop was withdrawn."""

    user: str


@dataclass(frozen=True, slots=True)
class QueueStopped:
    """The queue stopped."""

    reason: StopReason


@dataclass(frozen=True, slots=True)
class ItemStarted:
    """The first item left the queue and is being executed."""

    running: RunningItem


@dataclass(frozen=True, slots=True)
class ItemFinished:
    """The running item ended."""

    uid: str
    execution_id: str
    exit_status: ExitStatus
    requeued_as_uid: str


@dataclass(frozen=True, slots=True)
class HistoryAdded:
    """An entry was added to the history."""

    entry: HistoryEntry
    #: From another server: it ended long ago. Not stored.
    imported: bool = False


@dataclass(frozen=True, slots=True)
class HistoryCleared:
    """Entries were removed; ``first_number`` is the lowest that is left, 0 if nothing is left."""

    removed: int
    first_number: int


@dataclass(frozen=True, slots=True)
class InventoryReplaced:
    """Plans or devices changed; how many there are now."""

    plans: int
    devices: int


@dataclass(frozen=True, slots=True)
class ItemsChecked:
    """Items were checked again: uids of those whose problems are not what they were, with what is wrong now."""

    items: tuple[tuple[str, tuple[Violation, ...]], ...]


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A task was accepted."""

    task: Task


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """A task ended."""

    task: Task
    result: TaskResult


@dataclass(frozen=True, slots=True)
class PermissionsReplaced:
    """Permissions changed."""

    permissions: Permissions


class LockChange(Enum):
    """What happened to the lock, or to a request for it."""

    ACQUIRED = "acquired"
    RELEASED = "released"
    RELEASED_BY_EMERGENCY_KEY = "released_by_emergency_key"
    EXPIRED = "expired"
    CLEARED = "cleared"
    RENEWED = "renewed"
    EXTENDED = "extended"
    REQUESTED = "requested"
    TAKEN_OVER = "taken_over"
    REQUEST_REFUSED = "request_refused"
    REQUEST_WITHDRAWN = "request_withdrawn"
    REQUEST_EXPIRED = "request_expired"


@dataclass(frozen=True, slots=True)
class LockChanged:
    """The lock changed, or a request for it. No key is in it."""

    change: LockChange
    lock: Lock | None
    previous: Lock | None
    #: Who changed it; empty if it changed by itself.
    user: str
    #: What the holder replied to the requester.
    answer_note: str
    #: The request that the change is about.
    request: LockRequest | None
    emergency_key_is_set: bool


QueueEvent = (
    ItemsAdded
    | ItemRemoved
    | ItemMoved
    | ItemsMoved
    | ItemUpdated
    | QueueModeChanged
    | AutostartChanged
    | QueueCleared
    | QueueStarted
    | QueueStopRequested
    | QueueStopCancelled
    | QueueStopped
    | ItemStarted
    | ItemFinished
    | InventoryReplaced
    | ItemsChecked
)
HistoryEvent = HistoryAdded | HistoryCleared
TaskEvent = TaskStarted | TaskFinished
Event = QueueEvent | HistoryEvent | TaskEvent | PermissionsReplaced | LockChanged


class Kind(IntEnum):
    """Kind of what watchers get; the numbers are those of EventKind in the contract, and 0 is an internal note."""

    WORKER_ATTACHED = 0
    STATUS = 1
    QUEUE = 2
    HISTORY = 3
    CONSOLE = 4
    DOCUMENT = 5
    TASK = 6
    PERMISSION = 7
    LOCK = 8


#: Kinds of the events above that are not of the queue.
_KINDS: dict[type, Kind] = {
    HistoryAdded: Kind.HISTORY,
    HistoryCleared: Kind.HISTORY,
    TaskStarted: Kind.TASK,
    TaskFinished: Kind.TASK,
    PermissionsReplaced: Kind.PERMISSION,
    LockChanged: Kind.LOCK,
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event with the revision of the change it belongs to and its time, seconds since the epoch."""

    revision: int
    time: float
    event: Event
    #: How many events of the same change precede it.
    place: int = 0
    #: Who asked for the change, for the log. Empty if no client did.
    user: str = field(default="", compare=False)
    #: The form in which it is stored and sent, kept by adapters so that an event is encoded once.
    encoded: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> Kind:
        """Kind under which it is watched."""
        return _KINDS.get(type(self.event), Kind.QUEUE)


def announcements_of(revision: int, time: float, events: Sequence[Event], user: str = "") -> list[Announcement]:
    """All events of one change."""
    return [Announcement(revision, time, event, place, user) for place, event in enumerate(events)]
