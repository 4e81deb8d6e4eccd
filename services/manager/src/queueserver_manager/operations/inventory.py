"""List and look up plans and devices: all that exist, or what a user group may use."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from queueserver_long_work.time_slice import TimeSlice, in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.inventory import Device, Inventory, Plan
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.domain.refusals.errors import InventoryChanged, PageTokenInvalid
from queueserver_manager.domain.validation.allowed import UNLIMITED, AllowedInventory, DeviceShare
from queueserver_manager.domain.validation.lookup import require_plan, share_of_device
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.pages.listing import Fit, numbers_of_token, page_token

#: Groups whose lists are kept: what is whole in them costs nothing, and few groups ask at the same time.
_GROUPS_KEPT = 16


class DescriptionFilter(Protocol):
    """Makes serialized descriptions of what a group may use."""

    def plan(self, plan: Plan, allowed: AllowedInventory) -> bytes:
        """A plan that may be used."""

    def device(self, device: Device, share: DeviceShare, below: Sequence[str] = ()) -> bytes:
        """A device of which something may be used, or the component to which the names ``below`` lead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be listed. ``group`` None means all that exists, no ``names`` those of all names."""

    group: str | None
    names: Sequence[str] = ()

    def mark(self, kind: str) -> int:
        """A number that tells the list of this kind from every other: a place in one means nothing in another."""
        return zlib.crc32(json.dumps([kind, self.group, sorted(set(self.names))]).encode())


@dataclass(frozen=True, slots=True)
class InventoryPage:
    """Part of a list: serialized descriptions; ``next_token`` is empty on the last one."""

    descriptions: Sequence[bytes]
    next_token: str
    #: Of the last change of the whole list.
    revision: int
    #: Names that were asked for and are not in the list, in alphabetical order.
    missing: Sequence[str] = ()


@dataclass(slots=True)
class _GroupLists:
    """Lists of one group. The first caller computes them, the others wait for that."""

    allowed: AllowedInventory
    #: Everything that exists.
    is_whole: bool
    #: Complete lists of descriptions, by kind.
    described: dict[str, list[bytes]] = field(default_factory=dict)
    working: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What can be listed in pages: plans or devices."""

    name: str
    names: Callable[[Inventory], Iterable[str]]
    revision: Callable[[Revisions, str | None], int]


