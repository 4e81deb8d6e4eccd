"""In which user group a client acts that sends none: the server chooses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from queueserver.manager.v1 import inventory_service_pb2
from queueserver_client import AsyncClient, Plan
from queueserver_client.errors import QueueServerError

from tests.e2e.conftest import STARTUP, shell
from tests.e2e.permission_lists import EVERYTHING, group, set_permissions
from tests.harness.raw import connect
from tests.harness.stack import Stack, running_stack

ONLY_COUNT = group(allowed_plans=["count"], allowed_functions=["add"])


@pytest.fixture(scope="module")
def beamline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server with the startup code of these tests and the permissions of many beamlines: a group "primary"."""
    startup = tmp_path_factory.mktemp("beamline")
    for file in STARTUP.glob("*.py"):
        (startup / file.name).write_text(file.read_text())
    everything = "{allowed_plans: [null], allowed_devices: [null], allowed_functions: [null]}"
    rules = f"user_groups:\n  root: {everything}\n  primary: {everything}\n"
    (startup / "user_group_permissions.yaml").write_text(rules)
    with running_stack(startup=startup) as running:
        yield running


def test_the_command_line_works_with_permissions_without_admin(beamline: Stack) -> None:
    qserver = shell(beamline.address)
    assert qserver("environment", "open", "--wait").returncode == 0
    added = qserver("queue", "add", "plan", '{"name": "count", "args": [["det1"]]}')
    assert (added.returncode, b"'user_group': 'primary'" in added.stdout) == (0, True), added
    assert b"'count': '{...}'" in qserver("allowed", "plans").stdout
    assert qserver("queue", "clear").returncode == 0


async def test_items_tasks_and_lists_are_those_of_the_chosen_group(beamline: Stack) -> None:
    async with AsyncClient(beamline.address) as client, connect(beamline.address) as stubs:
        await set_permissions(stubs, primary=ONLY_COUNT, staff=EVERYTHING)
        plans = await stubs.inventory.ListPlans(inventory_service_pb2.ListPlansRequest())
        assert [plan.name for plan in plans.plans] == ["count"]
        functions = await stubs.inventory.ListFunctions(inventory_service_pb2.ListFunctionsRequest())
        assert [function.name for function in functions.functions] == ["add"]
        handle = await client.queue.add(Plan("count", []))
        assert handle.item.user_group == "primary"
        task = await client.tasks.execute_function("add", 1, 2)
        assert (task.task.user_group, await task.result()) == ("primary", 3)
        with pytest.raises(QueueServerError, match="User group 'primary' may not call"):
            await client.tasks.execute_function("fail", "no")

        await set_permissions(stubs, staff=EVERYTHING)
        handle = await client.queue.add(Plan("count", []))
        assert handle.item.user_group == "staff"
        await client.queue.clear()


async def test_without_a_choice_every_request_that_needs_a_group_is_refused_and_names_the_way_out(
    beamline: Stack,
) -> None:
    async with AsyncClient(beamline.address) as client, connect(beamline.address) as stubs:
        await set_permissions(stubs, staff=EVERYTHING, visitors=EVERYTHING)
        for request in (
            client.queue.add(Plan("count", [])),
            client.queue.execute(Plan("count", [])),
            client.inventory.plans(),
            client.inventory.functions(),
        ):
            with pytest.raises(
                QueueServerError, match=r"send one of 'staff', 'visitors', or start .*--default-user-group"
            ):
                await request
        assert not (await client.status()).items_in_queue


async def test_the_option_decides_and_is_never_replaced_by_another_group() -> None:
    with running_stack("--default-user-group", "staff", startup=STARTUP) as running:
        async with AsyncClient(running.address) as client, connect(running.address) as stubs:
            await client.environment.open()
            with pytest.raises(QueueServerError, match="no group 'staff', the server's default by --default-user-gr"):
                await client.queue.add(Plan("count", []))
            await set_permissions(stubs, admin=EVERYTHING, staff=ONLY_COUNT)
            assert (await client.queue.add(Plan("count", []))).item.user_group == "staff"
        async with AsyncClient(running.address, user_group="admin") as client:
            assert (await client.queue.add(Plan("count", []))).item.user_group == "admin"
