"""InventoryService: convert, call, convert back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from queueserver.manager.v1 import inventory_service_pb2 as pb
from queueserver.manager.v1.inventory_service_pb2_grpc import InventoryServiceServicer
from queueserver_long_work.work import Work

from queueserver_manager.domain.permissions import names
from queueserver_manager.operations.inventory import Wanted
from queueserver_manager.operations.ownership_term import OwnershipTerm
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.positions import page_size
from queueserver_manager.rpc.status_message import marker
from queueserver_manager.wire import framing
from queueserver_manager.wire.answers import how_many_fit

_LARGEST_PAGE = 1_000
_OfGroup: TypeAlias = (
    "pb.ListPlansRequest | pb.GetPlanRequest | pb.ListDevicesRequest | pb.GetDeviceRequest | pb.ListFunctionsRequest"
)


class InventoryServicer(InventoryServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def ListPlans(self, request: pb.ListPlansRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListPlans."""
        term, wanted = self._current_term.term(), Wanted(_group(request, context), request.names)
        page = await term.inventory.plans(_size(request), request.page_token, wanted, _that_fit)
        rest = pb.ListPlansResponse(
            next_page_token=page.next_token,
            plans_uid=_plans_uid(term, request, page.revision),
            names_not_found=page.missing,
        )
        return framing.repeated(1, page.descriptions) + rest.SerializeToString()

    async def GetPlan(self, request: pb.GetPlanRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.GetPlan."""
        term = self._current_term.term()
        described, revision = await term.inventory.plan(request.name, _group(request, context))
        rest = pb.GetPlanResponse(plans_uid=_plans_uid(term, request, revision))
        return framing.submessage(1, described) + rest.SerializeToString()

    async def ListDevices(self, request: pb.ListDevicesRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListDevices."""
        term, wanted = self._current_term.term(), Wanted(_group(request, context), request.names)
        page = await term.inventory.devices(_size(request), request.page_token, wanted, _that_fit)
        rest = pb.ListDevicesResponse(
            next_page_token=page.next_token,
            devices_uid=_devices_uid(term, request, page.revision),
            names_not_found=page.missing,
        )
        return framing.repeated(1, page.descriptions) + rest.SerializeToString()

    async def GetDevice(self, request: pb.GetDeviceRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.GetDevice."""
        term = self._current_term.term()
        described, revision = await term.inventory.device(request.name, _group(request, context))
        rest = pb.GetDeviceResponse(devices_uid=_devices_uid(term, request, revision))
        return framing.submessage(1, described) + rest.SerializeToString()

    async def ListFunctions(self, request: pb.ListFunctionsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListFunctions."""
        inventory, group = self._current_term.term().inventory, _group(request, context)
        page = await inventory.functions(_size(request), request.page_token, group, _that_fit)
        rest = pb.ListFunctionsResponse(next_page_token=page.next_token)
        return framing.repeated(1, page.descriptions) + rest.SerializeToString()

    async def ListIssues(self, request: pb.ListIssuesRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListIssues."""
        del context
        page = await self._current_term.term().inventory.issues(_size(request), request.page_token, _that_fit)
        rest = pb.ListIssuesResponse(next_page_token=page.next_token)
        return framing.repeated(1, page.descriptions) + rest.SerializeToString()


def _size(request: pb.ListPlansRequest | pb.ListDevicesRequest | pb.ListFunctionsRequest | pb.ListIssuesRequest) -> int:
    return page_size(request.page_size, _LARGEST_PAGE, _LARGEST_PAGE)


def _plans_uid(term: OwnershipTerm, request: pb.ListPlansRequest | pb.GetPlanRequest, revision: int) -> str:
    part = "plans_existing" if request.existing else "plans_allowed"
    return marker(term.ledger.summary.store_id, part, revision)


def _devices_uid(term: OwnershipTerm, request: pb.ListDevicesRequest | pb.GetDeviceRequest, revision: int) -> str:
    part = "devices_existing" if request.existing else "devices_allowed"
    return marker(term.ledger.summary.store_id, part, revision)


def _that_fit(described: Sequence[bytes]) -> Work[int]:
    return how_many_fit(described, bytes)


def _group(request: _OfGroup, context: Any) -> str | None:
    """The requested user group; None for all that exists."""
    return None if request.existing else names.composed(request.user_group) or caller_of(context).user_group
