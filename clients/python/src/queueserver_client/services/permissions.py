"""Permissions: what each user group may use of plans, devices and functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from queueserver.manager.v1 import permission_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.models.permissions import permissions_from_proto, permissions_to_proto


@dataclass(frozen=True)
class Permissions:
    """Permissions in force."""

    #: As in the YAML file: {"user_groups": {name: {"allowed_plans": [...], ...}}}.
    user_group_permissions: Mapping[str, Any]
    #: Revision of their last change, for ``set(..., expected_revision=...)``.
    revision: int


class AsyncPermissions:
    """``client.permissions``. Errors: those of the methods of the same name in PermissionService."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self) -> Permissions:
        """The permissions in force."""
        stub = self._connection.stubs.permissions
        answer = await self._connection.read(stub.GetPermissions, pb.GetPermissionsRequest())
        return Permissions(permissions_from_proto(answer.permissions), answer.revision)

    async def set(
        self, permissions: Mapping[str, Any], *, expected_revision: int = 0, validate_only: bool = False
    ) -> int:
        """Replace the permissions of all groups; returns the revision after it.

        Args:
            permissions: As in the YAML file.
            expected_revision: Only if they have not changed since.
            validate_only: Only check them.

        Raises:
            PermissionsInvalid: one violation for each wrong name, pattern or missing group; the old ones stay.
            RevisionMismatch: they have changed meanwhile.
            ValueNotRepresentable: not of that form.
        """
        request = pb.SetPermissionsRequest(
            permissions=permissions_to_proto(permissions),
            expected_revision=values.size(expected_revision, "expected_revision"),
            validate_only=validate_only,
        )
        return int((await self._connection.change(self._connection.stubs.permissions.SetPermissions, request)).revision)

    async def reload(self, *, restore_permissions: bool = True, restore_plans_devices: bool = False) -> int:
        """Let the server read its files again; returns the revision after it. Raises ReloadDisabled, FileInvalid."""
        request = pb.ReloadPermissionsRequest(
            restore_permissions=restore_permissions, restore_plans_devices=restore_plans_devices
        )
        stub = self._connection.stubs.permissions
        return int((await self._connection.change(stub.ReloadPermissions, request)).revision)