class InventoryOperations:
    """What clients may ask about plans and devices.

    ``group`` None means all that exists, an empty one the group for callers that send none; see
    :meth:`Permissions.acting_group`.
    """

    def __init__(self, ledger: Ledger, description_filter: DescriptionFilter, default_group: str = "") -> None:
        self._ledger = ledger
        self._default_group = default_group
        self._description_filter = description_filter
        self._groups: OrderedDict[str | None, _GroupLists] = OrderedDict()

    async def plan(self, name: str, group: str | None) -> tuple[bytes, int]:
        """A plan, and the revision of the list. Raises FieldInvalid, PlanNotFound, GroupNotFound."""
        inventory, permissions, revisions = await self._ledger.read(_look)
        group = self._acting_group(group, permissions)
        lists = self._lists_of(group, inventory, permissions)
        require_plan(name, lists.allowed, group)
        return self._plan(inventory.plans[name], lists), _revision_of_plans(revisions, group)

    async def device(self, name: str, group: str | None) -> tuple[bytes, int]:
        """A device or component, and the revision of the list. Raises FieldInvalid, DeviceNotFound, GroupNotFound."""
        inventory, permissions, revisions = await self._ledger.read(_look)
        group = self._acting_group(group, permissions)
        share = share_of_device(name, self._lists_of(group, inventory, permissions).allowed, group)
        first, *below = name.split(".")
        return self._description_filter.device(inventory.devices[first], share, below), _revision_of_devices(
            revisions, group
        )

    async def plans(self, size: int, token: str, wanted: Wanted, fit: Fit[bytes]) -> InventoryPage:
        """One page of plans. Raises PageTokenInvalid, InventoryChanged, GroupNotFound."""
        return await self._list(_PLANS, self._plan_of, size, token, wanted, fit)

    async def devices(self, size: int, token: str, wanted: Wanted, fit: Fit[bytes]) -> InventoryPage:
        """One page of devices. Raises PageTokenInvalid, InventoryChanged, GroupNotFound."""
        return await self._list(_DEVICES, self._device_of, size, token, wanted, fit)

    async def _list(
        self,
        kind: _Kind,
        describe: Callable[[str, _GroupLists], bytes | None],
        size: int,
        token: str,
        wanted: Wanted,
        fit: Fit[bytes],
    ) -> InventoryPage:
        inventory, permissions, revisions = await self._ledger.read(_look)
        wanted = replace(wanted, group=self._acting_group(wanted.group, permissions))
        lists = self._lists_of(wanted.group, inventory, permissions)
        revision, mark = kind.revision(revisions, wanted.group), wanted.mark(kind.name)
        if wanted.names:
            described, missing = await _named(sorted(set(wanted.names)), lambda name: describe(name, lists))
            return await _page(described, size, token, revision, mark, fit, missing)
        async with lists.working:
            if kind.name not in lists.described:
                lists.described[kind.name], _ = await _named(kind.names(inventory), lambda name: describe(name, lists))
        return await _page(lists.described[kind.name], size, token, revision, mark, fit)

    async def functions(self, size: int, token: str, group: str | None, fit: Fit[bytes]) -> InventoryPage:
        """One page of functions that tasks can call. Raises PageTokenInvalid, InventoryChanged, GroupNotFound."""
        inventory, permissions, _ = await self._ledger.read(_look)
        group = self._acting_group(group, permissions)
        if group is None:
            found: Sequence[bytes] = tuple(inventory.functions.values())
        else:
            access = permissions.access_for(group)
            found, _ = await _named(
                inventory.functions, lambda name: inventory.functions[name] if access.allows_function(name) else None
            )
        return await _page(
            found, size, token, await in_time_slices(_fingerprint(found)), Wanted(group).mark("functions"), fit
        )

    async def issues(self, size: int, token: str, fit: Fit[bytes]) -> InventoryPage:
        """One page of what was left out. Raises PageTokenInvalid, InventoryChanged."""
        issues = (await self._ledger.read(_look))[0].issues
        return await _page(
            issues, size, token, await in_time_slices(_fingerprint(issues)), Wanted(None).mark("issues"), fit
        )

    def _acting_group(self, group: str | None, permissions: Permissions) -> str | None:
        return None if group is None else permissions.acting_group(group, self._default_group)

    def _lists_of(self, group: str | None, inventory: Inventory, permissions: Permissions) -> _GroupLists:
        access = UNLIMITED if group is None else permissions.access_for(group)
        known = self._groups.pop(group, None)
        if known is None or known.allowed.access is not access or known.allowed.inventory is not inventory:
            known = _GroupLists(AllowedInventory(inventory, access), is_whole=group is None)
        self._groups[group] = known
        if len(self._groups) > _GROUPS_KEPT:
            self._groups.popitem(last=False)
        return known

    def _plan_of(self, name: str, lists: _GroupLists) -> bytes | None:
        """Its description; None if it is not there or may not be used."""
        plan = lists.allowed.inventory.plans.get(name)
        return self._plan(plan, lists) if plan and lists.allowed.access.allows_plan(name) else None

    def _plan(self, plan: Plan, lists: _GroupLists) -> bytes:
        return plan.wire if lists.is_whole else self._description_filter.plan(plan, lists.allowed)

    def _device_of(self, name: str, lists: _GroupLists) -> bytes | None:
        """Its description; None if it is not there or nothing of it may be used."""
        device = lists.allowed.inventory.devices.get(name)
        if device is None or lists.is_whole:
            return device.wire if device else None
        share = lists.allowed.share_of(device)
        return self._description_filter.device(device, share) if share else None


def _look(record: Record) -> tuple[Inventory, Permissions, Revisions]:
    return record.inventory, record.permissions, record.revisions


def _revision_of_plans(revisions: Revisions, group: str | None) -> int:
    return revisions.plans if group is None else revisions.plans_allowed


def _revision_of_devices(revisions: Revisions, group: str | None) -> int:
    return revisions.devices if group is None else revisions.devices_allowed


_PLANS = _Kind("plans", lambda inventory: inventory.plans, _revision_of_plans)
_DEVICES = _Kind("devices", lambda inventory: inventory.devices, _revision_of_devices)


async def _named(names: Iterable[str], describe: Callable[[str], bytes | None]) -> tuple[list[bytes], list[str]]:
    """Descriptions in the order of the names, and the names that have none."""
    time_slice, described, missing = TimeSlice(), [], []
    for name in names:
        one = describe(name)
        if one is None:
            missing.append(name)
        else:
            described.append(one)
        await time_slice.yield_if_due()
    return described, missing


def _fingerprint(described: Sequence[bytes]) -> Work[int]:
    """A number that tells whether a list is still the same, for what has no revision of its own."""
    found = 0
    for one in described:
        found = zlib.crc32(one, found)
        yield
    return found


async def _page(
    described: Sequence[bytes],
    size: int,
    token: str,
    revision: int,
    mark: int,
    fit: Fit[bytes],
    missing: Sequence[str] = (),
) -> InventoryPage:
    """From the place that a token of this list says. Raises PageTokenInvalid, InventoryChanged."""
    offset = 0
    if token:
        at, offset, of = numbers_of_token(token, "inventory", 3)
        if of != mark:
            raise PageTokenInvalid
        if at != revision:
            raise InventoryChanged
    end = offset + await in_time_slices(fit(described[offset : offset + size]))
    more = page_token("inventory", revision, end, mark) if end < len(described) else ""
    return InventoryPage(described[offset:end], more, revision, missing)
