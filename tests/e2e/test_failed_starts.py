"""Plans that never begin: the Worker executes something else, or the call does not fit the environment."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from queueserver.common.v1 import item_pb2
from queueserver.worker.v1.worker_service_pb2 import RunPlanRequest
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    EnvironmentState,
    ExitStatus,
    FailureCause,
    Item,
    ManagerState,
    Plan,
    QueueStopReason,
    RunEngineBusy,
    RunEngineState,
)

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import history, queue, run_to_its_end, until, until_state
from tests.harness.wait import bounded

MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "loop": {"loop": True},
    "ignore": {"ignore_failures": True},
    "both": {"loop": True, "ignore_failures": True},
}
#: A call that the Manager accepts and the environment can't make: only NumPy knows that this is no array of numbers.
UNFIT = Item("read_array", args=[["no number"]])


async def execute_foreign(parts: Parts, client: AsyncClient, **plan: Any) -> None:
    """Let the Worker execute something that is not of the queue."""
    item = ParseDict(plan, item_pb2.Item())
    epoch = (await client.status()).epoch
    async with grpc.aio.insecure_channel(parts.worker.address) as channel:
        worker: Any = WorkerServiceStub(channel)
        await worker.RunPlan(RunPlanRequest(epoch=epoch, execution_id=str(uuid.uuid4()), item=item))
    await until(client, lambda status: status.environment.state is EnvironmentState.EXECUTING_PLAN)


@contextlib.asynccontextmanager
async def busy_worker(parts: Parts, client: AsyncClient, gate: Gate) -> AsyncIterator[None]:
    """The RunEngine runs something that is not of the queue."""
    await execute_foreign(parts, client, name="stepping", args=[gate.path])
    await until(client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)
    yield
    gate.open()
    await until(client, lambda status: status.environment.state is EnvironmentState.IDLE)


@contextlib.asynccontextmanager
async def refusing_worker(parts: Parts, client: AsyncClient) -> AsyncIterator[None]:
    """The Worker was told to execute something else, and the environment, which is stopped, has not begun it.

    So nobody knows yet that the RunEngine will be busy, and only the Worker can refuse an item.
    """
    pid = (await client.environment.get()).pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await execute_foreign(parts, client, name="one_run")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(client, lambda status: status.environment.state is EnvironmentState.IDLE)


async def assert_failed_once(client: AsyncClient, uid: str, *, autostart: bool) -> str:
    """The item is in the history as never started, and the server idle; answers what it was put back as."""
    await until_state(client, ManagerState.IDLE)
    (entry,) = await history(client)
    assert (entry.item.uid, entry.result.exit_status) == (uid, ExitStatus.FAILED)
    assert (entry.result.failure_cause, entry.result.runs) == (FailureCause.NOT_STARTED, ())
    assert entry.result.start_time is None
    assert "not started" in entry.result.message
    assert (await client.status()).queue_autostart_enabled is autostart
    return entry.requeued_as_uid


@pytest.mark.parametrize("mode", MODES)
async def test_an_item_that_the_worker_refuses_stands_at_the_head_again_in_every_mode_and_the_queue_stops(
    parts: Parts, parts_client: AsyncClient, mode: str
) -> None:
    await parts_client.queue.set_mode(**MODES[mode])
    async with refusing_worker(parts, parts_client):
        handle, behind = await parts_client.queue.add_batch([Plan("one_run"), Plan("nothing")])
        assert await run_to_its_end(parts_client) is QueueStopReason.FAILURE
        requeued_as_uid = await assert_failed_once(parts_client, handle.uid, autostart=False)
        retry, waiting = await queue(parts_client)
        assert (retry.uid, retry.retry_of_uid, retry.attempt) == (requeued_as_uid, handle.uid, 2)
        assert waiting.uid == behind.uid
    await parts_client.queue.set_mode(reset=True)
    assert await run_to_its_end(parts_client) is QueueStopReason.EMPTY


async def test_an_item_that_the_worker_refuses_ends_autostart_so_it_is_not_tried_again_and_again(
    parts: Parts, parts_client: AsyncClient
) -> None:
    async with refusing_worker(parts, parts_client):
        await parts_client.queue.set_autostart(enabled=True)
        handle = await parts_client.queue.add(Plan("one_run"))
        await until(parts_client, lambda status: not status.queue_autostart_enabled)
        await assert_failed_once(parts_client, handle.uid, autostart=False)
    await assert_failed_once(parts_client, handle.uid, autostart=False)
    (retry,) = await queue(parts_client)
    assert (retry.attempt, retry.retry_of_uid) == (2, handle.uid)


@pytest.mark.parametrize(
    ("mode", "left", "autostart"),
    [("plain", "XST", False), ("loop", "XST", False), ("ignore", "T", False), ("both", "TXS", False)],
)
async def test_a_call_that_the_environment_can_not_make_counts_as_a_plan_that_failed_by_itself(
    shared_client: AsyncClient, mode: str, left: str, autostart: bool
) -> None:
    await shared_client.queue.set_mode(**MODES[mode])
    handle, *_ = await shared_client.queue.add_batch([UNFIT, Item.queue_stop(), Plan("nothing")])
    await run_to_its_end(shared_client)
    requeued_as_uid = await assert_failed_once(shared_client, handle.uid, autostart=autostart)
    items = await queue(shared_client)
    assert "".join({"queue_stop": "S", "nothing": "T"}.get(item.name, "X") for item in items) == left
    assert [item.uid for item in items if item.name == UNFIT.name] == ([requeued_as_uid] if requeued_as_uid else [])


async def test_a_busy_worker_gets_nothing_to_execute(parts: Parts, parts_client: AsyncClient, gate: Gate) -> None:
    async with busy_worker(parts, parts_client, gate):
        await parts_client.queue.add(Plan("one_run"))
        before = await parts_client.status()
        for call in (parts_client.queue.start, lambda: parts_client.queue.execute(Plan("nothing"))):
            with pytest.raises(RunEngineBusy):
                await call()
        kinds = [blocker.kind for blocker in await parts_client.explain_idle()]
        assert kinds == [BlockerKind.RUN_ENGINE_BUSY, BlockerKind.NOT_STARTED]
        after = await parts_client.status()
        assert (after.revision, after.manager_state) == (before.revision, ManagerState.IDLE)
    assert await run_to_its_end(parts_client) is QueueStopReason.EMPTY


async def test_autostart_starts_the_queue_when_a_busy_worker_is_free(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    async with busy_worker(parts, parts_client, gate):
        await parts_client.queue.set_autostart(enabled=True)
        handle = await parts_client.queue.add(Plan("one_run"))
    entry = await bounded(handle.result())
    assert (entry.result.exit_status, entry.item.attempt) == (ExitStatus.COMPLETED, 1)
    await until_state(parts_client, ManagerState.IDLE)
