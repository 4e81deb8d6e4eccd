from __future__ import annotations

import asyncio
import importlib
import pkgutil
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from queueserver.common.v1 import item_pb2, task_pb2
from queueserver.manager import v1 as manager_v1
from queueserver.manager.v1 import (
    environment_service_pb2,
    error_details_pb2,
    event_service_pb2,
    history_service_pb2,
    import_state_pb2,
    inventory_service_pb2,
    lock_pb2,
    lock_service_pb2,
    permission_service_pb2,
    planning_service_pb2,
    queue_execution_pb2,
    queue_items_pb2,
    queue_pb2,
    run_engine_service_pb2,
    server_service_pb2,
    task_service_pb2,
)
from queueserver_client import AsyncClient, EventKind, ExitStatus, ManagerRole, ManagerState, Plan

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.health import serving, wait_until_serving
from tests.harness.parts import Parts
from tests.harness.raw import Stubs, connect, read_refusal, refused
from tests.harness.services import ManagerProcess
from tests.harness.wait import bounded, first

ITEM = item_pb2.ItemSpec(name="one_run")
CALLS = {
    "queue": {
        "AddItem": queue_items_pb2.AddItemRequest(item=ITEM),
        "AddItems": queue_items_pb2.AddItemsRequest(items=[ITEM]),
        "ListItems": queue_items_pb2.ListItemsRequest(),
        "GetItem": queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(back=True)),
        "RemoveItem": queue_items_pb2.RemoveItemRequest(address=queue_pb2.ItemAddress(back=True)),
        "MoveItem": queue_items_pb2.MoveItemRequest(
            source=queue_pb2.ItemAddress(index=0), destination=queue_pb2.QueuePosition(index=1)
        ),
        "ClearQueue": queue_items_pb2.ClearQueueRequest(all=True),
        "StartQueue": queue_execution_pb2.StartQueueRequest(),
        "StopQueue": queue_execution_pb2.StopQueueRequest(),
        "CancelStopQueue": queue_execution_pb2.CancelStopQueueRequest(),
        "UpdateItem": queue_items_pb2.UpdateItemRequest(item_uid="x", item=ITEM),
        "RemoveItems": queue_items_pb2.RemoveItemsRequest(),
        "MoveItems": queue_items_pb2.MoveItemsRequest(),
        "SetQueueMode": queue_execution_pb2.SetQueueModeRequest(loop=True),
        "SetAutostart": queue_execution_pb2.SetAutostartRequest(enabled=True),
        "ExecuteItem": queue_execution_pb2.ExecuteItemRequest(item=ITEM),
    },
    "history": {
        "ListHistory": history_service_pb2.ListHistoryRequest(),
        "ClearHistory": history_service_pb2.ClearHistoryRequest(all=True),
    },
    "environment": {
        "OpenEnvironment": environment_service_pb2.OpenEnvironmentRequest(),
        "CloseEnvironment": environment_service_pb2.CloseEnvironmentRequest(),
        "DestroyEnvironment": environment_service_pb2.DestroyEnvironmentRequest(),
        "GetEnvironment": environment_service_pb2.GetEnvironmentRequest(),
    },
    "inventory": {
        "ListPlans": inventory_service_pb2.ListPlansRequest(),
        "GetPlan": inventory_service_pb2.GetPlanRequest(name="count"),
        "GetDevice": inventory_service_pb2.GetDeviceRequest(name="det1"),
        "ListDevices": inventory_service_pb2.ListDevicesRequest(),
        "ListIssues": inventory_service_pb2.ListIssuesRequest(),
        "ListFunctions": inventory_service_pb2.ListFunctionsRequest(),
    },
    "run_engine": {
        "PausePlan": run_engine_service_pb2.PausePlanRequest(),
        "ResumePlan": run_engine_service_pb2.ResumePlanRequest(),
        "StopPlan": run_engine_service_pb2.StopPlanRequest(),
        "AbortPlan": run_engine_service_pb2.AbortPlanRequest(),
        "HaltPlan": run_engine_service_pb2.HaltPlanRequest(),
        "AbortPlanNow": run_engine_service_pb2.AbortPlanNowRequest(),
        "AnswerQuestion": run_engine_service_pb2.AnswerQuestionRequest(text="yes"),
        "ListRuns": run_engine_service_pb2.ListRunsRequest(),
        "GetMetadata": run_engine_service_pb2.GetMetadataRequest(),
    },
    "permissions": {
        "GetPermissions": permission_service_pb2.GetPermissionsRequest(),
        "SetPermissions": permission_service_pb2.SetPermissionsRequest(),
        "ReloadPermissions": permission_service_pb2.ReloadPermissionsRequest(),
    },
    "tasks": {
        "ExecuteFunction": task_service_pb2.ExecuteFunctionRequest(function=task_pb2.FunctionCall(name="f")),
        "UploadScript": task_service_pb2.UploadScriptRequest(script=task_pb2.Script(text="pass")),
        "UpdateEnvironment": task_service_pb2.UpdateEnvironmentRequest(),
        "GetTask": task_service_pb2.GetTaskRequest(task_uid="any"),
        "ListTasks": task_service_pb2.ListTasksRequest(),
    },
    "lock": {
        "AcquireLock": lock_service_pb2.AcquireLockRequest(environment=True, lock_key="key"),
        "ReleaseLock": lock_service_pb2.ReleaseLockRequest(lock_key="key"),
        "GetLock": lock_service_pb2.GetLockRequest(),
        "RenewLock": lock_service_pb2.RenewLockRequest(lock_key="key"),
        "RequestLock": lock_service_pb2.RequestLockRequest(environment=True, lock_key="key"),
        "AnswerLockRequest": lock_service_pb2.AnswerLockRequestRequest(
            answer=lock_pb2.LOCK_ANSWER_GRANT, lock_key="key"
        ),
        "WithdrawLockRequest": lock_service_pb2.WithdrawLockRequestRequest(lock_key="key"),
    },
    "server": {
        "ImportState": import_state_pb2.ImportStateRequest(import_id="any", into_existing=True),
        "StopServer": server_service_pb2.StopServerRequest(mode=server_service_pb2.STOP_MODE_AT_ONCE),
    },
    "planning": {
        "ValidateItems": planning_service_pb2.ValidateItemsRequest(items=[ITEM]),
        "SimulateItem": planning_service_pb2.SimulateItemRequest(item=ITEM),
    },
}
STREAMS = {
    ("events", "WatchEvents"): event_service_pb2.WatchEventsRequest(),
    ("queue", "WaitItem"): queue_items_pb2.WaitItemRequest(item_uid="any"),
    ("environment", "WaitEnvironment"): environment_service_pb2.WaitEnvironmentRequest(),
    ("tasks", "WaitTask"): task_service_pb2.WaitTaskRequest(task_uid="any"),
}
#: Names of the stubs whose services have other names than theirs.
SERVICES = {"run_engine": "RunEngine", "permissions": "Permission", "tasks": "Task", "events": "Event"}


