"""Setting permissions over gRPC, and what a group then may use, for the tests of permissions."""

from __future__ import annotations

from typing import Any

from queueserver.common.v1 import inventory_pb2, permissions_pb2
from queueserver.manager.v1 import inventory_service_pb2, permission_service_pb2

from tests.harness.raw import Stubs

Group = permissions_pb2.GroupPermissions
ROOT = Group(
    all_plans=True,
    forbidden_plans=[":^_"],
    all_devices=True,
    forbidden_devices=[":^_:?.*"],
    all_functions=True,
    forbidden_functions=[":^_"],
)
EVERYTHING = Group(all_plans=True, all_devices=True, all_functions=True)


def group(**fields: Any) -> permissions_pb2.GroupPermissions:
    return Group(**fields)


def permissions(root: permissions_pb2.GroupPermissions = ROOT, **groups: Any) -> permissions_pb2.UserGroupPermissions:
    return permissions_pb2.UserGroupPermissions(user_groups={"root": root, **groups})


async def set_permissions(stubs: Stubs, **groups: Any) -> int:
    """Set these groups beside a "root" that hides what begins with an underscore; answers the revision."""
    request = permission_service_pb2.SetPermissionsRequest(permissions=permissions(**groups))
    answer = await stubs.permissions.SetPermissions(request)
    return int(answer.revision)


async def allowed_plans(stubs: Stubs, user_group: str) -> list[inventory_pb2.PlanDescription]:
    request = inventory_service_pb2.ListPlansRequest(user_group=user_group)
    return list((await stubs.inventory.ListPlans(request)).plans)


async def allowed_devices(stubs: Stubs, user_group: str) -> list[str]:
    """Devices with their components in brackets; what is excluded itself in parentheses."""
    request = inventory_service_pb2.ListDevicesRequest(user_group=user_group)
    return [outline(device) for device in (await stubs.inventory.ListDevices(request)).devices]


def outline(device: inventory_pb2.DeviceDescription) -> str:
    name = f"({device.name})" if device.excluded else device.name
    below = " ".join(map(outline, device.components))
    return f"{name}[{below}]" if below else name
