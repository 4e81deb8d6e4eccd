"""Plans that do not let go: the environment can be destroyed, quickly, whatever they do."""

from __future__ import annotations

import time

import pytest
from queueserver_client import AsyncClient, EnvironmentState, ExitStatus, FailureCause, ManagerState, Plan

from tests.harness.gate import Gate
from tests.harness.process import wait_until_gone
from tests.harness.progress import history, queue, until_state
from tests.harness.stack import Stack
from tests.harness.wait import bounded

PLANS = ("looping_forever", "sleeping_forever", "holding_the_interpreter")


@pytest.mark.parametrize("name", PLANS)
async def test_an_environment_whose_plan_does_not_let_go_is_destroyed_in_under_two_seconds(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate, name: str
) -> None:
    handle, behind = await shared_client.queue.add_batch([Plan(name, gate.path), Plan("nothing")])
    await shared_client.queue.start()
    gate.wait_until_told()
    pid = shared_stack.pid("environment")
    begin = time.monotonic()
    environment = await shared_client.environment.destroy()
    took = time.monotonic() - begin
    assert took < 2, f"it took {took:.1f} s"
    assert environment.state is EnvironmentState.CLOSED
    wait_until_gone(pid)
    entry = await bounded(handle.result())
    assert entry.result.exit_status is ExitStatus.FAILED
    assert entry.result.failure_cause is FailureCause.ENVIRONMENT_DESTROYED
    await until_state(shared_client, ManagerState.IDLE)
    retry, waiting = await queue(shared_client)
    assert (retry.retry_of_uid, waiting.uid) == (handle.uid, behind.uid)
    await shared_client.queue.clear()
    await shared_client.environment.open()
    next_one = await shared_client.queue.execute(Plan("one_run"))
    assert (await bounded(next_one.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)


async def test_the_manager_answers_at_once_while_a_plan_does_not_let_go_and_a_pause_does_no_harm(
    shared_client: AsyncClient, gate: Gate
) -> None:
    handle = await shared_client.queue.add(Plan("looping_forever", gate.path))
    await shared_client.queue.start()
    gate.wait_until_told()
    await bounded(shared_client.run_engine.pause(immediate=True))
    status = await shared_client.status()
    assert (status.running_item_uid, status.pause_pending) == (handle.uid, True)
    assert await history(shared_client) == []
    await shared_client.environment.destroy()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)
    assert (await shared_client.status()).pause_pending is False
    await shared_client.environment.open()
