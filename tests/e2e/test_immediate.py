from __future__ import annotations

from typing import Any

import pytest
from queueserver_client import (
    AsyncClient,
    EnvironmentClosed,
    EventKind,
    ExitStatus,
    InvalidState,
    Item,
    ItemHandle,
    ItemNotFound,
    ManagerState,
    Plan,
    PlanNotFound,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.progress import history, queue, until_state
from tests.harness.wait import bounded, first


async def executing(client: AsyncClient, plan: Item) -> ItemHandle:
    """Execute a plan now and wait until it has opened a run."""
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        handle = await client.queue.execute(plan)
        await first(watch, expect.document("start"))
    return handle


@pytest.mark.parametrize("mode", [{}, {"loop": True}, {"loop": True, "ignore_failures": True}])
@pytest.mark.parametrize(("name", "status"), [("one_run", ExitStatus.COMPLETED), ("broken", ExitStatus.FAILED)])
async def test_an_item_that_is_executed_now_is_never_in_the_queue_and_the_queue_does_not_start(
    shared_client: AsyncClient, mode: dict[str, Any], name: str, status: ExitStatus
) -> None:
    await shared_client.queue.set_mode(**mode)
    waiting = [handle.uid for handle in await shared_client.queue.add_batch([Plan("nothing")] * 2)]
    handle = await shared_client.queue.execute(Plan(name))
    assert (handle.index, handle.queue_size) == (None, 2)
    assert [item.uid for item in await queue(shared_client)] == waiting
    entry = await bounded(handle.result())
    assert (entry.item.uid, entry.result.exit_status, entry.requeued_as_uid) == (handle.uid, status, "")
    await until_state(shared_client, ManagerState.IDLE)
    assert [item.uid for item in await queue(shared_client)] == waiting
    assert [line.item.uid for line in await history(shared_client)] == [handle.uid]


async def test_an_item_that_is_executed_now_shows_as_such_while_it_runs_and_everything_else_is_refused(
    shared_client: AsyncClient, gate: Gate
) -> None:
    handle = await executing(shared_client, Plan("stepping", gate.path))
    page = await shared_client.queue.page()
    assert page.running_item is not None
    assert (page.running_item.item.uid, page.running_item.immediate, page.items) == (handle.uid, True, ())
    before = await shared_client.status()
    for call in (
        shared_client.queue.execute(Plan("nothing")),
        shared_client.queue.start(),
        shared_client.environment.close(),
    ):
        with pytest.raises(InvalidState) as caught:
            await call
        assert (caught.value.state, list(caught.value.allowed_states)) == (
            ManagerState.EXECUTING_QUEUE,
            [ManagerState.IDLE],
        )
    assert (await shared_client.status()).revision == before.revision
    gate.open()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)


@pytest.mark.parametrize("verb", ["stop", "abort", "halt"])
async def test_an_item_that_is_executed_now_and_ended_is_not_put_back_and_ends_autostart(
    shared_client: AsyncClient, gate: Gate, verb: str
) -> None:
    await shared_client.queue.set_mode(loop=True)
    handle = await executing(shared_client, Plan("stepping", gate.path))
    await shared_client.queue.set_autostart(enabled=True)
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    await getattr(shared_client.run_engine, verb)()
    assert (await bounded(handle.result())).requeued_as_uid == ""
    await until_state(shared_client, ManagerState.IDLE)
    status = await shared_client.status()
    assert (status.items_in_queue, status.queue_autostart_enabled) == (0, False)


@pytest.mark.parametrize("ignoring", [False, True])
async def test_a_failure_of_an_item_that_is_executed_now_ends_autostart_unless_failures_are_ignored(
    shared_client: AsyncClient, ignoring: bool
) -> None:
    await shared_client.queue.set_mode(ignore_failures=ignoring)
    await shared_client.queue.set_autostart(enabled=True)
    handle = await shared_client.queue.execute(Plan("broken"))
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.FAILED
    await until_state(shared_client, ManagerState.IDLE)
    status = await shared_client.status()
    assert (status.items_in_queue, status.queue_autostart_enabled) == (0, ignoring)


async def test_with_autostart_the_queue_starts_after_an_item_that_was_executed_now(
    shared_client: AsyncClient, gate: Gate
) -> None:
    handle = await executing(shared_client, Plan("stepping", gate.path))
    await shared_client.queue.set_autostart(enabled=True)
    waiting = await shared_client.queue.add(Plan("one_run"))
    gate.open()
    assert (await bounded(waiting.result())).result.exit_status is ExitStatus.COMPLETED
    assert [entry.item.uid for entry in await history(shared_client)] == [handle.uid, waiting.uid]
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_stop_instruction_that_is_executed_now_does_nothing_but_end_autostart(
    shared_client: AsyncClient,
) -> None:
    await shared_client.queue.set_autostart(enabled=True)
    await shared_client.queue.execute(Item.queue_stop())
    status = await shared_client.status()
    assert (status.queue_autostart_enabled, status.queue_stop_pending) == (False, False)
    assert (status.manager_state, status.items_in_queue, status.items_in_history) == (ManagerState.IDLE, 0, 0)


async def test_an_item_that_is_only_validated_is_not_executed(shared_client: AsyncClient) -> None:
    before = await shared_client.status()
    handle = await shared_client.queue.execute(Plan("one_run"), validate_only=True)
    with pytest.raises(PlanNotFound):
        await shared_client.queue.execute(Plan("no_such_plan"), validate_only=True)
    with pytest.raises(PlanNotFound):
        await shared_client.queue.execute(Plan("no_such_plan"))
    after = await shared_client.status()
    assert (after.revision, after.manager_state) == (before.revision, ManagerState.IDLE)
    if handle.uid:
        with pytest.raises(ItemNotFound):
            await handle.status()


async def test_an_item_that_is_executed_now_moves_the_marker_of_the_queue_when_it_begins_and_when_it_ends(
    shared_client: AsyncClient, gate: Gate
) -> None:
    markers = [(await shared_client.status()).plan_queue_uid]
    handle = await executing(shared_client, Plan("stepping", gate.path))
    markers.append((await shared_client.status()).plan_queue_uid)
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)
    markers.append((await shared_client.status()).plan_queue_uid)
    assert len(set(markers)) == 3


async def test_a_stop_during_an_item_that_is_executed_now_keeps_autostart_from_starting_the_queue_after_it(
    shared_client: AsyncClient, gate: Gate
) -> None:
    handle = await executing(shared_client, Plan("stepping", gate.path))
    waiting = await shared_client.queue.add(Plan("nothing"))
    await shared_client.queue.set_autostart(enabled=True)
    await shared_client.queue.stop()
    gate.open()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)
    status = await shared_client.status()
    assert (status.queue_stop_pending, status.queue_autostart_enabled) == (False, False)
    assert [item.uid for item in await queue(shared_client)] == [waiting.uid]


async def test_nothing_can_be_executed_without_an_environment(shared_client: AsyncClient) -> None:
    await shared_client.environment.close()
    try:
        before = await shared_client.status()
        # What is wrong with the item is told first: it would be wrong with an environment too.
        with pytest.raises(PlanNotFound):
            await shared_client.queue.execute(Plan("no_such_plan"))
        with pytest.raises(EnvironmentClosed):
            await shared_client.queue.execute(Plan("one_run"))
        assert (await shared_client.status()).revision == before.revision
        assert await history(shared_client) == []
    finally:
        await shared_client.environment.open()
