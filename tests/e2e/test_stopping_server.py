"""StopServer: all of it ends with exit code 0, what was accepted is there afterwards, and "when idle" is kept to."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest
from queueserver.manager.v1 import error_details_pb2, event_service_pb2, status_pb2
from queueserver.manager.v1 import server_service_pb2 as pb
from queueserver_client import (
    AsyncClient,
    EventKind,
    ExitStatus,
    FailureCause,
    InvalidState,
    ManagerState,
    Plan,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.raw import connect, read_refusal, refused
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first

SECONDS = 45.0


def ended(stack: Stack) -> int:
    """Wait for the end of everything; answers the exit code."""
    pids = stack.pids()
    code = stack.supervisor.wait(SECONDS)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    return code


async def end_of(watch: Any) -> None:
    """Read a stream to its end. Raises AioRpcError."""
    while await watch.read() is not grpc.aio.EOF:
        pass


async def start_gated(client: AsyncClient, gate: Gate) -> str:
    """Let a plan run to the gate; answers the uid of its item."""
    item = await client.queue.add(Plan("gated_run", gate.path))
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
    return item.uid


async def assert_put_back(stack: Stack, uid: str) -> None:
    """After a new start the plan is in the history as failed and stands at the head of the queue again."""
    stack.start()
    async with AsyncClient(stack.address) as client:
        (entry,) = [entry async for entry in client.history.list()]
        assert (entry.item.uid, entry.result.exit_status) == (uid, ExitStatus.FAILED)
        assert entry.result.failure_cause is FailureCause.SHUTDOWN
        assert [run.exit_status for run in entry.result.runs] == ["abort"]
        head, *_ = [item.retry_of_uid async for item in client.queue.list()]
        assert head == uid


@pytest.mark.parametrize("with_environment", [False, True])
async def test_an_idle_server_ends_with_everything_and_keeps_its_queue(
    stack: Stack, client: AsyncClient, with_environment: bool
) -> None:
    await client.environment.open()
    if not with_environment:
        await client.environment.close()
    added = await client.queue.add_batch([Plan("one_run"), Plan("broken")])
    async with client.watch() as watch:
        await first(watch, lambda _: True)
        await bounded(client.server.stop("when_idle"), SECONDS)
        assert ended(stack) == 0
    assert "[E " not in stack.log()
    assert "stops the server, which is idle" in stack.log()
    assert "A client has stopped the server." in stack.log()
    stack.start()
    async with AsyncClient(stack.address) as newcomer:
        assert [item.uid async for item in newcomer.queue.list()] == [item.uid for item in added]


@pytest.mark.parametrize("paused", [False, True])
async def test_when_idle_is_refused_while_a_plan_runs_or_is_paused_and_at_once_puts_it_back(
    stack: Stack, client: AsyncClient, gate: Gate, paused: bool
) -> None:
    await client.environment.open()
    uid = await start_gated(client, gate)
    if paused:
        async with client.watch([EventKind.STATUS]) as watch:
            await client.run_engine.pause(immediate=True)
            await first(watch, expect.status(lambda status: status.manager_state is ManagerState.PAUSED))
    state = ManagerState.PAUSED if paused else ManagerState.EXECUTING_QUEUE
    with pytest.raises(InvalidState, match="or stop the server at once") as caught:
        await client.server.stop("when_idle")
    assert (caught.value.state, *caught.value.allowed_states) == (state, ManagerState.IDLE)
    assert (await client.status()).manager_state is state
    await bounded(client.server.stop("at_once"), SECONDS)
    assert ended(stack) == 0
    await assert_put_back(stack, uid)


async def test_a_task_in_the_background_keeps_an_idle_server_from_being_stopped(
    stack: Stack, client: AsyncClient, gate: Gate
) -> None:
    await client.environment.open()
    task = await client.tasks.execute_function("pass_gate", gate.path, run_in_background=True)
    async with client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(lambda status: status.environment.background_tasks == 1))
    with pytest.raises(InvalidState, match="while a task runs in the background"):
        await client.server.stop("when_idle")
    gate.open()
    await task.wait()
    await bounded(client.server.stop("when_idle"), SECONDS)
    assert ended(stack) == 0


async def test_two_stops_are_both_answered_and_watches_are_told_why_they_end(stack: Stack) -> None:
    async with connect(stack.address) as stubs:
        watch = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest())
        await bounded(watch.read())
        requests = [pb.StopServerRequest(mode=pb.STOP_MODE_AT_ONCE, request_id=str(uuid.uuid4())) for _ in "12"]
        answers = await asyncio.gather(*(stubs.server.StopServer(request) for request in requests))
        assert answers == [pb.StopServerResponse()] * 2
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await end_of(watch)
        assert read_refusal(caught.value).reason == "SERVER_STOPPING"
    assert ended(stack) == 0


async def test_a_repeated_stop_does_not_stop_the_server_that_was_started_again(stack: Stack) -> None:
    request = pb.StopServerRequest(mode=pb.STOP_MODE_WHEN_IDLE, request_id="once")
    async with connect(stack.address) as stubs:
        await stubs.server.StopServer(request)
    assert ended(stack) == 0
    stack.start()
    async with connect(stack.address) as stubs, AsyncClient(stack.address) as newcomer:
        assert await stubs.server.StopServer(request) == pb.StopServerResponse()
        await newcomer.environment.open()
        assert (await newcomer.status()).manager_state is ManagerState.IDLE


async def test_the_mode_must_be_said(stack: Stack, client: AsyncClient) -> None:
    async with connect(stack.address) as stubs:
        for mode in (pb.STOP_MODE_UNSPECIFIED, 17):
            refusal = await refused(stubs.server.StopServer(pb.StopServerRequest(mode=mode)))
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
            assert list(refusal.violations) == ["mode"]
    assert (await client.status()).manager_state is ManagerState.IDLE


async def test_a_manager_without_a_supervisor_ends_alone_and_the_next_one_finds_the_plan(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    uid = await start_gated(parts_client, gate)
    async with connect(parts.address) as stubs:
        refusal = await refused(stubs.server.StopServer(pb.StopServerRequest(mode=pb.STOP_MODE_WHEN_IDLE)))
        assert refusal.detail(error_details_pb2.InvalidState).state == status_pb2.MANAGER_STATE_EXECUTING_QUEUE
        await stubs.server.StopServer(pb.StopServerRequest(mode=pb.STOP_MODE_AT_ONCE))
    assert parts.manager.process.wait(SECONDS) == 0
    assert parts.worker.process.running
    parts.start_manager()
    async with AsyncClient(parts.address) as newcomer:
        assert (await newcomer.status()).running_item_uid == uid
        async with newcomer.watch([EventKind.QUEUE]) as watch:
            await first(watch, lambda _: True)
            gate.open()
            await first(watch, expect.queue_stopped)
        (entry,) = [entry async for entry in newcomer.history.list()]
        assert entry.result.exit_status is ExitStatus.COMPLETED


async def test_a_manager_that_never_reached_redis_can_be_stopped_at_once(parts: Parts) -> None:
    parts.kill_manager()
    parts.redis.kill()
    try:
        parts.manager.restart()
        async with connect(parts.address) as stubs:
            refusal = await refused(stubs.server.StopServer(pb.StopServerRequest(mode=pb.STOP_MODE_WHEN_IDLE)))
            assert refusal.reason == "NOT_READY"
            await stubs.server.StopServer(pb.StopServerRequest(mode=pb.STOP_MODE_AT_ONCE))
        assert parts.manager.process.wait(SECONDS) == 0
    finally:
        parts.redis.start()
        parts.start_manager()
