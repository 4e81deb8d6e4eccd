"""Permissions of user groups: reading, setting and reloading them."""

from __future__ import annotations

from typing import Final

from queueserver.manager.v1 import permission_service_pb2 as pb
from queueserver_client import ValueNotRepresentable
from queueserver_client.models.permissions import permissions_from_proto, permissions_to_proto

from queueserver_zmq_bridge.methods.locking import key_of, require_key
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server


async def _get(server: Server, _: Params) -> Fields:
    answer = await server.read(server.stubs.permissions.GetPermissions, pb.GetPermissionsRequest())
    return {"user_group_permissions": permissions_from_proto(answer.permissions)}


async def _set(server: Server, params: Params) -> Fields:
    if "user_group_permissions" not in params:
        raise Refused("Parameter 'user_group_permissions' is missing")
    given = params["user_group_permissions"]
    if not isinstance(given, dict):
        raise Refused(f"User group permissions: invalid type {type(given).__name__}, a dictionary is expected")
    if "user_groups" not in given:
        raise Refused("'user_groups' is a required property")
    try:
        permissions = permissions_to_proto(given)
    except ValueNotRepresentable as error:
        raise Refused(error.message) from None
    request = pb.SetPermissionsRequest(permissions=permissions, lock_key=key_of(params))
    await server.change(server.stubs.permissions.SetPermissions, request)
    return {}


async def _reload(server: Server, params: Params) -> Fields:
    if not params.get("restore_permissions", True) and not params.get("restore_plans_devices"):
        await require_key(server, Lock.QUEUE, params)
        return {}  # what is stored is what is in force
    request = pb.ReloadPermissionsRequest(
        restore_permissions=bool(params.get("restore_permissions", True)),
        restore_plans_devices=bool(params.get("restore_plans_devices")),
        lock_key=key_of(params),
    )
    await server.change(server.stubs.permissions.ReloadPermissions, request)
    return {}


METHODS: Final = (
    Method("permissions_get", _get, failed={"user_group_permissions": {}}),
    Method("permissions_set", _set, ("user_group_permissions",), Lock.QUEUE),
    Method("permissions_reload", _reload, ("restore_plans_devices", "restore_permissions"), Lock.QUEUE),
)
