"""A Redis that answers and takes no changes: what is wrong is told by its name, and no plan is touched by it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from google.rpc.error_details_pb2 import RetryInfo
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_client import AsyncClient, BlockerKind, ConnectionState, ExitStatus, ManagerState, Plan, StorageState

from tests.harness.full_disk import disk_full_for
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, history, until
from tests.harness.raw import connect, refused
from tests.harness.wait import bounded


@contextlib.contextmanager
def set_to(parts: Parts, name: str, bad: str, good: str) -> Iterator[None]:
    with parts.redis.connect() as store:
        store.config_set(name, bad)
        try:
            yield
        finally:
            store.config_set(name, good)


@contextlib.contextmanager
def replica(parts: Parts) -> Iterator[None]:
    with parts.redis.connect() as store:
        store.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            store.execute_command("REPLICAOF", "NO", "ONE")


@contextlib.contextmanager
def full_disk(parts: Parts) -> Iterator[None]:
    with parts.redis.connect() as store:
        store.config_set("appendfsync", "everysec")  # with which it goes on, and refuses
        with disk_full_for(parts.redis.pid):
            yield
        store.config_set("appendfsync", "always")


FAULTS: dict[str, tuple[Callable[[Parts], contextlib.AbstractContextManager[None]], StorageState, str]] = {
    "memory": (
        lambda parts: set_to(parts, "maxmemory", "1", "0"),
        StorageState.OUT_OF_MEMORY,
        "is out of memory (command not allowed when used memory > 'maxmemory'): raise its maxmemory",
    ),
    "replicas": (
        lambda parts: set_to(parts, "min-replicas-to-write", "1", "0"),
        StorageState.READ_ONLY,
        "is read-only (Not enough good replicas to write)",
    ),
    "replica": (replica, StorageState.READ_ONLY, "is read-only (You can't write against a read only replica)"),
    "disk": (full_disk, StorageState.DISK_FULL, "can't store changes, disk full (Errors writing to the AOF file: "),
}


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_redis_that_takes_no_changes_is_named_with_the_reason_and_the_plan_goes_on(
    parts: Parts, parts_client: AsyncClient, gate: Gate, kind: str
) -> None:
    fault, state, words = FAULTS[kind]
    handle, behind = await begun(parts_client, Plan("gated_run", gate.path), Plan("one_run"))
    with fault(parts):
        await until(parts_client, lambda status: status.redis_storage.state is state)
        told = (await parts_client.status()).redis_storage
        assert f"Redis at {parts.redis.url} {words}" in told.message
        assert told.start_time is not None
        async with connect(parts.address) as stubs:
            refusal = await refused(
                bounded(stubs.queue.AddItem(pb.AddItemRequest(item=item_pb2.ItemSpec(name="one_run"))))
            )
        assert (refusal.code.name, refusal.reason) == ("UNAVAILABLE", "STORAGE_UNAVAILABLE")
        assert refusal.detail(RetryInfo).retry_delay.ToMilliseconds() == refusal.pushback == 1000
        assert refusal.message == f"{told.message} Nothing was changed: try again when Redis is back."
        blocker, *_ = await parts_client.explain_idle()
        assert (blocker.kind, blocker.message) == (BlockerKind.STORAGE_DOWN, told.message)
        assert [item.uid async for item in parts_client.queue.list()] == [behind.uid]
        gate.open()
    for each in (handle, behind):
        assert (await bounded(each.result())).result.exit_status is ExitStatus.COMPLETED
    assert [entry.item.uid for entry in await history(parts_client)] == [handle.uid, behind.uid]
    assert (await parts_client.status()).redis_storage.state is StorageState.OK


async def test_a_manager_that_starts_with_a_redis_that_takes_no_changes_says_so_and_serves_when_it_does(
    parts: Parts, parts_client: AsyncClient
) -> None:
    await parts_client.queue.add(Plan("one_run"))
    parts.kill_manager()
    with set_to(parts, "maxmemory", "1", "0"):
        parts.manager.restart()
        await until_starts(parts, "out of memory")
    async with AsyncClient(parts.address) as client:
        await until(client, lambda status: status.manager_state is ManagerState.IDLE)
        assert (await client.status()).items_in_queue == 1


async def until_starts(parts: Parts, words: str) -> None:
    """What a Manager that has no term says: in the status, to who asks why, and to who asks for something."""
    async with connect(parts.address) as stubs, AsyncClient(parts.address) as client:
        status = await bounded(client.status())
        assert (status.storage, status.manager_state) == (ConnectionState.DOWN, ManagerState.INITIALIZING)
        assert words in status.redis_storage.message
        blocker, *_ = await client.explain_idle()
        assert (blocker.kind, blocker.message) == (BlockerKind.STORAGE_DOWN, status.redis_storage.message)
        refusal = await refused(bounded(stubs.queue.ClearQueue(pb.ClearQueueRequest(all=True))))
        assert (refusal.code.name, refusal.reason) == ("UNAVAILABLE", "NOT_READY")
        assert refusal.message == f"The Manager is not ready yet. {status.redis_storage.message}"
        assert parts.redis.url in refusal.message


async def test_a_refused_commit_is_known_to_have_changed_nothing(parts: Parts, parts_client: AsyncClient) -> None:
    async with connect(parts.address) as stubs:
        with set_to(parts, "maxmemory", "1", "0"):
            refusal = await refused(
                bounded(stubs.queue.AddItem(pb.AddItemRequest(item=item_pb2.ItemSpec(name="one_run"))))
            )
            assert "out of memory" in refusal.message
            assert "Nothing was changed" in refusal.message
    await until(parts_client, lambda status: status.storage is ConnectionState.UP)
    assert (await parts_client.status()).items_in_queue == 0
