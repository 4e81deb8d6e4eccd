"""InventoryService: convert, call, convert back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queueserver.manager.v1 import inventory_service_pb2 as pb
from queueserver.manager.v1.inventory_service_pb2_grpc import InventoryServiceServicer
from queueserver_rpc.steps import Work
from queueserver_rpc.turns import in_turns

from queueserver_manager.domain import names
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.office import Office
from queueserver_manager.rpc.positions import page_size
from queueserver_manager.rpc.status_message import marker
from queueserver_manager.wire import framing
from queueserver_manager.wire.answers import how_many_fit

_LARGEST_PAGE = 1_000


class InventoryServicer(InventoryServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def ListPlans(self, request: pb.ListPlansRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListPlans."""
        term, group = self._office.term(), _group(request, context)
        size = page_size(request.page_size, _LARGEST_PAGE, _LARGEST_PAGE)
        page = await term.inventory.plans(size, request.page_token, group, _that_fit)
        part = "plans_existing" if request.existing else "plans_allowed"
        rest = pb.ListPlansResponse(
            next_page_token=page.next_token, plans_uid=marker(term.ledger.summary.store_id, part, page.revision)
        )
        return framing.repeated(1, page.descriptions) + rest.SerializeToString()

    async def ListDevices(self, request: pb.ListDevicesRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListDevices."""
        term, group = self._office.term(), _group(request, context)
        size = page_size(request.page_size, _LARGEST_PAGE, _LARGEST_PAGE)
        page = await term.inventory.devices(size, request.page_token, group, _that_fit)
        part = "devices_existing" if request.existing else "devices_allowed"
        rest = pb.ListDevicesResponse(
            next_page_token=page.next_token, devices_uid=marker(term.ledger.summary.store_id, part, page.revision)
        )
        return framing.repeated(1, page.descriptions) + rest.SerializeToString()

    async def ListFunctions(self, request: pb.ListFunctionsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListFunctions."""
        found = await self._office.term().inventory.functions(_group(request, context))
        return framing.repeated(1, found)

    async def ListIssues(self, request: pb.ListIssuesRequest, context: Any) -> Any:  # noqa: N802
        """Contract: InventoryService.ListIssues."""
        del request, context
        issues = self._office.term().ledger.inventory.issues[:_LARGEST_PAGE]
        return framing.repeated(1, issues[: await in_turns(_that_fit(issues))])


def _that_fit(described: Sequence[bytes]) -> Work[int]:
    return how_many_fit(described, bytes)


def _group(request: pb.ListPlansRequest | pb.ListDevicesRequest | pb.ListFunctionsRequest, context: Any) -> str | None:
    """The user group that is asked about; None for all that exists."""
    return None if request.existing else names.composed(request.user_group) or caller_of(context).user_group
