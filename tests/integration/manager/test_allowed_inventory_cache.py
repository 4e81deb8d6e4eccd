"""Lists of what a group may use, in pages: worked out once, in turns, and anew after a change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from queueserver_inventory.access import GroupRules
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.changes import Decision, SetInventory
from queueserver_manager.domain.inventory import Device, Inventory, Plan
from queueserver_manager.domain.permissions.permission_errors import GroupNotFound
from queueserver_manager.domain.permissions.permissions import BUILT_IN, Permissions
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import InventoryChanged
from queueserver_manager.domain.validation.allowed import AllowedInventory, DeviceShare
from queueserver_manager.operations.inventory import InventoryOperations, Wanted
from queueserver_manager.operations.permissions import replace_permissions

from tests.unit.manager.samples import whole
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term

ROOT = BUILT_IN.groups["root"]
FIRST = Permissions(
    {
        "root": ROOT,
        "all": GroupRules(all_plans=True, all_devices=True),
        "some": GroupRules(allowed_plans=(":3$",), allowed_devices=(":3$",)),
    }
)


class Counting:
    """A cutter that answers names and counts."""

    def __init__(self) -> None:
        self.cut = 0

    def plan(self, plan: Plan, allowed: AllowedInventory) -> bytes:
        del allowed
        self.cut += 1
        return plan.name.encode()

    def device(self, device: Device, share: DeviceShare, below: Sequence[str] = ()) -> bytes:
        del share, below
        self.cut += 1
        return device.name.encode()


def inventory(plans: int, devices: int) -> Inventory:
    return Inventory(
        {f"p{number:04}": Plan(f"p{number:04}", (), b"existing") for number in range(plans)},
        {f"d{number:04}": Device(f"d{number:04}", {}, b"existing") for number in range(devices)},
        wire=f"{plans} {devices}".encode(),
    )


def record(plans: int = 25, devices: int = 35) -> Record:
    return Record(store_id="s", inventory=inventory(plans, devices), permissions=FIRST)


async def listed(operations: InventoryOperations, what: str, group: str | None, size: int = 10) -> list[str]:
    names: list[str] = []
    token = ""
    while True:
        page = await getattr(operations, what)(size, token, Wanted(group), whole)
        assert len(page.descriptions) <= size
        names += [wire.decode() for wire in page.descriptions]
        if not (token := page.next_token):
            return names


async def set_permissions(o: ScriptedTerm, permissions: Permissions) -> None:
    await asyncio.wait_for(o.submit(lambda record: replace_permissions(record, permissions)), SECONDS)


async def test_pages_together_are_what_a_group_may_use() -> None:
    async with scripted_term(record=record()) as o:
        operations = InventoryOperations(o.ledger, Counting())

        assert await listed(operations, "plans", "all") == [f"p{number:04}" for number in range(25)]
        assert await listed(operations, "plans", "some") == ["p0003", "p0013", "p0023"]
        assert await listed(operations, "devices", "some", 2) == ["d0003", "d0013", "d0023", "d0033"]
        assert await listed(operations, "devices", None) == ["existing"] * 35


async def test_named_plans_and_devices_are_listed_once_in_alphabetical_order_and_what_is_not_there_is_told() -> None:
    async with scripted_term(record=record()) as o:
        operations = InventoryOperations(o.ledger, Counting())
        names = ["p0013", "no", "p0004", "p0003", "p0013", ""]
        page = await operations.plans(1, "", Wanted("some", names), whole)
        rest = await operations.plans(1, page.next_token, Wanted("some", names), whole)
        assert [*page.descriptions, *rest.descriptions] == [b"p0003", b"p0013"]
        assert (page.missing, rest.missing, rest.next_token) == (["", "no", "p0004"], ["", "no", "p0004"], "")

        devices = await operations.devices(10, "", Wanted("some", ["d0004", "d0003", "d0003.x"]), whole)
        assert (devices.descriptions, devices.missing) == ([b"d0003"], ["d0003.x", "d0004"])
        assert (await operations.devices(10, "", Wanted(None, ["d0004"]), whole)).descriptions == [b"existing"]


async def test_plans_that_are_named_are_worked_out_alone() -> None:
    async with scripted_term(record=record()) as o:
        cutter = Counting()
        operations = InventoryOperations(o.ledger, cutter)
        await operations.plans(10, "", Wanted("all", ["p0001"]), whole)
        await operations.plan("p0002", "all")
        assert cutter.cut == 2


async def test_a_listing_of_functions_or_issues_ends_with_the_inventory_it_began_with() -> None:
    functions = {f"f{number}": f"f{number}".encode() for number in range(3)}
    issues = (b"i1", b"i2", b"i3")
    before = Inventory(functions=functions, issues=issues, wire=b"1")
    async with scripted_term(record=Record(store_id="s", inventory=before, permissions=FIRST)) as o:
        operations = InventoryOperations(o.ledger, Counting())
        of_functions = await operations.functions(2, "", None, whole)
        of_issues = await operations.issues(2, "", whole)
        assert (await operations.functions(2, of_functions.next_token, None, whole)).descriptions == (b"f2",)
        assert (await operations.issues(2, of_issues.next_token, whole)).descriptions == (b"i3",)

        after = Inventory(functions={"g": b"g", **functions}, issues=(b"i0", *issues), wire=b"2")
        change = SetInventory(after, plans_changed=False, devices_changed=False)
        await asyncio.wait_for(o.submit(lambda _: Decision(None, [change])), SECONDS)

        with pytest.raises(InventoryChanged):
            await operations.functions(2, of_functions.next_token, None, whole)
        with pytest.raises(InventoryChanged):
            await operations.issues(2, of_issues.next_token, whole)


async def test_a_list_is_worked_out_once_for_everybody_who_asks_at_the_same_time() -> None:
    async with scripted_term(record=record()) as o:
        cutter = Counting()
        operations = InventoryOperations(o.ledger, cutter)

        await asyncio.gather(*(operations.plans(10, "", Wanted("all"), whole) for _ in range(5)))
        await listed(operations, "plans", "all")

        assert cutter.cut == 25


async def test_a_list_is_worked_out_by_the_next_if_the_first_gives_up() -> None:
    async with scripted_term(record=record(devices=40_000)) as o:
        operations = InventoryOperations(o.ledger, Counting())
        first = asyncio.create_task(operations.devices(10, "", Wanted("all"), whole))
        second = asyncio.create_task(operations.devices(10, "", Wanted("all"), whole))
        await next_turn()
        first.cancel()

        page = await asyncio.wait_for(second, SECONDS)

        assert len(page.descriptions) == 10
        assert first.cancelled()


async def test_a_long_list_lets_others_have_their_turns() -> None:
    async with scripted_term(record=record(devices=40_000)) as o:
        operations = InventoryOperations(o.ledger, Counting())
        listing = asyncio.create_task(operations.devices(10, "", Wanted("all"), whole))
        turns = 0
        while not listing.done():
            await next_turn()
            turns += 1

        assert turns > 10


async def test_permissions_change_the_lists_and_end_listings_that_have_begun() -> None:
    async with scripted_term(record=record()) as o:
        operations = InventoryOperations(o.ledger, Counting())
        page = await operations.plans(10, "", Wanted("all"), whole)
        existing = await operations.plans(10, "", Wanted(None), whole)

        await set_permissions(o, Permissions({**FIRST.groups, "all": GroupRules(allowed_plans=("p0001",))}))

        with pytest.raises(InventoryChanged):
            await operations.plans(10, page.next_token, Wanted("all"), whole)
        assert len((await operations.plans(10, existing.next_token, Wanted(None), whole)).descriptions) == 10
        assert await listed(operations, "plans", "all") == ["p0001"]


async def test_a_change_of_devices_changes_the_lists_of_plans_that_name_them() -> None:
    async with scripted_term(record=record()) as o:
        operations = InventoryOperations(o.ledger, Counting())
        page = await operations.plans(10, "", Wanted("all"), whole)
        change = SetInventory(inventory(25, 3), plans_changed=False, devices_changed=True)
        await asyncio.wait_for(o.submit(lambda _: Decision(None, [change])), SECONDS)

        with pytest.raises(InventoryChanged):
            await operations.plans(10, page.next_token, Wanted("all"), whole)
        assert len(await listed(operations, "devices", "all")) == 3


async def test_a_group_that_is_not_there_has_no_lists() -> None:
    async with scripted_term(record=record()) as o:
        operations = InventoryOperations(o.ledger, Counting())
        for what in (operations.plans, operations.devices):
            with pytest.raises(GroupNotFound, match="use one of 'all', 'some'"):
                await what(10, "", Wanted("nobody"), whole)


async def test_lists_of_few_groups_only_are_kept() -> None:
    groups = {"root": ROOT} | {f"g{number}": GroupRules(all_plans=True) for number in range(17)}
    async with scripted_term(
        record=Record(store_id="s", inventory=inventory(1, 0), permissions=Permissions(groups))
    ) as o:
        cutter = Counting()
        operations = InventoryOperations(o.ledger, cutter)
        for number in (*range(17), 16, 0):
            assert await listed(operations, "plans", f"g{number}") == ["p0000"]

        assert cutter.cut == 18
