from __future__ import annotations

import pytest
from queueserver_client import (
    After,
    AsyncClient,
    Before,
    EventKind,
    ExitStatus,
    FailureCause,
    InvalidState,
    Item,
    ItemRunning,
    ManagerState,
    Plan,
    QueueRunning,
    QueueStopped,
    QueueStopReason,
    Status,
    StatusChanged,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.progress import begun
from tests.harness.wait import bounded, first

BUSY = (ManagerState.STARTING_QUEUE, ManagerState.EXECUTING_QUEUE)


async def run_to_its_end(client: AsyncClient) -> QueueStopReason:
    """Start the queue and wait until it stops; answers why."""
    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        stopped = await first(watch, expect.queue_stopped)
    assert isinstance(stopped, QueueStopped)
    return stopped.reason


async def test_no_watcher_ever_sees_the_manager_idle_between_two_plans(shared_client: AsyncClient) -> None:
    await shared_client.queue.add_batch([Plan("nothing")] * 20)
    seen: list[Status] = []
    async with shared_client.watch([EventKind.STATUS]) as watch:
        await first(watch, lambda _: True)
        await shared_client.queue.start()

        def is_last(event: object) -> bool:
            assert isinstance(event, StatusChanged)
            seen.append(event.status)
            return event.status.items_in_history == 20

        await first(watch, is_last)
    states = [status.manager_state for status in seen]
    begin = next(index for index, state in enumerate(states) if state in BUSY)
    last = max(index for index, state in enumerate(states) if state in BUSY)
    assert set(states[begin : last + 1]) <= set(BUSY)
    assert states[-1] is ManagerState.IDLE
    # STARTING is only before the first plan.
    assert ManagerState.STARTING_QUEUE not in states[states.index(ManagerState.EXECUTING_QUEUE) :]


async def test_an_empty_queue_can_be_started_and_nothing_runs(shared_client: AsyncClient) -> None:
    before = await shared_client.status()
    assert await shared_client.queue.start() is None
    after = await shared_client.status()
    assert (after.manager_state, after.revision) == (ManagerState.IDLE, before.revision)


async def test_a_running_queue_refuses_what_needs_it_idle_and_says_which_states_it_needs(
    shared_client: AsyncClient, gate: Gate
) -> None:
    handle = await shared_client.queue.add(Plan("gated_run", gate.path))
    await shared_client.queue.start()
    async with shared_client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(lambda status: status.manager_state is ManagerState.EXECUTING_QUEUE))
    for call, kind, told in (
        (shared_client.queue.start, QueueRunning, "running already"),
        (shared_client.environment.close, InvalidState, "stop the queue and wait until the plan has ended"),
    ):
        with pytest.raises(InvalidState, match=told) as caught:
            await call()
        assert type(caught.value) is kind
        assert (caught.value.state, list(caught.value.allowed_states)) == (
            ManagerState.EXECUTING_QUEUE,
            [ManagerState.IDLE],
        )
    for refused in (handle.remove, lambda: handle.move("front")):
        with pytest.raises(ItemRunning):
            await refused()
    found = await shared_client.queue.get(handle.uid)
    assert (found.item.uid, found.index) == (handle.uid, None)
    gate.open()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED


async def test_an_item_placed_behind_the_running_one_is_the_next(shared_client: AsyncClient, gate: Gate) -> None:
    running = await shared_client.queue.add(Plan("gated_run", gate.path))
    await shared_client.queue.add(Plan("one_run"))
    await shared_client.queue.start()
    added = await shared_client.queue.add(Plan("nothing"), position=After(running.uid))
    assert added.index == 0
    before = await shared_client.status()
    for refused in (
        shared_client.queue.add(Plan("nothing"), position=Before(running.uid)),
        shared_client.queue.add_batch([Plan("nothing")], position=Before(running.uid)),
        added.move(Before(running.uid)),
        added.move(After(running.uid)),
    ):
        with pytest.raises(ItemRunning):
            await refused
    assert (await shared_client.status()).revision == before.revision
    batch = await shared_client.queue.add_batch([Plan("nothing")] * 2, position=After(running.uid))
    assert [handle.index for handle in batch] == [0, 1]
    gate.open()
    await bounded(added.result())
    names = [entry.item.name async for entry in shared_client.history.list()]
    assert names[:4] == ["gated_run", "nothing", "nothing", "nothing"]
    await bounded(_until_idle(shared_client))


async def _until_idle(client: AsyncClient) -> None:
    async with client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(lambda status: status.manager_state is ManagerState.IDLE))


