from __future__ import annotations

from queueserver_client import AsyncClient, EventKind, ExitStatus, FailureCause, ManagerState, Plan

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first


async def test_ctrl_c_with_a_running_plan_stops_cleanly_and_the_plan_can_be_started_again(
    stack: Stack, client: AsyncClient, gate: Gate
) -> None:
    await client.environment.open()
    running, waiting = await client.queue.add_batch([Plan("gated_run", gate.path), Plan("one_run")])
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
    assert stack.stop() == 0
    assert "[E " not in stack.log()
    stack.start()
    async with AsyncClient(stack.address) as newcomer:
        status = await newcomer.status()
        assert (status.manager_state, status.running_item_uid) == (ManagerState.IDLE, None)
        assert not status.environment_exists
        (entry,) = [entry async for entry in newcomer.history.list()]
        assert (entry.item.uid, entry.result.exit_status) == (running.uid, ExitStatus.FAILED)
        assert entry.result.failure_cause is FailureCause.SHUTDOWN
        assert [run.exit_status for run in entry.result.runs] == ["abort"]
        retry, other = [item async for item in newcomer.queue.list()]
        assert (retry.retry_of_uid, retry.attempt, retry.uid) == (running.uid, 2, entry.requeued_as_uid)
        assert other.uid == waiting.uid
        await newcomer.environment.open()
        gate.open()
        async with newcomer.watch([EventKind.QUEUE]) as watch:
            await first(watch, lambda _: True)
            await newcomer.queue.start()
            await first(watch, expect.queue_stopped)
        statuses = [entry.result.exit_status async for entry in newcomer.history.list()]
    assert statuses == [ExitStatus.FAILED, ExitStatus.COMPLETED, ExitStatus.COMPLETED]


async def test_a_power_failure_with_a_running_plan_leaves_it_failed_once_and_at_the_head(
    stack: Stack, client: AsyncClient, gate: Gate
) -> None:
    await client.environment.open()
    running, waiting = await client.queue.add_batch([Plan("gated_run", gate.path), Plan("one_run")])
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
    stack.kill_all()
    stack.start()
    async with AsyncClient(stack.address) as newcomer:
        async with newcomer.watch([EventKind.STATUS]) as watch:
            await first(watch, expect.status(lambda status: status.manager_state is ManagerState.IDLE))
        (entry,) = [entry async for entry in newcomer.history.list()]
        assert (entry.item.uid, entry.result.failure_cause) == (running.uid, FailureCause.WORKER_LOST)
        uids = [(item.uid, item.retry_of_uid) async for item in newcomer.queue.list()]
    assert uids == [(entry.requeued_as_uid, running.uid), (waiting.uid, "")]
    await bounded(client.close())
