"""The whole server in containers: what is promised holds whatever happens to a container or a network."""

from __future__ import annotations

import asyncio

import pytest
from queueserver_client import (
    AsyncClient,
    ConnectionState,
    EventKind,
    ExitStatus,
    FailureCause,
    HistoryEntry,
    ItemHandle,
    Plan,
)

from tests.compose.engine import Deployment
from tests.compose.readiness import until_serving
from tests.harness import expect
from tests.harness.progress import begun, until
from tests.harness.wait import bounded

#: A plan takes some seconds, and a container some more to come back.
_SECONDS = 120.0
_CUT_SECONDS = 30.0


def lasting(seconds: int) -> Plan:
    return Plan("count", ["det1"], num=seconds, delay=1)


async def not_told(client: AsyncClient, unwanted: expect.Condition, seconds: float) -> None:
    """What must not happen is not told for some seconds."""
    async with client.watch([EventKind.HISTORY]) as watch:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(event async for event in watch if unwanted(event)), seconds)


async def only_entry(client: AsyncClient) -> HistoryEntry:
    (entry,) = [entry async for entry in client.history.list()]
    return entry


async def completed(client: AsyncClient, handle: ItemHandle) -> None:
    """Wait until a plan has completed; it is in the history once."""
    await bounded(handle.result(), _SECONDS)
    entry = await only_entry(client)
    assert entry.item.uid == handle.uid
    assert entry.result.exit_status is ExitStatus.COMPLETED
    (run,) = entry.result.runs
    assert run.exit_status == "success"


async def test_a_user_of_this_machine_runs_a_scan(deployment: Deployment, client: AsyncClient) -> None:
    scan = '{"name": "scan", "args": [["det"], "motor", -1, 1, 5]}'
    deployment.qserver("queue", "add", "plan", scan)
    told = deployment.qserver("queue", "start", "--wait")
    assert "1 plan completed" in " ".join(told.split())
    assert (await only_entry(client)).result.exit_status is ExitStatus.COMPLETED


async def test_the_containers_are_confined(deployment: Deployment, client: AsyncClient) -> None:
    del client
    for service in ("manager", "worker"):
        assert deployment.inside(service, "id", "-u").strip() == "10001"
        with pytest.raises(AssertionError, match="Read-only file system"):
            deployment.inside(service, "touch", "/opt/queueserver/file")
        assert "serving" in deployment.inside(
            *(service, "python", "-m", "queueserver_rpc.health_probe"),
            {"manager": "127.0.0.1:60630", "worker": "127.0.0.1:60640"}[service],
        )
    find = "import importlib.util as u; print([n for n in ('bluesky', 'ophyd', 'numpy') if u.find_spec(n)])"
    assert deployment.inside("manager", "python", "-c", find).strip() == "[]"
    reach = "import socket; socket.create_connection(('redis', 6379), 5)"
    deployment.inside("manager", "python", "-c", reach)
    with pytest.raises(AssertionError, match="gaierror"):
        deployment.inside("worker", "python", "-c", reach)


async def test_a_plan_whose_worker_is_killed_is_in_the_history_once_and_runs_again(
    deployment: Deployment, client: AsyncClient
) -> None:
    handles = await begun(client, lasting(1000))
    deployment.kill("worker")
    await until(client, lambda status: status.worker is ConnectionState.DOWN)
    deployment.start("worker")
    await until(client, lambda status: status.items_in_history == 1)
    lost = await only_entry(client)
    assert (lost.item.uid, lost.result.exit_status) == (handles[0].uid, ExitStatus.FAILED)
    assert lost.result.failure_cause is FailureCause.WORKER_LOST
    (again,) = [item async for item in client.queue.list()]
    await client.queue.update(again.uid, lasting(2))
    await until_serving(deployment.address, "Task")
    await client.environment.open()
    deployment.qserver("queue", "start", "--wait")
    newest = [entry async for entry in client.history.list()][-1]
    assert newest.result.exit_status is ExitStatus.COMPLETED


async def test_a_plan_continues_while_the_manager_is_killed(deployment: Deployment, client: AsyncClient) -> None:
    (handle, waiting) = await begun(client, lasting(15), Plan("count", ["det1"]))
    await client.queue.stop()
    deployment.kill("manager")
    deployment.start("manager")
    await until_serving(deployment.address, "Task")
    await completed(client, handle)
    assert [item.uid async for item in client.queue.list()] == [waiting.uid]


async def test_nothing_is_lost_when_redis_is_killed_and_when_it_is_restarted(
    deployment: Deployment, client: AsyncClient
) -> None:
    (handle, waiting) = await begun(client, lasting(15), Plan("count", ["det1"]))
    await client.queue.stop()
    deployment.kill("redis")
    await until(client, lambda status: status.storage is ConnectionState.DOWN)
    deployment.start("redis")
    await until(client, lambda status: status.storage is ConnectionState.UP)
    deployment.restart("redis")
    await completed(client, handle)
    assert [item.uid async for item in client.queue.list()] == [waiting.uid]


async def test_a_plan_is_unharmed_by_a_network_that_is_cut_for_half_a_minute(
    deployment: Deployment, client: AsyncClient
) -> None:
    (handle,) = await begun(client, lasting(40))
    deployment.disconnect("worker", "control")
    await until(client, lambda status: status.worker is ConnectionState.DOWN)
    await not_told(client, expect.in_history(handle.uid), _CUT_SECONDS)
    deployment.connect("worker", "control")
    await completed(client, handle)


async def test_the_queue_is_there_after_down_and_up(deployment: Deployment, client: AsyncClient) -> None:
    handles = await client.queue.add_batch([lasting(1), lasting(2)])
    deployment.down()
    deployment.up()
    await until_serving(deployment.address, "Task")
    async with AsyncClient(deployment.address) as again:
        assert [item.uid async for item in again.queue.list()] == [handle.uid for handle in handles]


async def test_a_plan_that_runs_when_the_containers_are_stopped_is_in_the_history_and_in_the_queue(
    deployment: Deployment, client: AsyncClient
) -> None:
    (handle,) = await begun(client, lasting(1000))
    deployment.down()
    deployment.up()
    await until_serving(deployment.address, "Task")
    async with AsyncClient(deployment.address) as again:
        entry = await only_entry(again)
        assert (entry.item.uid, entry.result.exit_status) == (handle.uid, ExitStatus.FAILED)
        assert entry.result.failure_cause is FailureCause.SHUTDOWN
        (attempt,) = [item async for item in again.queue.list()]
        assert attempt.name == "count"


async def test_services_start_in_any_order(deployment: Deployment, client: AsyncClient) -> None:
    del client
    for service in ("worker", "manager", "redis"):
        deployment.kill(service)
    deployment.start("manager")
    await until_serving(deployment.address, "Status")
    deployment.start("worker")
    deployment.start("redis")
    await until_serving(deployment.address, "Task")
