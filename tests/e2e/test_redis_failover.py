"""Redis fails over while a plan runs and clients edit the queue: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from queueserver.manager.v1 import event_service_pb2
from queueserver_client import (
    AsyncClient,
    ConnectionState,
    ExitStatus,
    ManagerState,
    Plan,
    ServiceUnavailable,
)

from tests.e2e.conftest import STARTUP
from tests.harness.gate import Gate
from tests.harness.progress import begun, queue, until, until_state
from tests.harness.raw import connect, refused
from tests.harness.redis import RedisProcess
from tests.harness.redis_group import Sentinels, running_sentinels, synced
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.wait import bounded, first


@pytest.fixture
def worker(short_path: Path) -> Iterator[WorkerProcess]:
    process = WorkerProcess(short_path, STARTUP)
    try:
        yield process
    finally:
        process.close()


@pytest.fixture
def group(short_path: Path) -> Iterator[Sentinels]:
    with running_sentinels(short_path) as running:
        yield running


async def add_until(client: AsyncClient, over: asyncio.Event) -> list[str]:
    """Add items, one after another; returns the uids of those that were acknowledged."""
    acknowledged = []
    while not over.is_set():
        try:
            acknowledged.append((await client.queue.add(Plan("nothing"))).uid)
        except ServiceUnavailable:
            await until(client, lambda status: status.storage is ConnectionState.UP)
    return acknowledged


async def test_a_failover_amid_a_plan_loses_nothing_that_was_acknowledged(
    group: Sentinels, worker: WorkerProcess, gate: Gate
) -> None:
    manager = ManagerProcess(group.url, worker.address)
    try:
        async with AsyncClient(manager.address) as client:
            await client.environment.open()
            (handle,) = await begun(client, Plan("gated_run", gate.path))
            over = asyncio.Event()
            adding = asyncio.create_task(add_until(client, over))
            await asyncio.to_thread(group.kill_primary)
            await until(client, lambda status: status.storage is ConnectionState.UP)
            await client.queue.add(Plan("nothing"))
            await asyncio.to_thread(group.first.restart)
            await asyncio.to_thread(synced, group.first)
            over.set()
            acknowledged = await bounded(adding)
            await client.queue.stop()
            gate.open()
            assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
            await until_state(client, ManagerState.IDLE)
            stored = [item.uid for item in await queue(client)]
            assert [uid for uid in stored if uid in set(acknowledged)] == acknowledged
            assert len([entry async for entry in client.history.list()]) == 1
        assert "has lost changes" not in str(manager.process.output)
    finally:
        manager.close()


async def test_a_change_that_no_replica_confirms_is_not_acknowledged_until_one_does(
    group: Sentinels, worker: WorkerProcess
) -> None:
    manager = ManagerProcess(group.url, worker.address, "--redis-replicas", "2")
    try:
        async with AsyncClient(manager.address) as client:
            await client.environment.open()
            before = await client.queue.add(Plan("nothing"))
            group.replicas[1].process.kill()
            with pytest.raises(ServiceUnavailable, match="1 of 2 replicas have confirmed a change"):
                await client.queue.add(Plan("one_run"))
            assert (await client.status()).storage is ConnectionState.DOWN
            assert [item.uid for item in await queue(client)] == [before.uid]
            await asyncio.to_thread(group.replicas[1].restart)
            await until(client, lambda status: status.storage is ConnectionState.UP)
            # It had reached the primary, and is stored now.
            assert [item.name for item in await queue(client)] == ["nothing", "one_run"]
    finally:
        manager.close()


async def test_a_redis_that_comes_back_without_changes_is_noticed_and_nothing_starts_by_itself(
    redis_server: RedisProcess, worker: WorkerProcess, short_path: Path
) -> None:
    with ExitStack() as opened:
        manager = ManagerProcess(redis_server.url, worker.address)
        opened.callback(manager.close)
        async with AsyncClient(manager.address) as client:
            await client.environment.open()
            await client.environment.close()
            await client.queue.add(Plan("nothing"))
            await client.queue.set_autostart(enabled=True)
            shutil.copy(short_path / "appendonly.aof", short_path / "older")
            await client.queue.add(Plan("one_run"))
            async with client.watch() as watch:
                await first(watch, lambda _: True)
                token = watch.resume_token
            redis_server.kill()
            shutil.move(short_path / "older", short_path / "appendonly.aof")
            redis_server.start()
            manager.process.output.wait_for("Redis has lost changes: it is at revision")
            await until(
                client, lambda status: status.storage is ConnectionState.UP and not status.queue_autostart_enabled
            )
            assert [item.name for item in await queue(client)] == ["nothing"]
            for _ in range(5):
                await client.queue.add(Plan("nothing"))
        async with connect(manager.address) as stubs:
            call = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest(resume_token=token))
            assert (await refused(bounded(call.read()))).reason == "RESUME_TOKEN_EXPIRED"
