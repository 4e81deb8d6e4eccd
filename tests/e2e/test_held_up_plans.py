"""A plan that is executed and does not go on: who suspends it, for which device it waits, how that is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    Client,
    ExitStatus,
    ManagerState,
    Plan,
    RunEngineState,
    Status,
    Suspension,
)

from tests.e2e.conftest import HELD_UP_STARTUP, Shell
from tests.harness.progress import status_when, until_state
from tests.harness.stack import Stack, running_stack
from tests.harness.wait import bounded

LONG = 100_000.0


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[Stack]:
    """A stack with an open environment, whose plans are held up."""
    with running_stack(startup=HELD_UP_STARTUP) as running:
        with Client(running.address) as connected:
            connected.environment.open()
        yield running


async def call(client: AsyncClient, function: str, *args: object) -> object:
    """Call a function of the startup code beside the plan; what it returned."""
    handle = await client.tasks.execute_function(function, *args, run_in_background=True)
    return await bounded(handle.result())


async def suspended_by(client: AsyncClient, *signals: str) -> list[Suspension]:
    """Wait until just these signals suspend the plan."""

    def is_suspended(status: Status) -> bool:
        return tuple(suspension.signal for suspension in status.environment.suspensions) == signals

    return list((await status_when(client, is_suspended)).environment.suspensions)


async def aborted(client: AsyncClient) -> None:
    """Abort what runs, and leave nothing behind."""
    await client.run_engine.abort_now()
    await until_state(client, ManagerState.IDLE)
    assert (await client.status()).environment.suspensions == ()
    await client.queue.clear()


async def test_a_suspended_plan_says_by_what_and_since_when(shared_client: AsyncClient, qserver: Shell) -> None:
    await shared_client.queue.execute(Plan("rest", LONG))
    await status_when(shared_client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)
    assert await shared_client.explain_idle() == []
    await call(shared_client, "put", "shutter", 0)
    [suspension] = await suspended_by(shared_client, "shutter")
    assert suspension.suspender == "SuspendBoolLow"
    assert suspension.justification == "Signal shutter is low: somebody is in the hutch"
    assert (suspension.resume_delay, suspension.before_plan, suspension.device) == (0.1, False, "")
    status = await shared_client.status()
    assert status.environment.run_engine_state is RunEngineState.RUNNING
    assert suspension.start_time <= status.time
    [blocker] = await shared_client.explain_idle()
    assert blocker.kind is BlockerKind.PLAN_SUSPENDED
    assert "by SuspendBoolLow watching the signal shutter" in blocker.message
    assert "somebody is in the hutch" in qserver("why").stdout.decode()
    assert "'suspender': 'SuspendBoolLow'" in qserver("status").stdout.decode()
    await call(shared_client, "put", "shutter", 1)
    assert await suspended_by(shared_client) == []
    await aborted(shared_client)


async def test_several_suspensions_are_told_in_their_order(shared_client: AsyncClient) -> None:
    await shared_client.queue.execute(Plan("rest", LONG))
    await status_when(shared_client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)
    await call(shared_client, "put", "current", 5)
    [floor] = await suspended_by(shared_client, "current")
    assert floor.justification.startswith("Signal current = 5")
    await call(shared_client, "put", "shutter", 0)
    assert (await suspended_by(shared_client, "current", "shutter"))[0] == floor
    assert [blocker.kind for blocker in await shared_client.explain_idle()] == [BlockerKind.PLAN_SUSPENDED] * 2
    await aborted(shared_client)
    await call(shared_client, "put", "shutter", 1)
    await call(shared_client, "put", "current", 400)


async def test_a_plan_goes_on_only_when_the_first_suspender_lets_it_go_too(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.execute(Plan("rest", 0.5))
    await status_when(shared_client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)
    await call(shared_client, "put", "shutter", 0)
    await suspended_by(shared_client, "shutter")
    await call(shared_client, "put", "current", 5)
    await suspended_by(shared_client, "shutter", "current")
    await call(shared_client, "put", "current", 400)
    await suspended_by(shared_client, "shutter")
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    await shared_client.run_engine.resume()
    await until_state(shared_client, ManagerState.EXECUTING_QUEUE)
    # It has had its time since: only the suspender keeps it.
    assert await call(shared_client, "rested", 1.0) is False
    await suspended_by(shared_client, "shutter")
    await call(shared_client, "put", "shutter", 1)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    assert await call(shared_client, "rested", 0.0) is True
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_plan_that_a_tripped_suspender_keeps_from_beginning_is_told_as_suspended(
    shared_client: AsyncClient,
) -> None:
    await call(shared_client, "put", "shutter", 0)
    await call(shared_client, "put", "current", 5)
    handle = await shared_client.queue.execute(Plan("rest", 0.0))
    both = (await status_when(shared_client, lambda status: len(status.environment.suspensions) == 2)).environment
    assert {suspension.signal for suspension in both.suspensions} == {"shutter", "current"}
    assert all(suspension.before_plan for suspension in both.suspensions)
    assert "has not begun" in (await shared_client.explain_idle())[0].message
    await call(shared_client, "put", "shutter", 1)
    await call(shared_client, "put", "current", 400)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await shared_client.status()).environment.suspensions == ()
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_plan_that_waits_long_says_for_which_device_and_how_far_it_is(
    shared_client: AsyncClient, qserver: Shell
) -> None:
    handle = await shared_client.queue.execute(Plan("move_stage"))
    waiting = await status_when(shared_client, lambda status: status.environment.plan_wait is not None)
    wait = waiting.environment.plan_wait
    assert wait is not None
    [device] = wait.devices
    assert (device.name, device.action, device.unit) == ("stage", "set", "mm")
    assert (device.current, device.initial, device.target, device.fraction_done) == ("2.5", "0", "10", 0.25)
    assert (wait.more_devices, wait.sleep) == (0, None)
    assert (waiting.time - wait.start_time).total_seconds() >= 2
    [blocker] = await shared_client.explain_idle()
    assert blocker.kind is BlockerKind.PLAN_WAITS
    assert "stage (set, at 2.5 mm, to 10 mm, 25% done)" in blocker.message
    assert "stage (set" in qserver("why").stdout.decode()
    # The hook of the startup code hears what it always heard.
    assert await call(shared_client, "arrive") == ["set"]
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await shared_client.status()).environment.plan_wait is None
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_plan_that_sleeps_says_for_how_long(shared_client: AsyncClient) -> None:
    await shared_client.queue.execute(Plan("rest", LONG))
    wait = (await status_when(shared_client, lambda status: status.environment.plan_wait is not None)).environment
    assert wait.plan_wait is not None
    assert (wait.plan_wait.sleep, wait.plan_wait.devices) == (LONG, ())
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    await status_when(shared_client, lambda status: status.environment.plan_wait is None)
    await shared_client.run_engine.abort()
    await until_state(shared_client, ManagerState.IDLE)
    await shared_client.queue.clear()
