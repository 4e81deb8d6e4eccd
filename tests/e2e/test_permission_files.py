"""Permissions and lists from their files: at the start, on request, and when a file is wrong."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from queueserver.manager.v1 import inventory_service_pb2
from queueserver.manager.v1 import permission_service_pb2 as pb
from queueserver_client import AsyncClient, Plan
from queueserver_client.errors import QueueServerError
from queueserver_inventory.descriptions import Inventory, PlanDescription
from queueserver_inventory.list_file import write_list

from tests.e2e.permission_lists import allowed_plans, group, permissions
from tests.harness.raw import Stubs, connect, refused
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess
from tests.harness.stack import running_stack, short_directory

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
ROOT = "  root: {allowed_plans: [null], allowed_devices: [null], allowed_functions: [null]}\n"
BROKEN = "user_groups:\n" + ROOT + "  staff: {allowed_plans: [':(']}\n"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with short_directory() as directory:
        process = RedisProcess(directory)
        try:
            yield process
        finally:
            process.close()


class Site:
    """A Manager without a Worker, its files, and a part of a Redis that is its own."""

    def __init__(self, redis: RedisProcess, directory: Path) -> None:
        self._redis = redis
        self._directory = directory
        self.permissions = directory / "user_group_permissions.yaml"
        self.lists = directory / "existing_plans_and_devices.yaml"

    def write(self, *groups: str) -> None:
        """Write a file of permissions with "root" and these groups, which may use every plan."""
        rules = "".join(f"  {name}: {{allowed_plans: [null]}}\n" for name in groups)
        self.permissions.write_text("user_groups:\n" + ROOT + rules)

    @contextlib.asynccontextmanager
    async def manager(self, *options: str, file: bool = True) -> AsyncIterator[Stubs]:
        """A Manager that knows the file of permissions, or not; it is ended afterwards."""
        given = ["--key-prefix", str(self._directory), *options]
        given += ["--user-group-permissions", str(self.permissions)] if file else []
        process = ManagerProcess(self._redis.url, "unix:/nobody/there", *given, instance_id="the one")
        try:
            async with connect(process.address) as stubs:
                yield stubs
        finally:
            process.close()


@pytest.fixture
def site(redis: RedisProcess, tmp_path: Path) -> Site:
    return Site(redis, tmp_path)


async def groups(stubs: Stubs) -> set[str]:
    answer = await stubs.permissions.GetPermissions(pb.GetPermissionsRequest())
    return set(answer.permissions.user_groups) - {"root"}


async def reload(stubs: Stubs, *, lists: bool = False) -> None:
    request = pb.ReloadPermissionsRequest(restore_permissions=not lists, restore_plans_devices=lists)
    await stubs.permissions.ReloadPermissions(request)


async def set_groups(stubs: Stubs, *names: str) -> None:
    new = permissions(**{name: group(all_plans=True) for name in names})
    await stubs.permissions.SetPermissions(pb.SetPermissionsRequest(permissions=new))


async def test_without_a_file_everybody_may_use_everything(site: Site) -> None:
    async with site.manager(file=False) as stubs:
        assert await groups(stubs) == {"admin", "primary"}
        refusal = await refused(reload(stubs))
        assert (refusal.code, refusal.reason) == (PRECONDITION, "RELOAD_DISABLED")
        refusal = await refused(stubs.permissions.ReloadPermissions(pb.ReloadPermissionsRequest()))
        assert (refusal.reason, set(refusal.violations)) == ("FIELD_INVALID", {"restore_permissions"})


async def test_on_startup_the_file_takes_the_place_of_what_was_set_unless_it_is_broken(site: Site) -> None:
    site.write("staff")
    async with site.manager() as stubs:
        assert await groups(stubs) == {"staff"}
        await set_groups(stubs, "visitors")
        assert await groups(stubs) == {"visitors"}
    async with site.manager() as stubs:
        assert await groups(stubs) == {"staff"}
        site.permissions.write_text(BROKEN)
    async with site.manager() as stubs:
        assert await groups(stubs) == {"staff"}
        refusal = await refused(reload(stubs))
        assert (refusal.code, refusal.reason) == (PRECONDITION, "FILE_INVALID")
        assert "user_groups[staff].allowed_plans[0]" in refusal.violations
        site.permissions.unlink()
        assert "is not there: put it back" in (await refused(reload(stubs))).message
        assert await groups(stubs) == {"staff"}


@pytest.mark.parametrize("policy", ["ON_REQUEST", "NEVER"])
async def test_otherwise_what_was_set_stays_and_the_file_is_only_the_beginning(site: Site, policy: str) -> None:
    site.write("staff")
    async with site.manager("--user-group-permissions-reload", policy) as stubs:
        assert await groups(stubs) == {"staff"}
    site.write("others")
    async with site.manager("--user-group-permissions-reload", policy) as stubs:
        assert await groups(stubs) == {"staff"}
        if policy == "NEVER":
            assert (await refused(reload(stubs))).reason == "RELOAD_DISABLED"
            assert await groups(stubs) == {"staff"}
        else:
            await reload(stubs)
            assert await groups(stubs) == {"others"}


async def test_with_a_broken_file_nobody_may_use_anything_and_the_reason_is_told(site: Site) -> None:
    site.permissions.write_text(BROKEN)
    async with site.manager() as stubs:
        assert await groups(stubs) == set()
        refusal = await refused(stubs.inventory.ListPlans(inventory_service_pb2.ListPlansRequest()))
        assert refusal.reason == "GROUP_NOT_FOUND"
        assert "user_groups[staff].allowed_plans[0]" in refusal.message

        site.write("staff")
        await reload(stubs)
        assert await groups(stubs) == {"staff"}


async def test_plans_of_the_list_file_are_known_before_an_environment_opens(site: Site) -> None:
    def write(*names: str) -> None:
        plans = tuple(PlanDescription(name=name, function_name=name) for name in names)
        site.lists.write_text(write_list(Inventory(plans)))

    write("count")
    site.write("admin")
    async with site.manager("--existing-plans-devices", str(site.lists)) as stubs:
        assert [plan.name for plan in await allowed_plans(stubs, "admin")] == ["count"]
        write("scan")
        await reload(stubs, lists=True)
        assert [plan.name for plan in await allowed_plans(stubs, "admin")] == ["scan"]
        site.lists.write_text("[")
        assert (await refused(reload(stubs, lists=True))).reason == "FILE_INVALID"
        assert [plan.name for plan in await allowed_plans(stubs, "admin")] == ["scan"]


async def test_start_re_manager_finds_the_files_in_the_startup_directory(tmp_path: Path) -> None:
    startup = tmp_path / "startup"
    startup.mkdir()
    (startup / "00-plans.py").write_text("")
    plans = tuple(PlanDescription(name=name, function_name=name) for name in ("count", "scan"))
    (startup / "existing_plans_and_devices.yaml").write_text(write_list(Inventory(plans)))
    rules = "user_groups:\n" + ROOT + "  staff: {allowed_plans: [count]}\n"
    (startup / "user_group_permissions.yaml").write_text(rules)
    with running_stack(startup=startup) as stack:
        async with AsyncClient(stack.address, user_group="staff") as client:
            await client.queue.add(Plan("count"))
            with pytest.raises(QueueServerError, match="There is no plan 'scan' that you may use"):
                await client.queue.add(Plan("scan"))
        async with AsyncClient(stack.address, user_group="visitors") as client:
            with pytest.raises(QueueServerError, match="use one of 'staff'"):
                await client.queue.add(Plan("count"))
