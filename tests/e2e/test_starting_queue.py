"""Between the claim of an item and the Worker's confirmation, and between a command and its effect.

These moments pass too fast to be met. Here the wire from Manager to Worker is held, so they last as long as the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from queueserver_client import (
    AsyncClient,
    EventKind,
    ExitStatus,
    ManagerState,
    Plan,
    QueueStopReason,
    RunEngineState,
)

from tests.e2e.conftest import STARTUP, open_and_empty
from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.progress import begun, history, queue, until_state
from tests.harness.wait import bounded, first
from tests.harness.wire import Wired, running_wired


@pytest.fixture(scope="module")
def wired() -> Iterator[Wired]:
    """Processes with a wire between Manager and Worker."""
    with running_wired(STARTUP) as running:
        yield running


@pytest.fixture
async def client(wired: Wired) -> AsyncIterator[AsyncClient]:
    """A client; everything is idle, open and empty when the test begins."""
    async with open_and_empty(wired.manager.address) as connected:
        yield connected


async def test_a_queue_that_starts_has_claimed_its_first_item_and_can_be_stopped(
    wired: Wired, client: AsyncClient
) -> None:
    handle, behind = await client.queue.add_batch([Plan("one_run"), Plan("nothing")])
    before = await client.status()
    with wired.wire.held():
        assert await client.queue.start() == handle.uid
        status = await client.status()
        assert (status.manager_state, status.running_item_uid) == (ManagerState.STARTING_QUEUE, handle.uid)
        assert (status.items_in_queue, status.items_in_history) == (1, 0)
        assert status.plan_queue_uid != before.plan_queue_uid
        assert list(await client.explain_idle()) == []
        await client.queue.stop()
        assert (await client.status()).queue_stop_pending
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(client, ManagerState.IDLE)
    assert [item.uid for item in await queue(client)] == [behind.uid]


async def test_a_plan_can_be_paused_before_the_worker_has_confirmed_it(
    wired: Wired, client: AsyncClient, gate: Gate
) -> None:
    handle = await client.queue.add(Plan("stepping", gate.path))
    with wired.wire.held():
        await client.queue.start()
        pausing = asyncio.create_task(client.run_engine.pause(immediate=True))
        assert (await client.status()).manager_state is ManagerState.STARTING_QUEUE
    await bounded(pausing)
    await until_state(client, ManagerState.PAUSED)
    assert (await client.status()).pause_pending is False
    await client.run_engine.resume()
    gate.open()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(client, ManagerState.IDLE)


async def test_a_plan_can_be_aborted_before_the_worker_has_confirmed_it(
    wired: Wired, client: AsyncClient, gate: Gate
) -> None:
    handle = await client.queue.add(Plan("stepping", gate.path))
    with wired.wire.held():
        await client.queue.start()
        aborting = asyncio.create_task(client.run_engine.abort_now())
        assert (await client.status()).manager_state is ManagerState.STARTING_QUEUE
    await bounded(aborting)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.ABORTED
    await until_state(client, ManagerState.IDLE)


@pytest.mark.parametrize("verb", ["resume", "stop", "abort", "halt"])
async def test_a_paused_plan_that_was_told_to_go_on_or_to_end_counts_as_executing_at_once(
    client: AsyncClient, gate: Gate, verb: str
) -> None:
    (handle,) = await begun(client, Plan("stepping", gate.path))
    await client.run_engine.pause(immediate=True)
    await until_state(client, ManagerState.PAUSED)
    states: list[ManagerState] = []
    async with client.watch([EventKind.STATUS]) as watch:
        await first(watch, lambda _: True)
        await getattr(client.run_engine, verb)()
        assert (await client.status()).manager_state is not ManagerState.PAUSED
        gate.open()
        last = expect.status(lambda status: states.append(status.manager_state) or status.items_in_history == 1)
        await first(watch, last)
    assert ManagerState.EXECUTING_QUEUE in states
    assert ManagerState.PAUSED not in states[states.index(ManagerState.EXECUTING_QUEUE) :]
    await bounded(handle.result())
    await until_state(client, ManagerState.IDLE)


async def test_a_plan_that_completes_while_a_destroy_is_on_its_way_has_completed_and_no_other_begins(
    wired: Wired, client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await begun(client, Plan("stepping", gate.path), Plan("nothing"))
    await client.queue.set_autostart(enabled=True)
    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        with wired.wire.held():
            destroying = asyncio.create_task(client.environment.destroy())
            await until_state(client, ManagerState.DESTROYING_ENVIRONMENT)
            gate.open()
            stopped = await first(watch, expect.queue_stopped)
    await bounded(destroying)
    assert getattr(stopped, "reason", None) is QueueStopReason.ENVIRONMENT
    (entry,) = await history(client)
    assert (entry.item.uid, entry.result.exit_status) == (handle.uid, ExitStatus.COMPLETED)
    assert [item.uid for item in await queue(client)] == [behind.uid]
    status = await client.status()
    assert (status.queue_autostart_enabled, status.environment_exists) == (False, False)
    assert status.environment.run_engine_state is RunEngineState.UNSPECIFIED
