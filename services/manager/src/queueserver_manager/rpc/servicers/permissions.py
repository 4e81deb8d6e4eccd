"""PermissionService: convert, call, convert back."""

from __future__ import annotations

from typing import Any

from queueserver.manager.v1 import permission_service_pb2 as pb
from queueserver.manager.v1.permission_service_pb2_grpc import PermissionServiceServicer

from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.replies import reply_to, revision_answer
from queueserver_manager.wire.permissions import groups_from_proto, permissions_to_proto


class PermissionServicer(PermissionServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def GetPermissions(self, request: pb.GetPermissionsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: PermissionService.GetPermissions."""
        del request, context
        permissions, revision = await self._current_term.term().permissions.get()
        answer = pb.GetPermissionsResponse(permissions=permissions_to_proto(permissions), revision=revision)
        return answer.SerializeToString()

    async def SetPermissions(self, request: pb.SetPermissionsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: PermissionService.SetPermissions."""
        answer = revision_answer(pb.SetPermissionsResponse)
        term, reply = self._current_term.term(), reply_to(request, caller_of(context), answer, "permissions")
        if not request.HasField("permissions"):
            raise FieldInvalid("permissions", "required: the permissions of all groups")
        return await term.permissions.set(groups_from_proto(request.permissions), reply)

    async def ReloadPermissions(self, request: pb.ReloadPermissionsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: PermissionService.ReloadPermissions."""
        answer = revision_answer(pb.ReloadPermissionsResponse)
        term, reply = self._current_term.term(), reply_to(request, caller_of(context), answer, "permissions")
        return await term.permissions.reload(
            reply, permissions=request.restore_permissions, lists=request.restore_plans_devices
        )
