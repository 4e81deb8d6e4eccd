from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import pytest
from queueserver_client import (
    AsyncClient,
    ConsoleWritten,
    EnvironmentState,
    EventKind,
    ExitStatus,
    FailureCause,
    ItemAdded,
    ManagerState,
    Plan,
    QueueStopped,
    QueueStopReason,
    Status,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first

#: What the requirement says, not how long we are willing to wait.
NOTICED_WITHIN = 1.0
Deadly = Callable[[Stack, AsyncClient], Awaitable[None]]


async def kill_environment(stack: Stack, _: AsyncClient) -> None:
    stack.kill("environment")


async def kill_worker(stack: Stack, _: AsyncClient) -> None:
    stack.kill_and_wait_for_restart("worker")


async def destroy(_: Stack, client: AsyncClient) -> None:
    await client.environment.destroy()


def is_gone(status: Status) -> bool:
    return status.manager_state is ManagerState.IDLE and not status.environment_exists


@pytest.mark.parametrize(
    ("happens", "cause", "phrase"),
    [
        (kill_environment, FailureCause.ENVIRONMENT_LOST, "SIGKILL"),
        (destroy, FailureCause.ENVIRONMENT_DESTROYED, "destroyed"),
        (kill_worker, FailureCause.WORKER_LOST, "Worker"),
    ],
)
async def test_a_plan_whose_executor_dies_is_failed_in_the_history_and_stands_at_the_head_again_and_the_queue_stops(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate, happens: Deadly, cause: FailureCause, phrase: str
) -> None:
    client = shared_client
    lost, waiting = await client.queue.add_batch([Plan("gated_run", gate.path, meta={"a": 1}), Plan("one_run")])
    async with client.watch([EventKind.STATUS, EventKind.QUEUE, EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
        await happens(shared_stack, client)
        stopped = await first(watch, expect.queue_stopped)
        assert isinstance(stopped, QueueStopped)
        assert stopped.reason is QueueStopReason.FAILURE
        await first(watch, expect.status(is_gone))
    (entry,) = [entry async for entry in client.history.list()]
    assert (entry.item.uid, entry.item.attempt, entry.result.exit_status) == (lost.uid, 1, ExitStatus.FAILED)
    assert entry.result.failure_cause is cause
    assert phrase in entry.result.message
    assert [run.exit_status for run in entry.result.runs] == [""]
    retry, other = [item async for item in client.queue.list()]
    assert (retry.retry_of_uid, retry.attempt, retry.uid) == (lost.uid, 2, entry.requeued_as_uid)
    assert (retry.name, retry.args, retry.meta) == ("gated_run", [gate.path], {"a": 1})
    assert (other.uid, other.attempt, other.retry_of_uid) == (waiting.uid, 1, "")


async def test_the_status_says_within_a_second_that_the_environment_was_killed(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate
) -> None:
    client = shared_client
    handle = await client.queue.add(Plan("gated_run", gate.path))
    async with client.watch([EventKind.STATUS, EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
        shared_stack.kill("environment")
        await first(watch, expect.status(lambda status: not status.environment_exists), within=NOTICED_WITHIN)
    await bounded(handle.result())
    environment = await client.environment.get()
    assert environment.state is EnvironmentState.CLOSED
    assert environment.failure is not None
    assert environment.failure.exit_code == -signal.SIGKILL
    assert "SIGKILL" in environment.failure.message


async def test_the_status_says_within_a_second_that_an_idle_environment_was_killed(
    shared_stack: Stack, shared_client: AsyncClient
) -> None:
    async with shared_client.watch([EventKind.STATUS]) as watch:
        await first(watch, lambda _: True)
        shared_stack.kill("environment")
        await first(watch, expect.status(lambda status: not status.environment_exists), within=NOTICED_WITHIN)
    assert (await shared_client.status()).items_in_history == 0


async def test_a_requeued_plan_runs_in_a_new_environment_and_its_attempts_are_linked(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate
) -> None:
    client = shared_client
    lost = await client.queue.add(Plan("gated_run", gate.path))
    async with client.watch([EventKind.QUEUE, EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
        shared_stack.kill("environment")
        added = await first(watch, lambda event: isinstance(event, ItemAdded))
        await first(watch, expect.queue_stopped)
        assert isinstance(added, ItemAdded)
        assert (added.index, added.item.retry_of_uid) == (0, lost.uid)
        await client.environment.open()
        gate.open()
        await client.queue.start()
        await first(watch, expect.queue_stopped)
    entries = [entry async for entry in client.history.list()]
    assert [entry.result.exit_status for entry in entries] == [ExitStatus.FAILED, ExitStatus.COMPLETED]
    assert [entry.item.attempt for entry in entries] == [1, 2]
    assert entries[0].requeued_as_uid == entries[1].item.uid


async def test_a_crash_inside_a_plan_tells_its_signal_and_its_last_words(
    shared_stack: Stack, shared_client: AsyncClient
) -> None:
    del shared_stack
    handle = await shared_client.queue.add(Plan("crash"))
    async with shared_client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda _: True)
        await shared_client.queue.start()
        said = await first(watch, lambda event: "goodbye" in str(event))
        assert isinstance(said, ConsoleWritten)
        assert "the C library says goodbye\n" in said.console.text
    entry = await bounded(handle.result())
    assert entry.result.failure_cause is FailureCause.ENVIRONMENT_LOST
    assert "SIGSEGV" in entry.result.message
    assert len(entry.result.runs) == 1