@pytest.fixture(scope="module")
def second(parts: Parts) -> Iterator[ManagerProcess]:
    """Another Manager on the same Redis and Worker."""
    manager = ManagerProcess(parts.redis.url, parts.worker.address)
    yield manager
    manager.close()


@pytest.fixture
async def standby(parts: Parts, second: ManagerProcess, parts_client: AsyncClient) -> AsyncIterator[ManagerProcess]:
    """``second`` as the standby of the Manager of ``parts``, and so again when the test is over."""
    assert (await parts_client.status()).role is ManagerRole.OWNER
    yield second
    if "Queue" in await serving(second.address):
        second.process.stop()
        await wait_until_serving(parts.address)
        second.restart()


@pytest.fixture
async def standby_stubs(standby: ManagerProcess) -> AsyncIterator[Stubs]:
    async with connect(standby.address) as stubs:
        yield stubs


def assert_not_owner(refusal: Any, owner: str) -> None:
    assert (refusal.code, refusal.domain, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "qserver", "NOT_OWNER")
    assert refusal.detail(error_details_pb2.NotOwner).owner_address == owner
    assert refusal.detail(RetryInfo).retry_delay.ToMilliseconds() == refusal.pushback == 200
    assert owner in refusal.message


def test_the_calls_tried_on_a_standby_are_all_that_there_are() -> None:
    tried = {(service, method) for service, calls in CALLS.items() for method in calls} | set(STREAMS)
    modules = [
        importlib.import_module(f"{manager_v1.__name__}.{module.name}")
        for module in pkgutil.iter_modules(manager_v1.__path__)
        if module.name.endswith("_service_pb2")
    ]
    everything = {
        (service.name.removesuffix("Service"), method.name)
        for module in modules
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    # A Manager that is not the owner says so in its status.
    answered = {("Status", "GetStatus"), ("Status", "ExplainIdle"), ("Server", "GetServerInfo")}
    assert {(SERVICES.get(noun, noun.title()), method) for noun, method in tried} | answered == everything


@pytest.mark.parametrize(("service", "method"), [(s, m) for s, calls in CALLS.items() for m in calls])
async def test_a_standby_refuses_every_call_and_names_the_owner(
    parts: Parts, parts_client: AsyncClient, standby_stubs: Stubs, service: str, method: str
) -> None:
    before = await parts_client.status()
    call = getattr(getattr(standby_stubs, service), method)
    assert_not_owner(await refused(call(CALLS[service][method])), parts.address)
    after = await parts_client.status()
    assert (after.revision, after.manager_state) == (before.revision, before.manager_state)


@pytest.mark.parametrize(("service", "method"), STREAMS)
async def test_a_standby_refuses_streams_too(parts: Parts, standby_stubs: Stubs, service: str, method: str) -> None:
    call = getattr(getattr(standby_stubs, service), method)(STREAMS[service, method])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bounded(call.read())
    assert_not_owner(read_refusal(caught.value), parts.address)


async def test_a_standby_says_so_in_its_status_and_its_health(parts: Parts, standby: ManagerProcess) -> None:
    async with AsyncClient(standby.address) as client:
        status = await client.status()
    assert status.role is ManagerRole.STANDBY
    assert status.manager_state is ManagerState.INITIALIZING
    assert status.owner_address == parts.address
    assert await serving(standby.address) == {"Status"}
    assert await serving(parts.address) == {
        "",
        "Status",
        "Queue",
        "History",
        "Environment",
        "RunEngine",
        "Inventory",
        "Task",
        "Permission",
        "Lock",
        "Planning",
        "Server",
        "Event",
    }


async def test_a_standby_takes_over_from_a_killed_owner_with_the_queue_the_history_and_the_running_plan(
    parts: Parts, parts_client: AsyncClient, standby: ManagerProcess, gate: Gate
) -> None:
    handles = await parts_client.queue.add_batch([Plan("gated_run", gate.path), Plan("one_run"), Plan("one_run")])
    epoch = (await parts_client.status()).epoch
    await parts_client.queue.start()
    with parts.manager_killed():
        await wait_until_serving(standby.address)
        async with AsyncClient(standby.address) as client:
            status = await client.status()
            assert (status.role, status.epoch, status.owner_address) == (ManagerRole.OWNER, epoch + 1, standby.address)
            assert status.running_item_uid == handles[0].uid
            assert [item.uid async for item in client.queue.list()] == [handle.uid for handle in handles[1:]]
            async with client.watch() as watch:
                await first(watch, lambda _: True)
                gate.open()
                await first(watch, expect.queue_stopped)
            entries = [entry async for entry in client.history.list()]
    assert [entry.result.exit_status for entry in entries] == [ExitStatus.COMPLETED] * 3


async def test_a_client_of_a_standby_is_served_by_the_owner_and_then_by_its_successor(
    parts: Parts, parts_client: AsyncClient, standby: ManagerProcess
) -> None:
    async with AsyncClient(standby.address) as client:
        handles = [await client.queue.add(Plan("one_run"))]
        assert client.address == parts.address
        async with client.watch([EventKind.QUEUE]) as watch:
            await first(watch, lambda _: True)
            with parts.manager_killed():
                await wait_until_serving(standby.address)
                handles.append(await client.queue.add(Plan("one_run")))
                assert client.address == standby.address
                await first(watch, expect.added(handles[1].uid))
        assert [item.uid async for item in client.queue.list()] == [handle.uid for handle in handles]
    assert (await parts_client.status()).role is ManagerRole.STANDBY


async def test_a_standby_need_not_wait_for_the_lease_of_an_owner_that_was_killed(
    parts: Parts, parts_client: AsyncClient, standby: ManagerProcess
) -> None:
    epoch = (await parts_client.status()).epoch
    standby.process.output.wait_for(f"Standby: connected to the owner at {parts.address}")
    with parts.redis.connect() as redis:
        # So that it does not renew the lease any more.
        parts.manager.process.send(signal.SIGSTOP)
        assert redis.pexpire("{qs}:lease", 3_600_000)
    with parts.manager_killed():
        await wait_until_serving(standby.address)
        async with AsyncClient(standby.address) as client:
            assert (await client.status()).epoch == epoch + 1
    assert (await parts_client.status()).role is ManagerRole.STANDBY


@pytest.mark.parametrize("standby_first", [False, True])
async def test_a_client_that_has_both_addresses_is_served_wherever_the_owner_is(
    parts: Parts, parts_client: AsyncClient, standby: ManagerProcess, standby_first: bool
) -> None:
    addresses = [standby.address, parts.address] if standby_first else [parts.address, standby.address]
    async with AsyncClient(",".join(addresses)) as client:
        handles = [await client.queue.add(Plan("one_run"))]
        assert client.address == parts.address
        with parts.manager_killed():
            handles.append(await client.queue.add(Plan("one_run")))
            assert client.address == standby.address
        assert [item.uid async for item in client.queue.list()] == [handle.uid for handle in handles]
    assert (await parts_client.status()).role is ManagerRole.STANDBY


async def test_an_owner_that_ends_in_good_order_hands_over_at_once(parts: Parts, standby: ManagerProcess) -> None:
    assert parts.manager.process.stop() == 0
    try:
        # Less than a lease lasts: the standby did not wait for its end.
        await asyncio.wait_for(wait_until_serving(standby.address), 2.5)
    finally:
        parts.start_manager()


async def test_an_owner_that_slept_through_its_lease_can_change_nothing_when_it_wakes(
    parts: Parts, parts_client: AsyncClient, standby: ManagerProcess
) -> None:
    handles = await parts_client.queue.add_batch([Plan("one_run"), Plan("one_run")])
    async with connect(parts.address) as sleeper, AsyncClient(standby.address) as client:
        await sleeper.queue.ListItems(CALLS["queue"]["ListItems"])
        parts.manager.process.send(signal.SIGSTOP)
        calls = [
            sleeper.queue.AddItem(CALLS["queue"]["AddItem"]),
            sleeper.queue.ClearQueue(CALLS["queue"]["ClearQueue"]),
            sleeper.queue.StartQueue(CALLS["queue"]["StartQueue"]),
            sleeper.environment.DestroyEnvironment(CALLS["environment"]["DestroyEnvironment"]),
        ]
        try:
            await wait_until_serving(standby.address)
            revision = (await client.status()).revision
        finally:
            parts.manager.process.send(signal.SIGCONT)
        for call in calls:
            await bounded(refused(call))
        await wait_until_serving(parts.address, is_serving=False)
        assert (await parts_client.status()).role is ManagerRole.STANDBY
        status = await client.status()
        assert (status.role, status.revision) == (ManagerRole.OWNER, revision)
        assert status.environment_exists
        assert [item.uid async for item in client.queue.list()] == [handle.uid for handle in handles]


async def test_a_command_on_its_way_to_a_silent_worker_is_answered_when_the_term_ends(
    parts: Parts, parts_client: AsyncClient, standby: ManagerProcess
) -> None:
    async with connect(parts.address) as owner, parts_client.watch([EventKind.STATUS]) as watch:
        await first(watch, lambda _: True)
        parts.worker.process.send(signal.SIGSTOP)
        try:
            destroying = asyncio.ensure_future(
                refused(owner.environment.DestroyEnvironment(CALLS["environment"]["DestroyEnvironment"]))
            )
            await first(watch, expect.status(lambda now: now.manager_state is ManagerState.DESTROYING_ENVIRONMENT))
            parts.manager.process.send(signal.SIGSTOP)
            await wait_until_serving(standby.address)
            adding = asyncio.ensure_future(refused(owner.queue.AddItem(CALLS["queue"]["AddItem"])))
            parts.manager.process.send(signal.SIGCONT)
            for refusal in await bounded(asyncio.gather(destroying, adding)):
                assert refusal.code is grpc.StatusCode.UNAVAILABLE
        finally:
            parts.manager.process.send(signal.SIGCONT)
            parts.worker.process.send(signal.SIGCONT)
        await wait_until_serving(standby.address, "Environment")
