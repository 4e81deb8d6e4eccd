"""The files that a Manager is started with: permissions of user groups, and lists of plans and devices.

Both are read in a thread, because they may be long; what they say is used as a whole or not at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from queueserver_inventory.access import GroupRules
from queueserver_long_work.time_slice import TimeSlice

from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permission_errors import FileInvalid, ReloadDisabled
from queueserver_manager.domain.permissions.permissions import BUILT_IN, Permissions, no_access, violations_of
from queueserver_manager.domain.refusals.errors import Violation

#: More violations than a person reads are not looked for.
_MOST_VIOLATIONS = 100
_log = logging.getLogger(__name__)


class ReloadPolicy(Enum):
    """When the file of permissions is read, beside when nothing is stored; the values are the words of the option."""

    NEVER = "NEVER"
    ON_REQUEST = "ON_REQUEST"
    #: At startup, and on request.
    ON_STARTUP = "ON_STARTUP"


class PermissionSource(Protocol):
    """The file of permissions."""

    path: Path

    def read(self) -> Mapping[str, GroupRules]:
        """Rules of each group; may take a while. Raises FileInvalid."""


class ListSource(Protocol):
    """The file with lists of existing plans and devices."""

    path: Path

    def read(self) -> Inventory:
        """Plans and devices; may take a while. Raises FileInvalid."""


@dataclass(frozen=True, slots=True)
class FirstPermissions:
    """Content of a file when a Manager starts to act."""

    #: In force as long as none are stored.
    default: Permissions = BUILT_IN
    #: From the file; None if there is none, or if it is wrong.
    fresh: Permissions | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """Which files there are, and when they are read."""

    permissions: PermissionSource | None = None
    policy: ReloadPolicy = ReloadPolicy.ON_STARTUP
    lists: ListSource | None = None

    async def first_permissions(self) -> FirstPermissions:
        """Permissions to start with.

        If the file is wrong, that is logged, and until others are stored, no group may use anything.
        """
        if self.permissions is None:
            return FirstPermissions()
        try:
            fresh = await _read_permissions(self.permissions)
        except FileInvalid as error:
            _log.error("%s Stored permissions stay in force; without any, no group may use anything.", error.message)
            return FirstPermissions(no_access(error.clause))
        return FirstPermissions(fresh, fresh)

    async def first_inventory(self) -> Inventory | None:
        """Plans and devices to start with; None if there is no file, or if it is wrong. Both are logged."""
        if self.lists is None or not self.lists.path.exists():
            why = f"the file {self.lists.path} does not exist" if self.lists else "no file was named"
            _log.warning("There is no list of plans and devices (%s). The Manager begins with an empty one.", why)
            _log.warning(
                "The list of plans and devices is not loaded. Opening the environment fills it, now and for later "
                "starts: qserver environment open --wait. Without a server, qserver-list-plans-devices writes the file."
            )
            return None
        try:
            return await self.read_lists()
        except FileInvalid as error:
            _log.warning("%s Plans and devices are known when an environment has opened.", error.message)
            return None

    async def reload_permissions(self) -> Permissions:
        """Permissions as the file has them now. Raises ReloadDisabled, FileInvalid."""
        if self.permissions is None:
            raise ReloadDisabled(
                "This Manager was started without a file of permissions: set permissions instead, or have it started "
                "with --user-group-permissions FILE."
            )
        if self.policy is ReloadPolicy.NEVER:
            raise ReloadDisabled(
                "This Manager was told never to read its file of permissions again: set permissions instead, or have "
                "it started with --user-group-permissions-reload ON_REQUEST."
            )
        return await _read_permissions(self.permissions)

    async def read_lists(self) -> Inventory:
        """Plans and devices as the file has them now. Raises ReloadDisabled, FileInvalid."""
        if self.lists is None:
            raise ReloadDisabled(
                "This Manager was started without a file that lists plans and devices: open the environment instead, "
                "or have it started with --existing-plans-devices FILE."
            )
        return await asyncio.to_thread(self.lists.read)


async def _read_permissions(source: PermissionSource) -> Permissions:
    groups = await asyncio.to_thread(source.read)
    violations = await find_violations(groups, "user_groups")
    if violations:
        raise FileInvalid(source.path, "is wrong", violations=violations)
    return Permissions(groups)


async def find_violations(groups: Mapping[str, GroupRules], path: str) -> list[Violation]:
    """What is wrong with permissions, in time slices."""
    time_slice, found = TimeSlice(), []
    for violation in violations_of(groups, path):
        if violation is not None:
            found.append(violation)
            if len(found) == _MOST_VIOLATIONS:
                break
        await time_slice.yield_if_due()
    return found
