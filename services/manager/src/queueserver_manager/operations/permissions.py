"""Look at the permissions of user groups, set them, read them from their file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from queueserver_inventory.access import GroupRules

from queueserver_manager.domain.changes import Decision, SetPermissions
from queueserver_manager.domain.errors import (
    FieldInvalid,
    FileInvalid,
    NotReady,
    PermissionsInvalid,
    ReloadDisabled,
    StorageUnavailable,
    Violation,
)
from queueserver_manager.domain.events import InventoryReplaced, PermissionsReplaced
from queueserver_manager.domain.permissions import BUILT_IN, Permissions, nobody, violations_of
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.ledger import Ledger
from queueserver_manager.operations.reply import Reply
from queueserver_manager.operations.turns import Turns

#: More violations than anybody reads are not looked for.
_MOST_VIOLATIONS = 100
_log = logging.getLogger(__name__)


class ReloadPolicy(Enum):
    """When the file of permissions is read, beside when nothing is stored; the values are the words of the option."""

    NEVER = "NEVER"
    ON_REQUEST = "ON_REQUEST"
    #: At the start, and on request.
    ON_STARTUP = "ON_STARTUP"


class PermissionSource(Protocol):
    """The file of permissions."""

    path: Path

    def read(self) -> Mapping[str, GroupRules]:
        """Rules of each group; may take a while. Raises FileInvalid."""


async def checked(groups: Mapping[str, GroupRules], path: str = "permissions.user_groups") -> Permissions:
    """Permissions that everybody can rely on. Raises PermissionsInvalid."""
    violations = await _violations(groups, path)
    if violations:
        raise PermissionsInvalid(violations)
    return Permissions(groups)


async def read_file(source: PermissionSource) -> Permissions:
    """Permissions of a file. Raises FileInvalid."""
    groups = await asyncio.to_thread(source.read)
    violations = await _violations(groups, "user_groups")
    if violations:
        raise FileInvalid(source.path, "is wrong", violations=violations)
    return Permissions(groups)


async def _violations(groups: Mapping[str, GroupRules], path: str) -> list[Violation]:
    turns, found = Turns(), []
    for violation in violations_of(groups, path):
        if violation is not None:
            found.append(violation)
            if len(found) == _MOST_VIOLATIONS:
                break
        await turns.step()
    return found


@dataclass(frozen=True, slots=True)
class FirstPermissions:
    """What a file says when a Manager begins to act."""

    #: In force as long as none are stored.
    default: Permissions = BUILT_IN
    #: From the file; None if there is none, or if it is wrong.
    fresh: Permissions | None = None


async def first_permissions(source: PermissionSource | None) -> FirstPermissions:
    """Permissions to begin with. A file that is wrong is logged, and then nobody may use anything without others."""
    if source is None:
        return FirstPermissions()
    try:
        fresh = await read_file(source)
    except FileInvalid as error:
        _log.error("%s Stored permissions stay in force; without any, nobody may use anything.", error.message)
        return FirstPermissions(nobody(error.clause))
    return FirstPermissions(fresh, fresh)


def replace_permissions(record: Record, permissions: Permissions) -> Decision[None]:
    """Put others in the place of the present permissions; nothing changes if they are stored already."""
    if record.revisions.permissions and record.permissions == permissions:
        return Decision(None)
    lists = InventoryReplaced(len(record.inventory.plans), len(record.inventory.devices))
    return Decision(None, [SetPermissions(permissions)], [PermissionsReplaced(permissions), lists])


class PermissionOperations:
    """What clients may do with permissions. Every method raises the ledger's refusals besides its own."""

    def __init__(self, ledger: Ledger, source: PermissionSource | None, policy: ReloadPolicy) -> None:
        self._ledger = ledger
        self._source = source
        self._policy = policy

    async def get(self) -> tuple[Permissions, int]:
        """The permissions in force, and the revision of their last change."""
        return await self._ledger.read(lambda record: (record.permissions, record.revisions.permissions))

    async def set(self, groups: Mapping[str, GroupRules], reply: Reply[None]) -> bytes:
        """Replace the permissions. Raises PermissionsInvalid."""
        known = await self._ledger.recall(reply)
        if known is not None:
            return known
        permissions = await checked(groups)
        return (await self._ledger.submit(lambda record: replace_permissions(record, permissions), reply)).answer

    async def adopt(self, permissions: Permissions) -> None:
        """Put these into force and into the store, as soon as it can be reached."""
        while True:
            try:
                await self._ledger.submit(lambda record: replace_permissions(record, permissions))
            except StorageUnavailable:
                await self._ledger.storage_back.wait()
            except NotReady:
                return
            else:
                return

    async def reload(self, reply: Reply[None], *, permissions: bool, lists: bool) -> bytes:
        """Read files again. Raises ReloadDisabled, FileInvalid, FieldInvalid."""
        known = await self._ledger.recall(reply)
        if known is not None:
            return known
        if not permissions and not lists:
            raise FieldInvalid("restore_permissions", "say what to read again: this, restore_plans_devices or both")
        fresh = await read_file(self._required_source()) if permissions else None

        def decide(record: Record) -> Decision[None]:
            return replace_permissions(record, fresh) if fresh is not None else Decision(None)

        return (await self._ledger.submit(decide, reply)).answer

    def _required_source(self) -> PermissionSource:
        if self._source is None:
            raise ReloadDisabled(
                "This Manager was started without a file of permissions: set permissions instead, or have it started "
                "with --user-group-permissions FILE."
            )
        if self._policy is ReloadPolicy.NEVER:
            raise ReloadDisabled(
                "This Manager was told never to read its file of permissions again: set permissions instead, or have "
                "it started with --user-group-permissions-reload ON_REQUEST."
            )
        return self._source
