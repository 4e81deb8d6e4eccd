from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    EventKind,
    ExitStatus,
    Item,
    ManagerState,
    Plan,
    QueueStopReason,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, history, paused, queue, until, until_state
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first


async def completed(client: AsyncClient, plan: Item) -> None:
    """Add a plan and wait until it has been executed, by itself."""
    handle = await client.queue.add(plan)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED


async def until_off(client: AsyncClient) -> None:
    await until(client, lambda status: not status.queue_autostart_enabled)
    await until_state(client, ManagerState.IDLE)


async def test_the_queue_starts_when_an_item_is_added_and_stays_on_when_it_is_empty(shared_client: AsyncClient) -> None:
    await shared_client.queue.set_autostart(enabled=True)
    for _ in range(3):
        await completed(shared_client, Plan("one_run"))
        await until_state(shared_client, ManagerState.IDLE)
        assert (await shared_client.status()).queue_autostart_enabled is True
    kinds = [blocker.kind for blocker in await shared_client.explain_idle()]
    assert kinds == [BlockerKind.QUEUE_EMPTY]


async def test_the_queue_starts_when_autostart_is_enabled_and_enabling_it_again_changes_nothing(
    shared_client: AsyncClient,
) -> None:
    handle = await shared_client.queue.add(Plan("one_run"))
    await shared_client.queue.set_autostart(enabled=True)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)
    revision = (await shared_client.status()).revision
    await shared_client.queue.set_autostart(enabled=True)
    assert (await shared_client.status()).revision == revision


async def test_the_queue_starts_when_the_environment_is_open(shared_client: AsyncClient) -> None:
    await shared_client.environment.close()
    await shared_client.queue.set_autostart(enabled=True)
    handle = await shared_client.queue.add(Plan("one_run"))
    kinds = [blocker.kind for blocker in await shared_client.explain_idle()]
    assert kinds == [BlockerKind.ENVIRONMENT_CLOSED]
    await shared_client.environment.open(wait=False)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)
    assert (await shared_client.status()).queue_autostart_enabled is True


async def test_a_stop_ends_autostart_when_it_takes_effect_and_not_before(
    shared_client: AsyncClient, gate: Gate
) -> None:
    await begun(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    await shared_client.queue.set_autostart(enabled=True)
    await shared_client.queue.stop()
    assert (await shared_client.status()).queue_autostart_enabled is True
    gate.open()
    await until_off(shared_client)
    assert [item.name for item in await queue(shared_client)] == ["nothing"]


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ([Plan("broken"), Plan("nothing")], ["broken", "nothing"]),
        ([Plan("one_run"), Item.queue_stop(), Plan("nothing")], ["nothing"]),
        ([Item.queue_stop()], []),
    ],
)
async def test_a_failure_and_an_instruction_end_autostart(
    shared_client: AsyncClient, items: list[Item], left: list[str]
) -> None:
    await shared_client.queue.set_autostart(enabled=True)
    await shared_client.queue.add_batch(items)
    await until_off(shared_client)
    assert [item.name for item in await queue(shared_client)] == left


@pytest.mark.parametrize("verb", ["stop", "abort", "halt"])
async def test_a_plan_that_is_ended_by_somebody_ends_autostart(
    shared_client: AsyncClient, gate: Gate, verb: str
) -> None:
    await paused(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    await shared_client.queue.set_autostart(enabled=True)
    await getattr(shared_client.run_engine, verb)()
    await until_off(shared_client)
    assert len(await history(shared_client)) == 1


async def test_failures_that_are_ignored_do_not_end_autostart(shared_client: AsyncClient) -> None:
    await shared_client.queue.set_mode(ignore_failures=True)
    await shared_client.queue.set_autostart(enabled=True)
    await shared_client.queue.add(Plan("broken"))
    await completed(shared_client, Plan("one_run"))
    await until_state(shared_client, ManagerState.IDLE)
    assert (await shared_client.status()).queue_autostart_enabled is True


async def close(stack: Stack, client: AsyncClient) -> None:
    del stack
    await client.environment.close()


async def destroy(stack: Stack, client: AsyncClient) -> None:
    del stack
    await client.environment.destroy()


async def kill(stack: Stack, client: AsyncClient) -> None:
    stack.kill("environment")
    await until(client, lambda status: not status.environment_exists)


End = Callable[[Stack, AsyncClient], Awaitable[None]]


@pytest.mark.parametrize("end", [close, destroy, kill])
async def test_autostart_outlives_an_environment_that_ends_while_nothing_is_executed(
    shared_stack: Stack, shared_client: AsyncClient, end: End
) -> None:
    await shared_client.queue.set_autostart(enabled=True)
    await end(shared_stack, shared_client)
    handle = await shared_client.queue.add(Plan("one_run"))
    assert (await shared_client.status()).queue_autostart_enabled is True
    await shared_client.environment.open(wait=False)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)


@pytest.mark.parametrize("end", [destroy, kill])
async def test_an_environment_that_ends_under_a_plan_ends_autostart_so_the_plan_does_not_start_by_itself_again(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate, end: End
) -> None:
    handle, _ = await begun(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    await shared_client.queue.set_autostart(enabled=True)
    await end(shared_stack, shared_client)
    await bounded(handle.result())
    await until_off(shared_client)
    await shared_client.environment.open()
    status = await shared_client.status()
    assert (status.manager_state, status.items_in_queue) == (ManagerState.IDLE, 2)


async def test_disabling_it_lets_a_running_queue_go_on_to_its_end(shared_client: AsyncClient, gate: Gate) -> None:
    handles = await begun(shared_client, Plan("stepping", gate.path), Plan("one_run"))
    await shared_client.queue.set_autostart(enabled=True)
    await shared_client.queue.set_autostart(enabled=False)
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        gate.open()
        stopped = await first(watch, expect.queue_stopped)
    assert getattr(stopped, "reason", None) is QueueStopReason.EMPTY
    for handle in handles:
        assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    added = await shared_client.queue.add(Plan("one_run"))
    assert (await shared_client.status()).manager_state is ManagerState.IDLE
    assert (await added.status()).index == 0


async def test_autostart_and_the_mode_survive_a_kill_of_the_manager(parts: Parts, parts_client: AsyncClient) -> None:
    await parts_client.queue.set_autostart(enabled=True)
    mode = await parts_client.queue.set_mode(ignore_failures=True, interrupted="hold")
    with parts.manager_killed():
        pass
    status = await parts_client.status()
    assert (status.queue_autostart_enabled, status.queue_mode) == (True, mode)
    await parts_client.queue.add(Plan("broken"))
    await completed(parts_client, Plan("one_run"))
    await until_state(parts_client, ManagerState.IDLE)
    assert (await parts_client.status()).queue_autostart_enabled is True
