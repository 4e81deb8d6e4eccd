"""What happens, as frozen dataclasses: one class for each kind of event, and the snapshot before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from queueserver_client.items.documents import decode_document
from queueserver_client.models.items import ExitStatus, HistoryEntry, Item, RunningItem
from queueserver_client.models.lock import LockChange, LockInfo, LockRequest
from queueserver_client.models.modes import QueueMode
from queueserver_client.models.permissions import permissions_from_proto
from queueserver_client.models.status import Status
from queueserver_client.models.tasks import TaskStatus
from queueserver_client.models.wire_enum import WireEnum, to_datetime
from queueserver_client.violations import Violation

if TYPE_CHECKING:
    from queueserver.common.v1 import console_pb2
    from queueserver.manager.v1 import event_pb2, event_service_pb2


class EventKind(WireEnum):
    """What can be watched."""

    UNSPECIFIED = "unspecified"
    STATUS = "status"
    QUEUE = "queue"
    HISTORY = "history"
    CONSOLE = "console"
    DOCUMENT = "document"
    TASK = "task"
    PERMISSION = "permission"
    LOCK = "lock"


class QueueStopReason(WireEnum):
    """Why a queue stopped."""

    UNSPECIFIED = "unspecified"
    EMPTY = "empty"
    REQUESTED = "requested"
    INSTRUCTION = "instruction"
    FAILURE = "failure"
    ENVIRONMENT = "environment"
    HELD = "held"
    PAUSE = "pause"


class ConsoleStream(WireEnum):
    """Where console text came from."""

    UNSPECIFIED = "unspecified"
    STDOUT = "stdout"
    STDERR = "stderr"
    WORKER = "worker"
    #: A line of the Manager's log: what people did. It is no output of the environment; a resumed watch may lack it.
    MANAGER = "manager"


@dataclass(frozen=True)
class ConsoleText:
    """A piece of console text, as it was written; not necessarily a whole line."""

    time: datetime
    stream: ConsoleStream
    text: str
    #: uid of the item that was being executed; empty if none was.
    item_uid: str
    #: uid of the task that wrote it; empty if none did.
    task_uid: str = ""

    @classmethod
    def from_proto(cls, proto: console_pb2.ConsoleOutput) -> ConsoleText:
        """Read the message of the contract."""
        stream = ConsoleStream.from_number(proto.stream)
        return cls(to_datetime(proto.time), stream, proto.text, proto.item_uid, proto.task_uid)


@dataclass(frozen=True)
class RunDocument:
    """A run document and where it belongs."""

    #: uid of the item that produced it; empty if none was being executed.
    item_uid: str
    #: uid of the run's start document; empty if the document does not tell.
    run_uid: str
    #: Kind of document: "start", "descriptor", "event", "stop", …
    name: str
    #: Its content, as the event model defines it.
    document: Mapping[str, Any]

    @classmethod
    def from_proto(cls, proto: event_pb2.DocumentEmitted) -> RunDocument:
        """Read the message of the contract."""
        name, document = decode_document(proto.document)
        return cls(proto.item_uid, proto.run_uid, name, document)


@dataclass(frozen=True)
class Snapshot:
    """The state at one revision, with which a watch begins."""

    revision: int
    #: None if the status is not watched.
    status: Status | None
    #: Items of the queue, front first.
    queue: Sequence[Item]
    running_item: RunningItem | None
    #: The newest history entries, oldest first.
    history: Sequence[HistoryEntry]
    #: Recent console text, oldest first.
    console: Sequence[ConsoleText]
    #: Start and descriptor documents of runs that are open.
    documents: Sequence[RunDocument]
    #: Tasks that run, and those whose results are kept, oldest first.
    tasks: Sequence[TaskStatus] = ()
    #: As in the YAML file; None if permissions are not watched.
    permissions: Mapping[str, Any] | None = None
    #: None if the lock is not watched.
    lock: LockInfo | None = None
    #: True if the watch had to start again: changes since the last event are not reported one by one.
    restarted: bool = False

    @classmethod
    def from_parts(cls, parts: Sequence[event_service_pb2.WatchSnapshot], *, restarted: bool) -> Snapshot:
        """Combine the parts of a snapshot. There is at least one part."""
        status, running = _one_of(parts, "status"), _one_of(parts, "running_item")
        permissions, lock = _one_of(parts, "permissions"), _one_of(parts, "lock_info")
        return cls(
            revision=parts[0].revision,
            status=None if status is None else Status.from_proto(status),
            queue=[Item.from_proto(item) for part in parts for item in part.queue],
            running_item=None if running is None else RunningItem.from_proto(running),
            history=[HistoryEntry.from_proto(entry) for part in parts for entry in part.history],
            console=[ConsoleText.from_proto(text) for part in parts for text in part.console],
            documents=[RunDocument.from_proto(document) for part in parts for document in part.documents],
            tasks=[TaskStatus.from_proto(task) for part in parts for task in part.tasks],
            permissions=None if permissions is None else permissions_from_proto(permissions),
            lock=None if lock is None else LockInfo.from_proto(lock),
            restarted=restarted,
        )


def _one_of(
    parts: Sequence[event_service_pb2.WatchSnapshot],
    field: Literal["status", "running_item", "permissions", "lock_info"],
) -> Any:
    """A message that one of the parts carries; None if none does."""
    return next((getattr(part, field) for part in parts if part.HasField(field)), None)


@dataclass(frozen=True)
class Event:
    """One change."""

    #: Revision of the change, for queue and history events; 0 for the others.
    revision: int
    time: datetime


@dataclass(frozen=True)
class StatusChanged(Event):
    """The status is now this."""

    status: Status


@dataclass(frozen=True)
class ItemAdded(Event):
    """An item entered the queue: submitted, or put back for a new attempt."""

    item: Item
    index: int


@dataclass(frozen=True)
class ItemsAdded(Event):
    """Several items entered the queue, next to each other; `index` is that of the first."""

    items: Sequence[Item]
    index: int


@dataclass(frozen=True)
class ItemRemoved(Event):
    """An item was taken out of the queue by a client."""

    item_uid: str
    index: int


@dataclass(frozen=True)
class ItemMoved(Event):
    """An item changed its place."""

    item_uid: str
    from_index: int
    to_index: int


@dataclass(frozen=True)
class ItemsMoved(Event):
    """Several items changed their place: they were taken out, then put in next to each other."""

    #: Their uids, in their order now.
    item_uids: Sequence[str]
    #: Index of the first one now.
    index: int


@dataclass(frozen=True)
class ItemUpdated(Event):
    """An item was replaced by another one at the same place."""

    #: uid it had; its new one is in `item`.
    item_uid: str
    item: Item
    index: int


@dataclass(frozen=True)
class QueueModeChanged(Event):
    """The mode of the queue is now this."""

    mode: QueueMode


@dataclass(frozen=True)
class AutostartChanged(Event):
    """Autostart was switched on or off."""

    enabled: bool


@dataclass(frozen=True)
class QueueCleared(Event):
    """All items were taken out of the queue by a client."""

    removed: int


@dataclass(frozen=True)
class QueueStarted(Event):
    """The queue started."""

    user: str


@dataclass(frozen=True)
class QueueStopRequested(Event):
    """The queue will stop after the running item."""

    user: str


@dataclass(frozen=True)
class QueueStopCancelled(Event):
    """The pending stop was withdrawn."""

    user: str


@dataclass(frozen=True)
class QueueStopped(Event):
    """The queue stopped."""

    reason: QueueStopReason


@dataclass(frozen=True)
class ItemStarted(Event):
    """An item is being executed: the first one of the queue, or one that never was in it."""

    running_item: RunningItem


@dataclass(frozen=True)
class ItemFinished(Event):
    """The running item ended."""

    item_uid: str
    execution_id: str
    exit_status: ExitStatus
    #: uid of the new attempt that entered the queue; empty if there is none.
    requeued_as_uid: str


@dataclass(frozen=True)
class HistoryAdded(Event):
    """An entry was added to the history."""

    entry: HistoryEntry


@dataclass(frozen=True)
class HistoryCleared(Event):
    """Entries were removed from the history."""

    removed: int
    #: The lowest `number` that is left; 0 if nothing is left.
    first_number: int


@dataclass(frozen=True)
class InventoryChanged(Event):
    """Plans or devices changed; `client.inventory` has the new lists."""

    plans: int
    devices: int


@dataclass(frozen=True)
class ItemsChecked(Event):
    """Items of the queue were checked again, because plans, devices or permissions changed."""

    #: By uid: what is wrong with the item now; nothing if it is right again.
    problems: Mapping[str, Sequence[Violation]]


@dataclass(frozen=True)
class TaskStarted(Event):
    """A task was accepted."""

    task: TaskStatus


@dataclass(frozen=True)
class TaskFinished(Event):
    """A task ended. What it returned is left out; ``client.tasks.get`` has it."""

    task: TaskStatus


@dataclass(frozen=True)
class PermissionsChanged(Event):
    """Permissions of user groups are now these, as in the YAML file."""

    permissions: Mapping[str, Any]


@dataclass(frozen=True)
class LockChanged(Event):
    """The lock changed, or a request for it."""

    change: LockChange
    #: The lock now, and before; None if nothing was locked before.
    lock: LockInfo
    previous: LockInfo | None
    #: Who changed it; empty if it changed by itself.
    user: str
    #: What the holder replied to the requester.
    answer_note: str
    #: The request that the change is about; None for other changes.
    request: LockRequest | None


@dataclass(frozen=True)
class ConsoleWritten(Event):
    """The environment wrote to its console."""

    console: ConsoleText


@dataclass(frozen=True)
class DocumentEmitted(Event):
    """A run emitted a document."""

    document: RunDocument


@dataclass(frozen=True)
class EventsLost(Event):
    """Events were lost here: the client was away for too long, or what held them is gone; or one event was too long."""

    #: Which kinds may be incomplete.
    kinds: Sequence[EventKind]
    #: Bytes of the one event that was left out, because no message can be so long; 0 if events were lost.
    omitted_bytes: int = 0


@dataclass(frozen=True)
class UnknownEvent(Event):
    """Something that only a newer server knows.

    It can be ignored: changes of queue, history, tasks or permissions are reported by the other events too.
    """
