"""Everything that the Manager stores, as its working copy in memory.

The Manager is the only writer of its store, so this copy is current. Changes are applied here when
they are decided; each application returns how to undo it, in case it can't be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from queueserver_manager.domain.changes import (
    AddHistory,
    Change,
    DropAllItems,
    DropHistory,
    DropItem,
    DropTasks,
    ForgetAnswers,
    ForgetRequests,
    MarkRunning,
    MoveItem,
    PutImport,
    PutItem,
    PutTask,
    QueueActivity,
    RememberRequest,
    SetAutostart,
    SetInventory,
    SetLock,
    SetMode,
    SetPermissions,
    SetQueueActivity,
    SetRank,
    SetRunning,
    SettleClearOrder,
    SetWorker,
)
from queueserver_manager.domain.history import History
from queueserver_manager.domain.import_progress import Import
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.lock.lock import KeyDigest, Lock
from queueserver_manager.domain.permissions.permissions import BUILT_IN, Permissions
from queueserver_manager.domain.queue.item import Item, RunningItem
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.queue.queue import Queue
from queueserver_manager.domain.requests import AnsweredRequest, Requests
from queueserver_manager.domain.tasks.tasks import KeptTask, Tasks

Undo = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Revisions:
    """Revision of the last change of anything, and of each part."""

    last: int = 0
    queue: int = 0
    history: int = 0
    plans: int = 0
    devices: int = 0
    #: Of the last finished task.
    tasks: int = 0
    permissions: int = 0
    #: Of the mode, which the queue's change marker does not cover.
    mode: int = 0
    lock: int = 0

    @property
    def queue_and_mode(self) -> int:
        """Of the queue and its mode: a change of the mode depends on both."""
        return max(self.queue, self.mode)

    @property
    def plans_allowed(self) -> int:
        """Of the plans that any group may use: their lists name devices."""
        return max(self.plans, self.devices, self.permissions)

    @property
    def devices_allowed(self) -> int:
        """Of the devices that any group may use."""
        return max(self.devices, self.permissions)

    def after(self, revision: int, changes: Iterable[Change]) -> Revisions:
        """Revisions after a commit with these changes."""
        # A batch has thousands of changes of one kind: one of them stands for all, except of kinds that differ.
        telling = {id(one) if isinstance(one, (SetInventory, PutTask)) else type(one): one for one in changes}
        touched = {part for change in telling.values() for part in parts_of(change)}
        return Revisions(
            revision,
            queue=revision if "queue" in touched else self.queue,
            history=revision if "history" in touched else self.history,
            plans=revision if "plans" in touched else self.plans,
            devices=revision if "devices" in touched else self.devices,
            tasks=revision if "tasks" in touched else self.tasks,
            permissions=revision if "permissions" in touched else self.permissions,
            mode=revision if "mode" in touched else self.mode,
            lock=revision if "lock" in touched else self.lock,
        )


def parts_of(change: Change) -> tuple[str, ...]:
    """Which parts (fields of Revisions) a change touches."""
    if isinstance(change, (AddHistory, DropHistory)):
        return ("history",)
    if isinstance(change, SetInventory):
        return ("plans",) * change.plans_changed + ("devices",) * change.devices_changed
    if isinstance(change, SetPermissions):
        return ("permissions",)
    if isinstance(change, PutTask):
        return ("tasks",) if change.kept.result is not None else ()
    if isinstance(change, SetMode):
        return ("mode",)
    if isinstance(change, SetLock):
        return ("lock",)
    if isinstance(change, _UNTOLD):
        return ()
    return ("queue",)


#: Changes of parts that have no revision of their own.
_UNTOLD = (
    *(MarkRunning, SetQueueActivity, SetRank, SetAutostart, SetWorker, DropTasks, SettleClearOrder),
    *(RememberRequest, ForgetRequests, ForgetAnswers, PutImport),
)


@dataclass(slots=True)
class Record:
    """The working copy. Only the ledger applies changes to it."""

    #: Identity of the store, so that tokens of another one are recognised.
    store_id: str = ""
    revisions: Revisions = Revisions()
    queue: Queue = field(default_factory=Queue)
    running: RunningItem | None = None
    queue_activity: QueueActivity = field(default_factory=QueueActivity)
    history: History = field(default_factory=History)
    inventory: Inventory = field(default_factory=Inventory)
    permissions: Permissions = BUILT_IN
    mode: QueueMode = field(default_factory=QueueMode)
    autostart: bool = False
    tasks: Tasks = field(default_factory=Tasks)
    #: boot_id of the Worker process that was connected last.
    worker_boot_id: str = ""
    requests: Requests = field(default_factory=Requests)
    lock: Lock | None = None
    #: Imports of other servers' state by id, oldest first.
    imports: dict[str, Import] = field(default_factory=dict)
    #: It releases any lock. It comes from the settings and is not stored.
    emergency_key: KeyDigest | None = None

    def apply(self, change: Change) -> Undo:
        """Make one change, or raise and leave everything as it was; returns how to undo it.

        Undos are called newest first.
        """
        if isinstance(change, PutItem):
            return self._put(change.item, change.rank)
        if isinstance(change, (SetRank, MoveItem)):
            item = self.queue.get(change.uid)
            if item is None:
                raise KeyError(change.uid)
            return self._put(item, change.rank)
        if isinstance(change, DropItem):
            return self._drop(change.uid)
        if isinstance(change, AddHistory):
            self.history.add(change.entry)
            return self.history.withdraw
        if isinstance(change, DropHistory):
            dropped = self.history.drop_before(change.before)
            return lambda: self.history.restore(dropped)
        if isinstance(change, (PutTask, DropTasks)):
            return self._put_task(change.kept) if isinstance(change, PutTask) else self._drop_tasks(change.uids)
        if isinstance(change, (RememberRequest, ForgetRequests, ForgetAnswers)):
            return self._change_requests(change)
        if isinstance(change, PutImport):
            return self._put_import(change)
        # What an order was about is in another change; the order itself is only in the store.
        return _nothing if isinstance(change, SettleClearOrder) else self._replace(change)

    def _change_requests(self, change: RememberRequest | ForgetRequests | ForgetAnswers) -> Undo:
        if isinstance(change, ForgetRequests):
            return self._forget_old(change.request_ids)
        if isinstance(change, ForgetAnswers):
            return self._forget_answers(change.requests)
        requests, request = self.requests, change.request
        requests.put(request)
        return lambda: requests.drop(request.request_id)

    def _known(self, request_ids: Iterable[str]) -> list[AnsweredRequest]:
        return [self.requests[request_id] for request_id in request_ids]

    def _forget_old(self, request_ids: tuple[str, ...]) -> Undo:
        requests, dropped = self.requests, self._known(request_ids)
        for request in dropped:
            requests.drop(request.request_id)
        return lambda: requests.restore(dropped)

    def _forget_answers(self, left: tuple[AnsweredRequest, ...]) -> Undo:
        requests, whole = self.requests, self._known(request.request_id for request in left)
        for request in left:
            requests.put(request)
        return lambda: requests.restore_answers(whole)

    def _put_import(self, change: PutImport) -> Undo:
        before = self.imports
        kept = {import_id: one for import_id, one in before.items() if import_id != change.forgotten}
        self.imports = kept | {change.done.import_id: change.done}
        return lambda: setattr(self, "imports", before)

    def _put_task(self, kept: KeptTask) -> Undo:
        tasks, before = self.tasks, self.tasks.get(kept.task.uid)
        tasks.put(kept)
        if before is None:
            return lambda: tasks.drop(kept.task.uid)
        return lambda: tasks.put(before)

    def _drop_tasks(self, uids: tuple[str, ...]) -> Undo:
        tasks = self.tasks
        dropped = [kept for kept in map(tasks.get, uids) if kept is not None]
        for kept in dropped:
            tasks.drop(kept.task.uid)
        return lambda: tasks.restore(dropped)

    def _put(self, item: Item, rank: int) -> Undo:
        queue, old = self.queue, self.queue.get(item.uid)
        if old is None:
            queue.put(item, rank)
            return lambda: queue.drop(item.uid)
        old_rank = queue.rank_of(item.uid)
        queue.put(item, rank)
        return lambda: queue.put(old, old_rank)

    def _drop(self, uid: str) -> Undo:
        queue, item, rank = self.queue, self.queue.get(uid), self.queue.rank_of(uid)
        queue.drop(uid)
        return lambda: queue.put(item, rank) if item else None

    def _replace(self, change: _Replacing) -> Undo:
        if isinstance(change, DropAllItems):
            attribute: str = "queue"
            value: Any = self.queue.emptied()
        elif isinstance(change, SetAutostart):
            attribute, value = "autostart", change.enabled
        else:
            attribute = _REPLACED[type(change)]
            value = getattr(change, attribute)
        before = getattr(self, attribute)
        setattr(self, attribute, value)
        return lambda: setattr(self, attribute, before)


def _nothing() -> None:
    """There is nothing to undo."""


_Replacing = (
    DropAllItems
    | SetRunning
    | MarkRunning
    | SetQueueActivity
    | SetInventory
    | SetPermissions
    | SetMode
    | SetAutostart
    | SetWorker
    | SetLock
)
#: Changes that replace a part of the record; the part has the same name in both.
_REPLACED: dict[type, str] = {
    SetRunning: "running",
    MarkRunning: "running",
    SetQueueActivity: "queue_activity",
    SetInventory: "inventory",
    SetPermissions: "permissions",
    SetMode: "mode",
    SetWorker: "worker_boot_id",
    SetLock: "lock",
}
