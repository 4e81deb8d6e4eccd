"""A disk that is full, for however long: the plan that runs goes on, and its outcome is stored afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    ConnectionState,
    EventKind,
    ExitStatus,
    ManagerState,
    Plan,
    ServiceUnavailable,
    StorageState,
)
from queueserver_standalone.embedded_redis.disk import NEEDED_BYTES

from tests.e2e.conftest import STARTUP
from tests.harness import expect
from tests.harness.full_disk import disk_full_for
from tests.harness.gate import Gate
from tests.harness.process import TestProcess
from tests.harness.progress import begun, history, until
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack, running_stack
from tests.harness.wait import bounded, first


async def test_a_full_disk_touches_no_plan_and_its_outcome_is_written_when_there_is_room(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await begun(shared_client, Plan("gated_run", gate.path), Plan("one_run"))
    seen = len(shared_stack.supervisor.output.lines())
    async with shared_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        with disk_full_for(shared_stack.supervisor.pid, shared_stack.pid("redis"), shared_stack.pid("worker")):
            shared_stack.supervisor.output.wait_for("disk full", after=seen)
            await until(shared_client, lambda status: status.storage is ConnectionState.DOWN)
            status = await shared_client.status()
            assert (status.manager_state, status.running_item_uid) == (ManagerState.EXECUTING_QUEUE, handle.uid)
            await until(shared_client, lambda status: status.redis_storage.state is StorageState.DISK_FULL)
            await disk_full_is_told(shared_client)
            gate.open()
            await first(watch, expect.document("stop"))
            await until(shared_client, lambda status: status.worker_storage.state is StorageState.DISK_FULL)
            assert (await shared_client.status()).running_item_uid == handle.uid
            (warning,) = (await shared_client.explain_idle()).warnings
            assert "The Worker can't write to " in warning
            assert "disk full" in warning
        shared_stack.supervisor.output.wait_for("Redis runs again", after=seen)
    await until(shared_client, lambda status: status.redis_storage.state is StorageState.OK)
    await until(shared_client, lambda status: status.worker_storage.state is StorageState.OK)
    for each in (handle, behind):
        assert (await bounded(each.result())).result.exit_status is ExitStatus.COMPLETED
    entries = await history(shared_client)
    assert [(entry.item.uid, len(entry.result.runs)) for entry in entries] == [(handle.uid, 1), (behind.uid, 1)]


async def test_data_that_redis_can_not_read_touch_no_plan_and_what_redis_says_is_told_until_they_are_mended(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await begun(shared_client, Plan("gated_run", gate.path), Plan("one_run"))
    seen = len(shared_stack.supervisor.output.lines())
    damaged = shared_stack.data_directory / "redis" / "appendonly.aof"
    kept = damaged.with_suffix(".kept")
    damaged.rename(kept)
    damaged.write_bytes(b"no commands of Redis\r\n")
    shared_stack.kill("redis")
    await until(shared_client, lambda status: status.redis_storage.state is StorageState.NOT_STARTING)
    message = (await shared_client.status()).redis_storage.message
    assert "Redis could not start (Bad file format reading the append only file" in message
    assert str(shared_stack.data_directory / "redis.log") in message
    gate.open()
    kept.replace(damaged)
    shared_stack.supervisor.output.wait_for("Redis runs again", after=seen)
    for each in (handle, behind):
        assert (await bounded(each.result())).result.exit_status is ExitStatus.COMPLETED


async def disk_full_is_told(client: AsyncClient) -> None:
    """By the status, to who asks why, and to who wants something changed: with how much room there has to be."""
    told = (await client.status()).redis_storage
    assert "disk full" in told.message
    needed = f"{NEEDED_BYTES / 2**20} MB or more are needed"
    assert needed in told.message
    assert told.needed_bytes == NEEDED_BYTES
    assert told.free_bytes is not None
    blocker, *_ = await client.explain_idle()
    assert blocker.kind is BlockerKind.STORAGE_DOWN
    with pytest.raises(ServiceUnavailable) as caught:
        await client.queue.clear()
    for sentence in (blocker.message, caught.value.message):
        assert "Redis can't run, disk full: " in sentence
        assert needed in sentence


async def test_a_disk_that_is_almost_full_is_told_of_before_it_is_full() -> None:
    with running_stack("--free-space-warning", "999999999", startup=STARTUP) as stack:
        stack.supervisor.output.wait_for("The disk of Redis is almost full")
        async with AsyncClient(stack.address) as client:
            await until(client, lambda status: status.redis_storage.state is StorageState.SPACE_LOW)
            status = await client.status()
            assert status.storage is ConnectionState.UP
            assert (status.redis_storage.free_bytes or 0) > 0
            await client.queue.clear()
            assert list((await client.explain_idle()).warnings) == [status.redis_storage.message]
            # Another Manager gets to know it, too.
            stack.kill_and_wait_for_restart("manager")
            await until(client, lambda status: status.redis_storage.state is StorageState.SPACE_LOW)


def test_a_server_does_not_start_on_a_full_disk_and_says_so(tmp_path: Path) -> None:
    command: list[str | Path] = [COMMANDS / "start-re-manager", "--listen", "127.0.0.1:0", "--data-dir", tmp_path]
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *map(str, command)]
    process = TestProcess("start-re-manager", limited, announces=False)
    assert process.wait() == 1
    process.output.wait_until_ended()
    assert "Redis can't run, disk full: " in str(process.output)
    assert "Traceback" not in str(process.output)
