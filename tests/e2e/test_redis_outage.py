from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from google.rpc.error_details_pb2 import RetryInfo
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_execution_pb2, queue_items_pb2
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    ConnectionState,
    EventKind,
    ExitStatus,
    ManagerState,
    Plan,
    ServiceUnavailable,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.health import serving, wait_until_serving
from tests.harness.parts import Parts
from tests.harness.progress import begun, until
from tests.harness.raw import connect, refused
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first

Outage = Callable[[Parts], AbstractContextManager[None]]
OUTAGES = pytest.mark.parametrize("outage", [Parts.redis_killed, Parts.redis_frozen], ids=["killed", "frozen"])


async def until_storage_is(client: AsyncClient, state: ConnectionState) -> None:
    async with client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(lambda status: status.storage is state))


@OUTAGES
async def test_edits_are_refused_with_a_hint_to_retry_while_redis_is_away_and_reads_go_on(
    parts: Parts, parts_client: AsyncClient, outage: Outage
) -> None:
    handles = await parts_client.queue.add_batch([Plan("one_run"), Plan("one_run")])
    revision = (await parts_client.status()).revision
    async with connect(parts.address) as stubs:
        with outage(parts):
            request = queue_items_pb2.AddItemRequest(item=item_pb2.ItemSpec(name="one_run"))
            for _ in range(3):
                refusal = await refused(bounded(stubs.queue.AddItem(request)))
                assert (refusal.code.name, refusal.reason) == ("UNAVAILABLE", "STORAGE_UNAVAILABLE")
                assert refusal.detail(RetryInfo).retry_delay.ToMilliseconds() == refusal.pushback == 1000
                assert "Redis" in refusal.message
            await until_storage_is(parts_client, ConnectionState.DOWN)
            assert [item.uid async for item in parts_client.queue.list()] == [handle.uid for handle in handles]
            assert [entry async for entry in parts_client.history.list()] == []
            status = await parts_client.status()
            assert (status.revision, status.items_in_queue) == (revision, 2)
            assert await serving(parts.address) == {
                "Status",
                "Inventory",
                "Planning",
                "Server",
                "Event",
                "Environment",
                "RunEngine",
            }
        await wait_until_serving(parts.address)
    assert [item.uid async for item in parts_client.queue.list()][:2] == [handle.uid for handle in handles]
    await parts_client.queue.add(Plan("one_run"))
    assert (await parts_client.status()).revision > revision


@OUTAGES
async def test_the_status_tells_that_redis_is_away_and_that_it_is_back_though_nobody_edits(
    parts: Parts, parts_client: AsyncClient, outage: Outage
) -> None:
    revision = (await parts_client.status()).revision
    with outage(parts):
        await until_storage_is(parts_client, ConnectionState.DOWN)
        async with connect(parts.address) as stubs:
            refusal = await refused(
                bounded(stubs.queue.AddItem(queue_items_pb2.AddItemRequest(item=item_pb2.ItemSpec(name="one_run"))))
            )
        assert (refusal.reason, "Nothing was changed" in refusal.message) == ("STORAGE_UNAVAILABLE", True)
    await until_storage_is(parts_client, ConnectionState.UP)
    assert (await parts_client.queue.add(Plan("one_run"))).revision == revision + 1


async def test_what_was_refused_while_redis_is_away_is_not_in_force_either(
    parts: Parts, parts_client: AsyncClient
) -> None:
    (handle,) = await parts_client.queue.add_batch([Plan("one_run")])
    before = await parts_client.status()
    async with connect(parts.address) as stubs:
        with parts.redis_killed():
            for call in (
                stubs.queue.SetQueueMode(queue_execution_pb2.SetQueueModeRequest(loop=True)),
                stubs.queue.SetAutostart(queue_execution_pb2.SetAutostartRequest(enabled=True)),
                stubs.queue.StartQueue(queue_execution_pb2.StartQueueRequest()),
                stubs.queue.ExecuteItem(queue_execution_pb2.ExecuteItemRequest(item=item_pb2.ItemSpec(name="one_run"))),
                stubs.queue.ClearQueue(queue_items_pb2.ClearQueueRequest(all=True)),
            ):
                refusal = await refused(bounded(call))
                assert refusal.reason == "STORAGE_UNAVAILABLE", refusal
            during = await parts_client.status()
        await wait_until_serving(parts.address)
    for status in (during, await parts_client.status()):
        assert (status.queue_mode, status.queue_autostart_enabled) == (before.queue_mode, False)
        assert (status.manager_state, status.items_in_queue, status.items_in_history) == (ManagerState.IDLE, 1, 0)
    assert (await handle.status()).index == 0


