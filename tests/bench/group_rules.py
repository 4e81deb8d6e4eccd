"""Permissions as benchmarks need them."""

from __future__ import annotations

from queueserver.common.v1.permissions_pb2 import GroupPermissions, UserGroupPermissions
from queueserver.manager.v1.permission_service_pb2 import SetPermissionsRequest

from tests.bench.channel import Stubs

#: Limits every group as the root of the demo does.
_ROOT = GroupPermissions(
    all_plans=True,
    forbidden_plans=[":^_"],
    all_devices=True,
    forbidden_devices=[":^_:?.*"],
    all_functions=True,
    forbidden_functions=[":^_"],
)
#: As in the demo.
_ADMIN = GroupPermissions(allowed_plans=[":.*"], allowed_devices=[":?.*:depth=5"], allowed_functions=[":.*"])
#: Parts of devices, and plans whose lists of devices are cut down.
_PART = GroupPermissions(
    allowed_plans=[r":^plan_\d*[02468]$"],
    allowed_devices=[":^axis", ":^stage:^[xy]$", ":^detector:?counts$", "__READABLE__:^signal:?.*"],
    forbidden_devices=[":^axis_1", ":^stage_00:^x$"],
)
EVERYTHING, SOME = "admin", "part"


async def set_permissions(stubs: Stubs, *forbidden_plans: str) -> None:
    """Two groups: one that may use everything but these plans, and one that may use some of it."""
    admin, part = GroupPermissions(), GroupPermissions()
    for group, rules in ((admin, _ADMIN), (part, _PART)):
        group.CopyFrom(rules)
        group.forbidden_plans.extend(forbidden_plans)
    groups = UserGroupPermissions(user_groups={"root": _ROOT, EVERYTHING: admin, SOME: part})
    await stubs.permissions.SetPermissions(SetPermissionsRequest(permissions=groups))
