"""Permissions as messages."""

from __future__ import annotations

from queueserver.common.v1 import permissions_pb2
from queueserver_inventory.access import GroupRules
from queueserver_inventory.messages import rules_message, rules_of

from queueserver_manager.domain.permissions import names
from queueserver_manager.domain.permissions.permission_errors import PermissionsInvalid
from queueserver_manager.domain.permissions.permissions import (
    MAX_ENTRIES_IN_ALL,
    MAX_GROUPS,
    REPEATED_GROUP,
    Permissions,
)
from queueserver_manager.domain.refusals.errors import Violation


def permissions_to_proto(permissions: Permissions) -> permissions_pb2.UserGroupPermissions:
    """Permissions of all groups."""
    message = permissions_pb2.UserGroupPermissions()
    for name, rules in permissions.groups.items():
        message.user_groups[name].CopyFrom(rules_message(rules))
    return message


def groups_from_proto(message: permissions_pb2.UserGroupPermissions) -> dict[str, GroupRules]:
    """Rules of each group, unchecked but for their number. Raises PermissionsInvalid.

    Groups are in alphabetical order, because a map has none.
    """
    path, written = "permissions.user_groups", message.user_groups
    if len(written) > MAX_GROUPS:
        description = f"there are {len(written)} groups, and at most {MAX_GROUPS} are allowed"
        raise PermissionsInvalid([Violation(path, description)])
    entries = sum(map(_entries_of, written.values()))
    if entries > MAX_ENTRIES_IN_ALL:
        description = (
            f"there are {entries} entries in all groups together, and at most {MAX_ENTRIES_IN_ALL} are allowed"
        )
        raise PermissionsInvalid([Violation(path, description)])
    groups: dict[str, GroupRules] = {}
    for key in sorted(written):
        name = names.composed(key)
        if name in groups:
            raise PermissionsInvalid([Violation(f"{path}[{name[:100]}]", REPEATED_GROUP)])
        groups[name] = rules_of(written[key])
    return groups


def _entries_of(rules: permissions_pb2.GroupPermissions) -> int:
    return sum(len(value) for field, value in rules.ListFields() if field.is_repeated)
