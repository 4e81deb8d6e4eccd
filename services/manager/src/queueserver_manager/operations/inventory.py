"""List plans and devices: all that exist, or what a user group may use."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from queueserver_rpc.turns import Turns, in_turns

from queueserver_manager.domain.allowed import AllowedInventory, DeviceShare
from queueserver_manager.domain.errors import InventoryChanged
from queueserver_manager.domain.inventory import Device, Inventory, Plan
from queueserver_manager.domain.permissions import Permissions
from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.operations.ledger import Ledger
from queueserver_manager.operations.listing import Fit, numbers_of_token

#: Groups whose lists are kept: what is whole in them costs nothing, and few groups ask at the same time.
_GROUPS_KEPT = 16


class Cutter(Protocol):
    """Makes serialized descriptions of what a group may use."""

    def plan(self, plan: Plan, allowed: AllowedInventory) -> bytes:
        """A plan that may be used."""

    def device(self, device: Device, share: DeviceShare) -> bytes:
        """A device of which something may be used."""


@dataclass(frozen=True, slots=True)
class InventoryPage:
    """Part of a list: serialized descriptions; ``next_token`` is empty on the last one."""

    descriptions: Sequence[bytes]
    next_token: str
    #: Of the last change of the whole list.
    revision: int


@dataclass(slots=True)
class _GroupLists:
    """Lists of one group. Whoever comes first works them out, the others wait for that."""

    allowed: AllowedInventory
    plans: list[bytes] | None = None
    devices: list[bytes] | None = None
    working: asyncio.Lock = field(default_factory=asyncio.Lock)


class InventoryOperations:
    """What clients may ask about plans and devices. ``group`` None means all that exists."""

    def __init__(self, ledger: Ledger, cutter: Cutter) -> None:
        self._ledger = ledger
        self._cutter = cutter
        self._groups: OrderedDict[str, _GroupLists] = OrderedDict()

    async def plans(self, size: int, token: str, group: str | None, fit: Fit[bytes]) -> InventoryPage:
        """One page of plans. Raises PageTokenInvalid, InventoryChanged, GroupNotFound."""
        inventory, permissions, revisions = await self._ledger.read(_look)
        if group is None:
            return await _page([plan.wire for plan in inventory.plans.values()], size, token, revisions.plans, fit)
        lists = self._lists_of(group, inventory, permissions)
        async with lists.working:
            if lists.plans is None:
                lists.plans = await self._plans_of(lists.allowed)
        return await _page(lists.plans, size, token, revisions.plans_allowed, fit)

    async def devices(self, size: int, token: str, group: str | None, fit: Fit[bytes]) -> InventoryPage:
        """One page of devices. Raises PageTokenInvalid, InventoryChanged, GroupNotFound."""
        inventory, permissions, revisions = await self._ledger.read(_look)
        if group is None:
            described = [device.wire for device in inventory.devices.values()]
            return await _page(described, size, token, revisions.devices, fit)
        lists = self._lists_of(group, inventory, permissions)
        async with lists.working:
            if lists.devices is None:
                lists.devices = await self._devices_of(lists.allowed)
        return await _page(lists.devices, size, token, revisions.devices_allowed, fit)

    async def functions(self, group: str | None) -> Sequence[bytes]:
        """Functions that tasks can call. Raises GroupNotFound."""
        inventory, permissions, _ = await self._ledger.read(_look)
        if group is None:
            return tuple(inventory.functions.values())
        access, turns, found = permissions.access_for(group), Turns(), []
        for name, described in inventory.functions.items():
            if access.allows_function(name):
                found.append(described)
            await turns.step()
        return found

    def _lists_of(self, group: str, inventory: Inventory, permissions: Permissions) -> _GroupLists:
        access = permissions.access_for(group)
        known = self._groups.pop(group, None)
        if known is None or known.allowed.access is not access or known.allowed.inventory is not inventory:
            known = _GroupLists(AllowedInventory(inventory, access))
        self._groups[group] = known
        if len(self._groups) > _GROUPS_KEPT:
            self._groups.popitem(last=False)
        return known

    async def _plans_of(self, allowed: AllowedInventory) -> list[bytes]:
        turns, found = Turns(), []
        for name, plan in allowed.inventory.plans.items():
            if allowed.access.allows_plan(name):
                found.append(self._cutter.plan(plan, allowed))
            await turns.step()
        return found

    async def _devices_of(self, allowed: AllowedInventory) -> list[bytes]:
        turns, found = Turns(), []
        for device in allowed.inventory.devices.values():
            share = allowed.share_of(device)
            if share is not None:
                found.append(self._cutter.device(device, share))
            await turns.step()
        return found


def _look(record: Record) -> tuple[Inventory, Permissions, Revisions]:
    return record.inventory, record.permissions, record.revisions


async def _page(described: Sequence[bytes], size: int, token: str, revision: int, fit: Fit[bytes]) -> InventoryPage:
    offset = 0
    if token:
        at, offset = numbers_of_token(token, 2)
        if at != revision:
            raise InventoryChanged
    end = offset + await in_turns(fit(described[offset : offset + size]))
    return InventoryPage(described[offset:end], f"{revision}-{end}" if end < len(described) else "", revision)
