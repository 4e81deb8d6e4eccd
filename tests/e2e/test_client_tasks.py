"""The Python client's tasks, permissions, planning and issues, against real processes."""

from __future__ import annotations

import math

import pytest
from queueserver_client import (
    AsyncClient,
    Client,
    EventKind,
    FunctionNotAllowed,
    ItemsChecked,
    NotFound,
    PermissionsChanged,
    PermissionsInvalid,
    Plan,
    PlanNotFound,
    QueueView,
    RevisionMismatch,
    Snapshot,
    TaskFailed,
    TaskFinished,
    TaskNotFound,
    TaskStarted,
    TaskState,
    ValueNotRepresentable,
)

from tests.harness.stack import Stack
from tests.harness.wait import bounded, first


async def test_a_function_is_called_and_its_value_comes_back_without_loss(shared_client: AsyncClient) -> None:
    handle = await shared_client.tasks.execute_function("add", 2, second=40)
    assert await bounded(handle.result()) == 42
    assert (handle.task.name, handle.task.run_in_background) == ("add", False)
    status = await handle.status()
    assert status.state is TaskState.FINISHED
    nan = await (await shared_client.tasks.execute_function("give", "nan", run_in_background=True)).result()
    assert math.isnan(nan)


async def test_a_failed_task_raises_with_its_traceback(shared_client: AsyncClient) -> None:
    handle = await shared_client.tasks.execute_function("fail", "no beam")
    with pytest.raises(TaskFailed, match="no beam") as caught:
        await bounded(handle.result())
    assert "ValueError: no beam" in caught.value.result.traceback
    assert not (await handle.wait()).success


async def test_scripts_and_updates_are_tasks_too(shared_client: AsyncClient) -> None:
    script = "import bluesky.plan_stubs as bps\ndef from_script():\n    yield from bps.null()\n"
    await bounded((await shared_client.tasks.upload_script(script, update_lists=False)).result())
    assert "from_script" not in {plan.name for plan in (await shared_client.inventory.plans()).plans}
    await bounded((await shared_client.tasks.update_environment()).result())
    assert "from_script" in {plan.name for plan in (await shared_client.inventory.plans()).plans}
    await bounded((await shared_client.tasks.upload_script("del from_script")).result())


async def test_tasks_are_listed_and_an_unknown_one_is_not_found(shared_client: AsyncClient) -> None:
    handle = await shared_client.tasks.execute_function("add", 1)
    await handle.result()
    assert [status.task.uid for status in await shared_client.tasks.list([handle.uid])] == [handle.uid]
    assert handle.uid in [status.task.uid for status in await shared_client.tasks.list()]
    with pytest.raises(TaskNotFound):
        await shared_client.tasks.get("nothing")
    with pytest.raises(TaskNotFound):
        await shared_client.tasks.wait("nothing")


async def test_watchers_hear_of_tasks_and_permissions(shared_client: AsyncClient) -> None:
    async with shared_client.watch([EventKind.TASK, EventKind.PERMISSION]) as watch:
        begun = await first(watch, lambda event: isinstance(event, Snapshot))
        assert isinstance(begun, Snapshot)
        assert begun.permissions is not None
        assert "root" in begun.permissions["user_groups"]
        handle = await shared_client.tasks.execute_function("add", 1)
        started = await first(watch, lambda event: isinstance(event, TaskStarted))
        ended = await first(watch, lambda event: isinstance(event, TaskFinished))
        assert isinstance(started, TaskStarted)
        assert isinstance(ended, TaskFinished)
        assert (started.task.task.uid, ended.task.task.uid) == (handle.uid, handle.uid)
        assert ended.task.result is not None
        assert ended.task.result.success


async def test_permissions_are_read_checked_set_and_felt(shared_client: AsyncClient) -> None:
    before = await shared_client.permissions.get()
    strict = {"user_groups": {**before.user_group_permissions["user_groups"]}}
    strict["user_groups"]["admin"] = {"allowed_plans": ["nothing"], "allowed_devices": [None], "allowed_functions": []}
    await shared_client.permissions.set(strict, validate_only=True)
    assert await shared_client.permissions.get() == before
    handle = await shared_client.queue.add(Plan("one_run"))
    async with shared_client.watch([EventKind.QUEUE, EventKind.PERMISSION]) as watch:
        snapshot = await first(watch, lambda event: isinstance(event, Snapshot))
        assert isinstance(snapshot, Snapshot)
        view = QueueView.from_snapshot(snapshot)
        try:
            revision = await shared_client.permissions.set(strict, expected_revision=before.revision)
            await first(watch, lambda event: isinstance(event, PermissionsChanged))
            checked = await first(watch, lambda event: isinstance(event, ItemsChecked))
            assert isinstance(checked, ItemsChecked)
            view.apply(checked)
            assert [violation.field for violation in view.items[0].problems] == ["item.name"]
            assert (await handle.status()).state.value == "invalid"
            with pytest.raises(PlanNotFound):
                await shared_client.queue.add(Plan("one_run"))
            with pytest.raises(FunctionNotAllowed):
                await shared_client.tasks.execute_function("add", 1)
            with pytest.raises(RevisionMismatch):
                await shared_client.permissions.set(before.user_group_permissions, expected_revision=revision - 1)
            assert [plan.name for plan in (await shared_client.inventory.plans()).plans] == ["nothing"]
            assert len((await shared_client.inventory.plans(user_group="primary")).plans) > 1
        finally:
            await shared_client.permissions.set(before.user_group_permissions)
        checked = await first(watch, lambda event: isinstance(event, ItemsChecked))
        view.apply(checked)
        assert view.items[0].problems == ()


async def test_wrong_permissions_change_nothing(shared_client: AsyncClient) -> None:
    before = await shared_client.permissions.get()
    groups = before.user_group_permissions["user_groups"]
    with pytest.raises(PermissionsInvalid) as caught:
        await shared_client.permissions.set({"user_groups": {**groups, "guests": {"allowed_plans": ["fine", ":[a-"]}}})
    assert [violation.field for violation in caught.value.violations] == [
        "permissions.user_groups[guests].allowed_plans[1]"
    ]
    with pytest.raises(PermissionsInvalid):
        await shared_client.permissions.set({"user_groups": {"guests": {}}})
    with pytest.raises(ValueNotRepresentable):
        await shared_client.permissions.set({"user_groups": {"guests": {"allowed_cats": []}}})
    assert await shared_client.permissions.get() == before
    with pytest.raises(NotFound):
        await shared_client.inventory.plans(user_group="nobody")


async def test_items_are_validated_without_being_added(shared_client: AsyncClient) -> None:
    verdicts = await shared_client.planning.validate([Plan("nothing"), Plan("no_such_plan"), Plan("nothing", 5)])
    assert [(verdict.valid, verdict.reason) for verdict in verdicts] == [
        *((True, ""), (False, "PLAN_NOT_FOUND"), (False, "ITEM_INVALID")),
    ]
    assert verdicts[2].violations[0].field == "items[2].args[0]"
    assert (await shared_client.status()).items_in_queue == 0


def test_the_blocking_client_has_all_of_it(shared_stack: Stack) -> None:
    with Client(shared_stack.address) as client:
        assert client.tasks.execute_function("add", "a", "b").result() == "ab"
        assert client.planning.validate([Plan("nothing")])[0].valid
        assert "admin" in client.permissions.get().user_group_permissions["user_groups"]
        assert list(client.inventory.issues()) == []