@OUTAGES
async def test_a_plan_that_ends_while_redis_is_away_is_in_the_history_once_when_it_is_back_and_the_queue_goes_on(
    parts: Parts, parts_client: AsyncClient, gate: Gate, outage: Outage
) -> None:
    handles = await parts_client.queue.add_batch([Plan("gated_run", gate.path), Plan("one_run")])
    async with parts_client.watch([EventKind.DOCUMENT, EventKind.STATUS]) as watch:
        await first(watch, lambda _: True)
        await parts_client.queue.start()
        await first(watch, expect.document("event"))
        with outage(parts):
            gate.open()
            await first(watch, expect.document("stop"))
            await first(watch, expect.status(lambda status: status.storage is ConnectionState.DOWN))
            assert (await parts_client.status()).running_item_uid == handles[0].uid
        for handle in handles:
            await bounded(handle.result())
        await first(watch, expect.status(lambda status: status.manager_state is ManagerState.IDLE))
    entries = [entry async for entry in parts_client.history.list()]
    assert [entry.item.uid for entry in entries] == [handle.uid for handle in handles]
    assert [entry.result.exit_status for entry in entries] == [ExitStatus.COMPLETED] * 2


async def test_a_manager_that_starts_without_redis_says_so_and_serves_when_it_comes(parts: Parts) -> None:
    async with AsyncClient(parts.address) as client:
        await client.queue.clear()
        parts.kill_manager()
        parts.redis.kill()
        try:
            parts.manager.restart()
            status = await bounded(client.status())
            assert (status.storage, status.manager_state) == (ConnectionState.DOWN, ManagerState.INITIALIZING)
            assert await serving(parts.address) == {"Status"}
            (blocker,) = await client.explain_idle()
            assert blocker.kind is BlockerKind.STORAGE_DOWN
            assert f"Redis at {parts.redis.url} can't be reached" in blocker.message
            with pytest.raises(ServiceUnavailable) as caught:
                await client.queue.clear()
            assert caught.value.reason in ("NOT_READY", "STORAGE_UNAVAILABLE")
            assert parts.redis.url in caught.value.message
        finally:
            parts.redis.start()
        await wait_until_serving(parts.address)
        assert (await client.status()).storage is ConnectionState.UP


async def test_the_embedded_redis_is_started_again_and_nothing_that_was_answered_is_lost(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate
) -> None:
    handles = list(await shared_client.queue.add_batch([Plan("gated_run", gate.path), Plan("one_run")]))
    await shared_client.queue.start()
    shared_stack.kill_and_wait_for_restart("redis")
    # The first edit may be the one that notices that the connection to the old Redis is gone.
    with contextlib.suppress(ServiceUnavailable):
        await shared_client.queue.stop()
    await until_storage_is(shared_client, ConnectionState.UP)
    await shared_client.queue.cancel_stop()
    handles.append(await shared_client.queue.add(Plan("one_run")))
    gate.open()
    for handle in handles:
        assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    assert [entry.item.uid async for entry in shared_client.history.list()] == [handle.uid for handle in handles]


async def test_an_unreachable_worker_is_told_and_the_queue_can_still_be_edited(
    parts: Parts, parts_client: AsyncClient
) -> None:
    parts.worker.process.kill()
    try:
        async with parts_client.watch([EventKind.STATUS]) as watch:
            await first(watch, expect.status(lambda status: status.worker is ConnectionState.DOWN), within=3.0)
        assert await serving(parts.address) == {
            *("", "Status", "Queue", "History", "Inventory", "Permission", "Lock", "Planning", "Server", "Event")
        }
        handle = await parts_client.queue.add(Plan("one_run"))
        for call in (parts_client.environment.open, parts_client.environment.destroy, parts_client.queue.start):
            with pytest.raises(ServiceUnavailable) as caught:
                await call()
            assert caught.value.reason == "WORKER_UNAVAILABLE"
    finally:
        parts.worker.restart()
    async with parts_client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(lambda status: status.worker is ConnectionState.UP))
    await parts_client.environment.open()
    await parts_client.queue.start()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED


async def test_a_worker_that_falls_silent_is_told_and_its_plan_goes_on_when_it_speaks_again(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await begun(parts_client, Plan("stepping", gate.path), Plan("one_run"))
    parts.worker.process.send(signal.SIGSTOP)
    try:
        await until(parts_client, lambda status: status.worker is ConnectionState.DOWN)
        status = await parts_client.status()
        assert (status.manager_state, status.running_item_uid) == (ManagerState.EXECUTING_QUEUE, handle.uid)
        gate.open()
    finally:
        parts.worker.process.send(signal.SIGCONT)
    for each in (handle, behind):
        assert (await bounded(each.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await parts_client.status()).worker is ConnectionState.UP