async def test_a_stop_lets_the_running_plan_end_and_starts_no_other(shared_client: AsyncClient, gate: Gate) -> None:
    first_one, second = await shared_client.queue.add_batch([Plan("gated_run", gate.path), Plan("nothing")])
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await shared_client.queue.start()
        await shared_client.queue.stop()
        revision = (await shared_client.status()).revision
        await shared_client.queue.stop()
        status = await shared_client.status()
        assert (status.queue_stop_pending, status.revision) == (True, revision)
        gate.open()
        stopped = await first(watch, expect.queue_stopped)
    assert isinstance(stopped, QueueStopped)
    assert stopped.reason is QueueStopReason.REQUESTED
    status = await shared_client.status()
    assert (status.queue_stop_pending, status.items_in_queue, status.items_in_history) == (False, 1, 1)
    assert (await bounded(first_one.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await shared_client.queue.get("front")).item.uid == second.uid
    # The stop concerned that queue, not the one that is started now.
    assert await run_to_its_end(shared_client) is QueueStopReason.EMPTY


async def test_a_stop_that_was_taken_back_stops_nothing(shared_client: AsyncClient, gate: Gate) -> None:
    handles = await shared_client.queue.add_batch([Plan("gated_run", gate.path), Plan("nothing")])
    await shared_client.queue.start()
    await shared_client.queue.stop()
    await shared_client.queue.cancel_stop()
    assert (await shared_client.status()).queue_stop_pending is False
    await shared_client.queue.cancel_stop()
    gate.open()
    assert (await bounded(handles[1].result())).result.exit_status is ExitStatus.COMPLETED
    await bounded(_until_idle(shared_client))


async def test_the_queue_stops_at_a_stop_instruction_and_the_instruction_is_gone(shared_client: AsyncClient) -> None:
    items = [Plan("nothing"), Item.queue_stop(), Plan("one_run")]
    handles = await shared_client.queue.add_batch(items)
    assert await run_to_its_end(shared_client) is QueueStopReason.INSTRUCTION
    assert [item.uid async for item in shared_client.queue.list()] == [handles[2].uid]
    assert [entry.item.uid async for entry in shared_client.history.list()] == [handles[0].uid]
    assert await run_to_its_end(shared_client) is QueueStopReason.EMPTY


async def test_a_stop_instruction_at_the_head_is_obeyed_and_nothing_runs(shared_client: AsyncClient) -> None:
    await shared_client.queue.add_batch([Item.queue_stop(), Plan("one_run")])
    assert await run_to_its_end(shared_client) is QueueStopReason.INSTRUCTION
    status = await shared_client.status()
    assert (status.items_in_queue, status.items_in_history) == (1, 0)


async def test_a_plan_that_raises_stops_the_queue_and_stands_at_the_head_again(shared_client: AsyncClient) -> None:
    failing, other = await shared_client.queue.add_batch([Plan("broken"), Plan("nothing")])
    assert await run_to_its_end(shared_client) is QueueStopReason.FAILURE
    (entry,) = [entry async for entry in shared_client.history.list()]
    result = entry.result
    assert (result.exit_status, result.failure_cause) == (ExitStatus.FAILED, FailureCause.PLAN_ERROR)
    assert "the shutter is stuck" in result.message
    assert "plans.py" in result.traceback
    assert [run.exit_status for run in result.runs] == ["fail"]
    retry, waiting = [item async for item in shared_client.queue.list()]
    assert (retry.retry_of_uid, retry.attempt, waiting.uid) == (failing.uid, 2, other.uid)
    assert entry.requeued_as_uid == retry.uid


async def test_a_listing_shows_the_queue_the_running_item_and_the_marker_of_one_moment(
    shared_client: AsyncClient, gate: Gate
) -> None:
    empty = await shared_client.queue.page()
    assert (empty.items, empty.queue_size, empty.running_item, empty.next_page_token) == ((), 0, None, "")
    running, *waiting = await begun(shared_client, Plan("stepping", gate.path), *[Plan("nothing")] * 2)
    page = await shared_client.queue.page()
    status = await shared_client.status()
    assert page.running_item is not None
    assert page.running_item.item.uid == running.uid
    assert [item.uid for item in page.items] == [handle.uid for handle in waiting]
    assert (page.revision, page.plan_queue_uid) == (status.revision, status.plan_queue_uid)
    assert empty.plan_queue_uid != page.plan_queue_uid
    gate.open()
    await bounded(waiting[-1].result())
    await bounded(_until_idle(shared_client))


async def test_a_plan_that_fails_after_the_queue_was_cleared_is_put_back_all_the_same(
    shared_client: AsyncClient, gate: Gate
) -> None:
    running, *_ = await begun(shared_client, Plan("stepping", gate.path), *[Plan("nothing")] * 2)
    assert await shared_client.queue.clear() == 2
    assert (await shared_client.status()).running_item_uid == running.uid
    await shared_client.run_engine.abort_now()
    await bounded(running.result())
    await bounded(_until_idle(shared_client))
    assert [item.retry_of_uid async for item in shared_client.queue.list()] == [running.uid]
