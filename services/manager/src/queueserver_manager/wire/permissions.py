"""Permissions as messages."""

from __future__ import annotations

from queueserver.common.v1 import permissions_pb2
from queueserver_inventory.access import GroupRules
from queueserver_inventory.messages import rules_message, rules_of

from queueserver_manager.domain import names
from queueserver_manager.domain.errors import Violation
from queueserver_manager.domain.permission_errors import PermissionsInvalid
from queueserver_manager.domain.permissions import REPEATED_GROUP, Permissions


def permissions_to_proto(permissions: Permissions) -> permissions_pb2.UserGroupPermissions:
    """Permissions of all groups."""
    message = permissions_pb2.UserGroupPermissions()
    for name, rules in permissions.groups.items():
        message.user_groups[name].CopyFrom(rules_message(rules))
    return message


def groups_from_proto(message: permissions_pb2.UserGroupPermissions) -> dict[str, GroupRules]:
    """Rules of each group, not checked, in alphabetical order, because a map has none. Raises PermissionsInvalid."""
    groups: dict[str, GroupRules] = {}
    for written in sorted(message.user_groups):
        name = names.composed(written)
        if name in groups:
            raise PermissionsInvalid([Violation(f"permissions.user_groups[{name[:100]}]", REPEATED_GROUP)])
        groups[name] = rules_of(message.user_groups[written])
    return groups
