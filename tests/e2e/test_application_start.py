"""What outlives a process that is restarted alone, and ends when everything was started anew.

Whoever starts the whole application may not be looking: after a power failure nobody is. So nothing that makes motors
move by itself is left of the time before.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from queueserver_client import AsyncClient, BlockerKind, ConnectionState, ManagerState, Plan, QueueStopReason

from tests.e2e.conftest import open_and_empty
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, history, queue, run_to_its_end, until, until_state
from tests.harness.stack import Stack
from tests.harness.wait import bounded


async def restart_alone(parts: Parts, client: AsyncClient, part: str) -> None:
    if part == "manager":
        with parts.manager_killed():
            pass
        return
    parts.worker.process.kill()
    await until(client, lambda status: status.worker is ConnectionState.DOWN)
    parts.worker.restart()
    await until(client, lambda status: status.worker is ConnectionState.UP)


async def restart_both(parts: Parts) -> None:
    parts.kill_manager()
    parts.worker.process.kill()
    parts.worker.restart()
    parts.start_manager()


async def assert_waits_for_somebody(client: AsyncClient) -> None:
    """Autostart is off: an item that could be executed is not."""
    await until(client, lambda status: not status.queue_autostart_enabled)
    if not (await client.status()).environment_exists:
        await client.environment.open()
    await client.queue.add(Plan("nothing"))
    assert [blocker.kind for blocker in await client.explain_idle()] == [BlockerKind.NOT_STARTED]
    status = await client.status()
    assert (status.manager_state, status.items_in_queue, status.items_in_history) == (ManagerState.IDLE, 1, 0)


@pytest.mark.parametrize("restarted", [["manager"], ["worker"], ["worker", "manager"]], ids="-".join)
async def test_autostart_outlives_a_process_that_is_restarted_alone(
    parts: Parts, parts_client: AsyncClient, restarted: Sequence[str]
) -> None:
    await parts_client.queue.set_autostart(enabled=True)
    for part in restarted:
        await restart_alone(parts, parts_client, part)
    assert (await parts_client.status()).queue_autostart_enabled
    handle = await parts_client.queue.add(Plan("nothing"))
    if "worker" in restarted:
        await parts_client.environment.open(wait=False)
    await bounded(handle.result())
    await until_state(parts_client, ManagerState.IDLE)


async def test_autostart_is_off_when_manager_and_worker_were_both_started_anew(
    parts: Parts, parts_client: AsyncClient
) -> None:
    await parts_client.queue.set_autostart(enabled=True)
    await restart_both(parts)
    await assert_waits_for_somebody(parts_client)


@pytest.mark.parametrize("end", [Stack.stop, Stack.kill_all], ids=["Ctrl-C", "power failure"])
async def test_autostart_is_off_and_the_mode_as_it_was_after_an_application_start(
    shared_stack: Stack, end: object
) -> None:
    async with open_and_empty(shared_stack.address) as client:
        mode = await client.queue.set_mode(loop=True, interrupted="hold")
        await client.queue.set_autostart(enabled=True)
    assert callable(end)
    end(shared_stack)
    shared_stack.start()
    async with AsyncClient(shared_stack.address) as client:
        await assert_waits_for_somebody(client)
        assert (await client.status()).queue_mode == mode


async def test_a_pending_stop_outlives_a_kill_of_the_manager(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    await begun(parts_client, Plan("stepping", gate.path), Plan("nothing"))
    await parts_client.queue.stop()
    with parts.manager_killed():
        pass
    assert (await parts_client.status()).queue_stop_pending
    gate.open()
    await until_state(parts_client, ManagerState.IDLE)
    assert [item.name for item in await queue(parts_client)] == ["nothing"]
    assert not (await parts_client.status()).queue_stop_pending


async def test_a_pending_stop_is_forgotten_when_manager_and_worker_were_both_started_anew(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    await begun(parts_client, Plan("stepping", gate.path), Plan("nothing"))
    await parts_client.queue.stop()
    await restart_both(parts)
    await until_state(parts_client, ManagerState.IDLE)
    assert not (await parts_client.status()).queue_stop_pending
    await parts_client.environment.open()
    gate.open()
    assert await run_to_its_end(parts_client) is QueueStopReason.EMPTY
    assert [entry.item.name for entry in await history(parts_client)] == ["stepping", "stepping", "nothing"]
