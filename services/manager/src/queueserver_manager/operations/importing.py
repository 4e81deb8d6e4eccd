"""Take over the state of another server, a part at a time: each part, and how far that is, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from queueserver_inventory.access import GroupRules
from queueserver_long_work.time_slice import in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.changes import Change, Decision
from queueserver_manager.domain.events import Event
from queueserver_manager.domain.import_progress import Import
from queueserver_manager.domain.imports import Part, SizedItem, add_part, begun, remembered
from queueserver_manager.domain.limits import Limits
from queueserver_manager.domain.lock import locking
from queueserver_manager.domain.lock.lock import Claim, Guard, LockKey
from queueserver_manager.domain.lock.lock_errors import Locked
from queueserver_manager.domain.lock.locking import Identity
from queueserver_manager.domain.permissions.permission_errors import PermissionsInvalid
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue.item import HistoryEntry, Item
from queueserver_manager.domain.queue.queue_edits import set_autostart, set_mode
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.commit.commit_batch import Decide
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.prepared_decisions import submit_prepared
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.files import find_violations
from queueserver_manager.operations.permissions import replace_permissions
from queueserver_manager.operations.validation.submissions import Prepared

PrepareItem = Callable[[Item, Submission], Prepared]


@dataclass(frozen=True, slots=True)
class ImportedSettings:
    """What an import changes when it begins; None leaves a part as it is."""

    groups: Mapping[str, GroupRules] | None = None
    loop: bool | None = None
    ignore_failures: bool | None = None
    lock: Claim | None = None


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One request of an import. ``wanted`` is the import as it is when nothing of it has come."""

    wanted: Import
    settings: ImportedSettings
    into_existing: bool
    #: Switch autostart on at the end.
    autostart: bool
    key: LockKey | None


class ImportOperations:
    """What clients may do with imports."""

    def __init__(
        self,
        ledger: Ledger,
        new_identity: Callable[[], Identity],
        prepare_item: PrepareItem,
        measure_entry: Callable[[HistoryEntry], int],
        limits: Limits,
        check_again: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        """``check_again`` has the whole queue checked, once what is being decided is stored."""
        self._ledger = ledger
        self._new_identity = new_identity
        self._prepare_item = prepare_item
        self._measure = measure_entry
        self._bounds = (limits.queue, limits.history)
        self._check_again = check_again
        self._now = now

    def prepare(self, item: Item, submission: Submission) -> SizedItem:
        """Encode an item ahead of its commit, and measure it. Raises ItemTooLarge."""
        prepared = self._prepare_item(item, submission)
        return SizedItem(replace(item, size=prepared.stored), sum(prepared))

    async def take(self, request: ImportRequest, read: Callable[[], Work[Part]], reply: ReplySpec[Import]) -> bytes:
        """Begin an import, or add the part that ``read`` decodes.

        Raises NotEmpty, QueueFull, PermissionsInvalid, Locked, FieldInvalid and what ``read`` raises.
        """

        async def prepare() -> Decide[Import]:
            groups = request.settings.groups
            violations = await find_violations(groups, "settings.permissions.user_groups") if groups is not None else []
            if violations:
                raise PermissionsInvalid(violations)
            part = await in_time_slices(read())
            if reply.validate_only:
                return lambda record: self._look(record, request)
            return lambda record: self._add(record, request, part)

        return await submit_prepared(self._ledger, reply, prepare)

    def _look(self, record: Record, request: ImportRequest) -> Decision[Import]:
        """What there is of an import. Raises what would be raised if it began."""
        lock = record.lock
        if lock is not None and not Guard(environment=True, queue=True, key=request.key).lets_pass(lock):
            raise Locked(lock, emergency_key_is_set=record.emergency_key is not None)
        done, is_new = begun(record, request.wanted, self._bounds[0], into_existing=request.into_existing)
        return Decision(replace(done, begun=0.0) if is_new else done)

    def _add(self, record: Record, request: ImportRequest, part: Part) -> Work[Decision[Import]]:
        known, is_new = begun(record, request.wanted, self._bounds[0], into_existing=request.into_existing)
        if known.completed:
            return Decision(known)
        settings = self._settings(record, request) if is_new else Decision(None)
        added = yield from add_part(record, known, part, self._bounds, self._measure)
        done = added.result
        if done == known and not is_new:
            return Decision(known)
        changes: list[Change] = [*settings.changes, *added.changes]
        events: list[Event] = [*settings.events, *added.events]
        if done.is_whole:
            done = replace(done, completed=self._now())
            if request.autostart:
                started = set_autostart(record, enabled=True)
                changes += started.changes
                events += started.events
        if part.items:
            self._check_again()
        return Decision(done, [*changes, remembered(record, done)], events)

    def _settings(self, record: Record, request: ImportRequest) -> Decision[None]:
        """Permissions, mode and lock of the other server. Raises Locked."""
        wanted, parts = request.settings, list[Decision[Any]]()
        if wanted.groups is not None:
            parts.append(replace_permissions(record, Permissions(wanted.groups)))
        mode = record.mode
        if wanted.loop is not None:
            mode = replace(mode, loop=wanted.loop)
        if wanted.ignore_failures is not None:
            mode = replace(mode, ignore_failures=wanted.ignore_failures)
        parts.append(set_mode(record, mode))
        if wanted.lock is not None and request.key is not None:
            parts.append(locking.acquire(record, wanted.lock, request.key, self._new_identity()))
        changes = [change for part in parts for change in part.changes]
        return Decision(None, changes, [event for part in parts for event in part.events])
