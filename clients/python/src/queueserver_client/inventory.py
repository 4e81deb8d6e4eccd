"""Plans and devices: what the environment offers, and what the caller may use."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from queueserver.manager.v1 import inventory_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection import Connection
from queueserver_client.errors import Conflict
from queueserver_client.models.inventory import DeviceDescription, FunctionDescription, InventoryIssue, PlanDescription

_T = TypeVar("_T")
#: A listing that the inventory changed under is begun again this often.
_ATTEMPTS = 5


@dataclass(frozen=True)
class PlanList:
    """Plans by name in alphabetical order."""

    plans: Sequence[PlanDescription]
    #: Change marker of the list, as in Status.
    uid: str


@dataclass(frozen=True)
class DeviceList:
    """Devices by name in alphabetical order."""

    devices: Sequence[DeviceDescription]
    #: Change marker of the list, as in Status.
    uid: str


class AsyncInventory:
    """``client.inventory``. Errors: those of the methods of the same name in InventoryService."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def plans(self, *, existing: bool = False, user_group: str = "") -> PlanList:
        """Plans that the caller (or another user group) may use, or all that exist. Raises NotFound."""
        group = values.text(user_group, "user_group")
        return await _unchanged(lambda: self._plans(existing, group))

    async def devices(self, *, existing: bool = False, user_group: str = "") -> DeviceList:
        """Devices that the caller (or another user group) may use, or all that exist. Raises NotFound."""
        group = values.text(user_group, "user_group")
        return await _unchanged(lambda: self._devices(existing, group))

    async def functions(self, *, existing: bool = False, user_group: str = "") -> Sequence[FunctionDescription]:
        """Functions that the caller (or another user group) may call, or all that exist; at most 1,000, by name.

        Raises NotFound.
        """
        request = pb.ListFunctionsRequest(existing=existing, user_group=values.text(user_group, "user_group"))
        answer = await self._connection.read(self._connection.stubs.inventory.ListFunctions, request)
        return [FunctionDescription.from_proto(function) for function in answer.functions]

    async def issues(self) -> Sequence[InventoryIssue]:
        """What the environment left out of its plans and devices, and why."""
        stub = self._connection.stubs.inventory
        answer = await self._connection.read(stub.ListIssues, pb.ListIssuesRequest())
        return [InventoryIssue.from_proto(issue) for issue in answer.issues]

    async def _plans(self, existing: bool, user_group: str) -> PlanList:
        found: list[PlanDescription] = []
        request = pb.ListPlansRequest(existing=existing, user_group=user_group)
        while True:
            answer = await self._connection.read(self._connection.stubs.inventory.ListPlans, request)
            found += [PlanDescription.from_proto(plan) for plan in answer.plans]
            request.page_token = answer.next_page_token
            if not request.page_token:
                return PlanList(found, answer.plans_uid)

    async def _devices(self, existing: bool, user_group: str) -> DeviceList:
        found: list[DeviceDescription] = []
        request = pb.ListDevicesRequest(existing=existing, user_group=user_group)
        while True:
            answer = await self._connection.read(self._connection.stubs.inventory.ListDevices, request)
            found += [DeviceDescription.from_proto(device) for device in answer.devices]
            request.page_token = answer.next_page_token
            if not request.page_token:
                return DeviceList(found, answer.devices_uid)


async def _unchanged(listing: Callable[[], Awaitable[_T]]) -> _T:
    """A listing that was not overtaken by a change of the inventory between two of its pages."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(Conflict):
            return await listing()
    return await listing()
