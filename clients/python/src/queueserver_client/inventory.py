"""Plans and devices: what the environment offers, and what the caller may use."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from queueserver.manager.v1 import inventory_service_pb2 as pb

from queueserver_client.connection import Connection
from queueserver_client.errors import Conflict
from queueserver_client.models.inventory import DeviceDescription, PlanDescription

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

    async def plans(self, *, existing: bool = False) -> PlanList:
        """Plans that the caller may use, or all that exist."""
        return await _unchanged(lambda: self._plans(existing))

    async def devices(self, *, existing: bool = False) -> DeviceList:
        """Devices that the caller may use, or all that exist."""
        return await _unchanged(lambda: self._devices(existing))

    async def _plans(self, existing: bool) -> PlanList:
        found: list[PlanDescription] = []
        request = pb.ListPlansRequest(existing=existing)
        while True:
            answer = await self._connection.read(self._connection.stubs.inventory.ListPlans, request)
            found += [PlanDescription.from_proto(plan) for plan in answer.plans]
            request.page_token = answer.next_page_token
            if not request.page_token:
                return PlanList(found, answer.plans_uid)

    async def _devices(self, existing: bool) -> DeviceList:
        found: list[DeviceDescription] = []
        request = pb.ListDevicesRequest(existing=existing)
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
