"""Plans and devices: what the environment offers, and what the caller may use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queueserver.manager.v1 import inventory_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.errors import Conflict
from queueserver_client.models.inventory import DeviceDescription, FunctionDescription, InventoryIssue, PlanDescription

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

#: How often a listing starts again when the inventory changed during it.
_ATTEMPTS = 5


@dataclass(frozen=True)
class PlanList:
    """Plans by name in alphabetical order."""

    plans: Sequence[PlanDescription]
    #: Change marker of the list, as in Status.
    uid: str
    #: Names that were requested and that no plan has, or that the user group may not use, in alphabetical order.
    names_not_found: Sequence[str] = ()


@dataclass(frozen=True)
class DeviceList:
    """Devices by name in alphabetical order."""

    devices: Sequence[DeviceDescription]
    #: Change marker of the list, as in Status.
    uid: str
    #: Names that were requested and that no device has, or of which the user group may use nothing, as for plans.
    names_not_found: Sequence[str] = ()


class AsyncInventory:
    """``client.inventory``. Errors: those of the methods of the same name in InventoryService."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def plan(self, name: str, *, existing: bool = False, user_group: str = "") -> PlanDescription:
        """One plan that the caller (or another user group) may use, or that exists. Raises PlanNotFound, NotFound."""
        request = pb.GetPlanRequest(
            name=values.text(name, "name"), existing=existing, user_group=values.text(user_group, "user_group")
        )
        answer = await self._connection.read(self._connection.stubs.inventory.GetPlan, request)
        return PlanDescription.from_proto(answer.plan)

    async def device(self, name: str, *, existing: bool = False, user_group: str = "") -> DeviceDescription:
        """One device, or the component of a dotted name such as "bundle.motors.x", with what is below it.

        What the caller (or another user group) may use of it, or all of it. Raises DeviceNotFound, NotFound.
        """
        request = pb.GetDeviceRequest(
            name=values.text(name, "name"), existing=existing, user_group=values.text(user_group, "user_group")
        )
        answer = await self._connection.read(self._connection.stubs.inventory.GetDevice, request)
        return DeviceDescription.from_proto(answer.device)

    async def plans(self, *, names: Iterable[str] = (), existing: bool = False, user_group: str = "") -> PlanList:
        """Plans that the caller (or another user group) may use, or all that exist. Raises NotFound.

        With ``names`` (at most 1,000) only those; what is not there is in ``names_not_found``.
        """
        request = pb.ListPlansRequest(
            names=_texts(names), existing=existing, user_group=values.text(user_group, "user_group")
        )
        pages = await self._pages(self._connection.stubs.inventory.ListPlans, request)
        found = [PlanDescription.from_proto(plan) for page in pages for plan in page.plans]
        return PlanList(found, pages[-1].plans_uid, tuple(pages[-1].names_not_found))

    async def devices(self, *, names: Iterable[str] = (), existing: bool = False, user_group: str = "") -> DeviceList:
        """Devices that the caller (or another user group) may use, or all that exist. Raises NotFound.

        With ``names`` (at most 1,000) only those; what is not there is in ``names_not_found``. Dotted names are not:
        :meth:`device` takes them.
        """
        request = pb.ListDevicesRequest(
            names=_texts(names), existing=existing, user_group=values.text(user_group, "user_group")
        )
        pages = await self._pages(self._connection.stubs.inventory.ListDevices, request)
        found = [DeviceDescription.from_proto(device) for page in pages for device in page.devices]
        return DeviceList(found, pages[-1].devices_uid, tuple(pages[-1].names_not_found))

    async def functions(self, *, existing: bool = False, user_group: str = "") -> Sequence[FunctionDescription]:
        """Functions that the caller (or another user group) may call, or all that exist; at most 1,000, by name.

        Raises NotFound.
        """
        request = pb.ListFunctionsRequest(existing=existing, user_group=values.text(user_group, "user_group"))
        pages = await self._pages(self._connection.stubs.inventory.ListFunctions, request)
        return [FunctionDescription.from_proto(function) for page in pages for function in page.functions]

    async def issues(self) -> Sequence[InventoryIssue]:
        """What the environment left out of its plans and devices, and why, by name."""
        pages = await self._pages(self._connection.stubs.inventory.ListIssues, pb.ListIssuesRequest())
        return [InventoryIssue.from_proto(issue) for page in pages for issue in page.issues]

    async def _pages(self, method: UnaryUnaryMultiCallable[Any, Any], request: Any) -> list[Any]:
        """The pages of a listing during which the inventory did not change."""
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(Conflict):
                return await self._pages_once(method, request)
        return await self._pages_once(method, request)

    async def _pages_once(self, method: UnaryUnaryMultiCallable[Any, Any], request: Any) -> list[Any]:
        pages: list[Any] = []
        request.page_token = ""
        while True:
            pages.append(await self._connection.read(method, request))
            request.page_token = pages[-1].next_page_token
            if not request.page_token:
                return pages


def _texts(names: Iterable[str]) -> Sequence[str]:
    return [values.text(name, f"names[{number}]") for number, name in enumerate(names)]
