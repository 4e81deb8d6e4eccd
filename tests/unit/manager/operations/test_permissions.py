"""Permissions are set, read again and adopted: once, as a whole, and only if they are right."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from queueserver_inventory.access import GroupRules
from queueserver_manager.domain.events import InventoryReplaced, PermissionsReplaced
from queueserver_manager.domain.permissions.permission_errors import FileInvalid, PermissionsInvalid, ReloadDisabled
from queueserver_manager.domain.permissions.permissions import BUILT_IN, Permissions, no_access
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid, RevisionMismatch
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.files import Files, ListSource, ReloadPolicy
from queueserver_manager.operations.permissions import PermissionOperations

from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term

ROOT = BUILT_IN.groups["root"]
NEW = {"root": ROOT, "visitors": GroupRules(allowed_plans=("count",))}
REPLY: ReplySpec[None] = ReplySpec(lambda _, revision: str(revision).encode(), part="permissions")


class Source:
    """A file that says what a test wants."""

    path = Path("permissions.yaml")

    def __init__(self, groups: Mapping[str, GroupRules] | None) -> None:
        self.groups = groups

    def read(self) -> Mapping[str, GroupRules]:
        if self.groups is None:
            raise FileInvalid(self.path, "can't be read")
        return self.groups


def operations(
    o: ScriptedTerm, source: Source | None = None, policy: str = "ON_STARTUP", lists: ListSource | None = None
) -> PermissionOperations:
    return PermissionOperations(o.ledger, Files(source, ReloadPolicy(policy), lists))


async def test_permissions_are_replaced_as_a_whole_and_everybody_is_told() -> None:
    async with scripted_term() as o:
        answer = await operations(o).set(NEW, REPLY)

        assert answer == b"1"
        assert await operations(o).get() == (Permissions(NEW), 1)
        assert o.store.stored.permissions == Permissions(NEW)
        assert [one.event for one in o.announced] == [PermissionsReplaced(Permissions(NEW)), InventoryReplaced(0, 0)]


async def test_the_same_permissions_again_change_nothing() -> None:
    async with scripted_term() as o:
        await operations(o).set(NEW, REPLY)
        assert await operations(o).set(dict(reversed(NEW.items())), REPLY) == b"1"
        assert len(o.announced) == 2


async def test_wrong_permissions_leave_the_old_ones_in_force() -> None:
    async with scripted_term() as o:
        with pytest.raises(PermissionsInvalid) as refusal:
            await operations(o).set({**NEW, "staff": GroupRules(allowed_plans=(":(", ":)"))}, REPLY)

        assert [one.field for one in refusal.value.violations] == [
            "permissions.user_groups[staff].allowed_plans[0]",
            "permissions.user_groups[staff].allowed_plans[1]",
        ]
        assert await operations(o).get() == (BUILT_IN, 0)


async def test_not_more_violations_are_looked_for_than_anybody_reads() -> None:
    async with scripted_term() as o:
        with pytest.raises(PermissionsInvalid, match=r"and 99 more\.$"):
            await operations(o).set({"root": GroupRules(allowed_plans=(":(",) * 500)}, REPLY)


async def test_permissions_are_only_checked_if_so_asked() -> None:
    async with scripted_term() as o:
        assert await operations(o).set(NEW, replace(REPLY, validate_only=True)) == b"0"
        assert await operations(o).get() == (BUILT_IN, 0)


async def test_permissions_that_somebody_else_changed_are_not_replaced() -> None:
    async with scripted_term() as o:
        await operations(o).set(NEW, REPLY)
        await asyncio.wait_for(o.add("a"), SECONDS)
        expecting = replace(REPLY, expected_revision=1)
        await operations(o).set({"root": ROOT}, expecting)

        with pytest.raises(
            RevisionMismatch, match="The permissions were changed at revision 3, and this request expects revision 1"
        ) as refusal:
            await operations(o).set(NEW, expecting)
        assert refusal.value.part == "permissions"


async def test_a_repeated_request_gets_the_first_answer() -> None:
    async with scripted_term() as o:
        once = replace(REPLY, request_id="id", fingerprint="print")
        assert [await operations(o).set(NEW, once) for _ in range(2)] == [b"1", b"1"]
        assert len(o.announced) == 2


@pytest.mark.parametrize("policy", ["ON_REQUEST", "ON_STARTUP"])
async def test_the_file_is_read_again_on_request(policy: str) -> None:
    async with scripted_term() as o:
        source = Source(NEW)
        await operations(o, source, policy).reload(REPLY, permissions=True, lists=False)
        assert (await operations(o).get())[0] == Permissions(NEW)

        source.groups = {"root": ROOT}
        await operations(o, source, policy).reload(REPLY, permissions=True, lists=False)
        assert (await operations(o).get())[0] == Permissions({"root": ROOT})


async def test_the_file_is_not_read_where_it_shall_not_be_or_is_not_known() -> None:
    async with scripted_term() as o:
        with pytest.raises(ReloadDisabled, match="--user-group-permissions-reload ON_REQUEST"):
            await operations(o, Source(NEW), "NEVER").reload(REPLY, permissions=True, lists=False)
        with pytest.raises(ReloadDisabled, match="--user-group-permissions FILE"):
            await operations(o).reload(REPLY, permissions=True, lists=False)
        with pytest.raises(FieldInvalid, match="say what to read again"):
            await operations(o, Source(NEW)).reload(REPLY, permissions=False, lists=False)


@pytest.mark.parametrize("groups", [None, {"root": GroupRules(allowed_plans=(":(",))}, {"visitors": GroupRules()}])
async def test_a_broken_file_leaves_the_old_permissions_in_force(groups: dict[str, GroupRules] | None) -> None:
    async with scripted_term() as o:
        await operations(o).set(NEW, REPLY)
        with pytest.raises(FileInvalid, match=r"^The file permissions\.yaml"):
            await operations(o, Source(groups)).reload(REPLY, permissions=True, lists=False)
        assert (await operations(o).get())[0] == Permissions(NEW)


async def test_permissions_to_begin_with_are_stored_even_if_they_are_in_force_already() -> None:
    async with scripted_term(record=Record(store_id="s", permissions=Permissions(NEW))) as o:
        await operations(o).begin(Permissions(NEW))
        assert o.store.stored.revisions.permissions == 1

        await operations(o).begin(Permissions(NEW))
        assert o.store.stored.revisions.permissions == 1


async def test_permissions_to_begin_with_are_stored_when_redis_is_back() -> None:
    async with scripted_term() as o:
        o.store.up.clear()
        o.store.fail(fate_known=True)
        adopting = asyncio.create_task(operations(o).begin(Permissions(NEW)))
        await asyncio.wait_for(o.store.begun.wait(), SECONDS)
        o.store.up.set()

        await asyncio.wait_for(adopting, SECONDS)
        assert o.store.stored.permissions == Permissions(NEW)


async def test_setting_permissions_ends_the_problem_that_there_were_none() -> None:
    async with scripted_term(record=Record(store_id="s", permissions=no_access("the file is wrong"))) as o:
        await operations(o).set({"root": GroupRules()}, REPLY)
        assert (await operations(o).get())[0].problem == ""
