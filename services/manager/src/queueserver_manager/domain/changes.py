"""The few kinds of change from which every decision is made.

A decision does not change anything itself: it lists changes. The same list is applied to the working copy and
translated for the store, so the two can't drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from queueserver_manager.domain.events import Event
from queueserver_manager.domain.import_progress import Import
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.lock.lock import Lock
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue.item import HistoryEntry, Item, RunningItem
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.requests import AnsweredRequest
from queueserver_manager.domain.tasks.tasks import KeptTask

T = TypeVar("T")


class PutItem(NamedTuple):
    """Put an item into the queue, or the one with its uid to another rank. A batch has thousands of them."""

    item: Item
    rank: int


class SetRank(NamedTuple):
    """Give an item of the queue another rank between the same neighbours."""

    uid: str
    rank: int


class MoveItem(NamedTuple):
    """Give an item of the queue another place. What the item is, which may be long, is not written again."""

    uid: str
    rank: int


@dataclass(frozen=True, slots=True)
class DropItem:
    """Take an item out of the queue."""

    uid: str


@dataclass(frozen=True, slots=True)
class DropAllItems:
    """Take all items out of the queue."""


@dataclass(frozen=True, slots=True)
class SetRunning:
    """Claim an item for execution, or release it."""

    running: RunningItem | None


@dataclass(frozen=True, slots=True)
class MarkRunning:
    """Note on the running item what was asked of it. The plan continues unchanged, so there is no event."""

    running: RunningItem


@dataclass(frozen=True, slots=True)
class QueueActivity:
    """Whether the queue is to continue with the next item."""

    active: bool = False
    stop_pending: bool = False


@dataclass(frozen=True, slots=True)
class SetQueueActivity:
    """Start or stop the queue."""

    queue_activity: QueueActivity


@dataclass(frozen=True, slots=True)
class AddHistory:
    """Add the next history entry."""

    entry: HistoryEntry


@dataclass(frozen=True, slots=True)
class DropHistory:
    """Remove all history entries with a number from ``first`` up to but without ``before``."""

    first: int
    before: int


@dataclass(frozen=True, slots=True)
class SetInventory:
    """Replace plans and devices."""

    inventory: Inventory
    plans_changed: bool
    devices_changed: bool


@dataclass(frozen=True, slots=True)
class SetPermissions:
    """Replace the permissions of all user groups."""

    permissions: Permissions


@dataclass(frozen=True, slots=True)
class SetMode:
    """Change how ended items are treated."""

    mode: QueueMode


@dataclass(frozen=True, slots=True)
class SetAutostart:
    """Switch autostart on or off."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class PutTask:
    """Accept a task, or note its result."""

    kept: KeptTask


@dataclass(frozen=True, slots=True)
class DropTasks:
    """Forget tasks that have ended."""

    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetWorker:
    """Note which Worker process was connected last."""

    worker_boot_id: str


@dataclass(frozen=True, slots=True)
class SetLock:
    """Replace the lock; None if nothing is locked any more."""

    lock: Lock | None


@dataclass(frozen=True, slots=True)
class PutImport:
    """Note how far an import has come; ``forgotten`` is the id of an old one that is dropped for it, if any."""

    done: Import
    forgotten: str = ""


@dataclass(frozen=True, slots=True)
class SettleClearOrder:
    """Tell the tool that ordered a lock to be cleared whether it was, and remove the order."""

    order_id: str
    cleared: bool


@dataclass(frozen=True, slots=True)
class RememberRequest:
    """Keep the response to a request, so that a retry gets the same."""

    request: AnsweredRequest


@dataclass(frozen=True, slots=True)
class ForgetRequests:
    """Forget old requests."""

    request_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForgetAnswers:
    """Drop responses, and keep the rest of these requests."""

    requests: tuple[AnsweredRequest, ...]


Change = (
    PutItem
    | SetRank
    | MoveItem
    | DropItem
    | DropAllItems
    | SetRunning
    | MarkRunning
    | SetQueueActivity
    | AddHistory
    | DropHistory
    | SetInventory
    | SetPermissions
    | SetMode
    | SetAutostart
    | PutTask
    | DropTasks
    | SetWorker
    | SetLock
    | PutImport
    | SettleClearOrder
    | RememberRequest
    | ForgetRequests
    | ForgetAnswers
)


def size_of(change: Change) -> int:
    """About how many bytes a change writes, where that can be many."""
    if isinstance(change, PutItem):
        return change.item.size
    if isinstance(change, RememberRequest):
        return change.request.size
    if isinstance(change, AddHistory):
        return change.entry.size
    return 0


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """What is to change, the events of that change, and the response to the caller."""

    result: T
    changes: Sequence[Change] = ()
    events: Sequence[Event] = field(default=())
