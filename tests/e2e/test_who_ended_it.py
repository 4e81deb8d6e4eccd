"""A result says who ended a plan and why, and what made a task fail."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import pytest
from queueserver_client import (
    AsyncClient,
    ConsoleWritten,
    EventKind,
    ExitStatus,
    FailureCause,
    HistoryAdded,
    ItemResult,
    Plan,
    TaskFailureCause,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, paused, until
from tests.harness.wait import bounded, first


@pytest.fixture
async def anna(parts: Parts, parts_client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """Somebody else than who submitted the plan."""
    del parts_client
    async with AsyncClient(parts.address, user="Anna Å.") as client:
        yield client


async def result_of(client: AsyncClient, uid: str) -> ItemResult:
    """How an item ended, as a watch tells it and as it is stored."""
    [entry] = [entry async for entry in client.history.list() if entry.item.uid == uid]
    return entry.result


@pytest.mark.parametrize(
    ("verb", "status", "message"),
    [
        ("stop", ExitStatus.STOPPED, "Plan stopped by Anna Å.."),
        ("abort", ExitStatus.ABORTED, "Plan aborted by Anna Å.: the sample fell off."),
        ("halt", ExitStatus.HALTED, "Plan halted by Anna Å.."),
    ],
)
async def test_who_ended_a_paused_plan_and_why_stand_in_its_result(
    parts_client: AsyncClient, anna: AsyncClient, gate: Gate, verb: str, status: ExitStatus, message: str
) -> None:
    [handle] = await paused(parts_client, Plan("gated_run", gate.path))
    await (anna.run_engine.abort("the sample fell off") if verb == "abort" else getattr(anna.run_engine, verb)())
    ended = (await bounded(handle.result())).result
    assert (ended.exit_status, ended.ended_by, ended.message) == (status, "Anna Å.", message.replace("..", "."))
    assert await result_of(parts_client, handle.uid) == ended


async def test_who_aborted_a_running_plan_stands_in_its_result_also_after_a_restart_of_the_manager(
    parts: Parts, parts_client: AsyncClient, anna: AsyncClient, gate: Gate
) -> None:
    async with parts_client.watch([EventKind.HISTORY]) as watch:
        await first(watch, lambda _: True)
        [handle] = await begun(parts_client, Plan("gated_run", gate.path))
        await anna.run_engine.abort_now("no beam!")
        with parts.manager_killed():
            pass
        end = await first(watch, expect.in_history(handle.uid))
    assert isinstance(end, HistoryAdded)
    result = end.entry.result
    assert (result.exit_status, result.ended_by) == (ExitStatus.ABORTED, "Anna Å.")
    assert result.message == "Plan aborted by Anna Å.: no beam!"


async def test_who_destroyed_the_environment_stands_in_the_result_of_its_plan(
    parts_client: AsyncClient, anna: AsyncClient, gate: Gate
) -> None:
    [handle] = await begun(parts_client, Plan("gated_run", gate.path))
    await anna.environment.destroy()
    result = (await bounded(handle.result())).result
    assert (result.failure_cause, result.ended_by) == (FailureCause.ENVIRONMENT_DESTROYED, "Anna Å.")
    assert result.message == "The environment was destroyed on request of Anna Å. while the plan ran."


async def test_nobody_ended_a_plan_that_came_to_its_end_by_itself(parts_client: AsyncClient) -> None:
    await parts_client.queue.set_mode(ignore_failures=True)
    handles = await parts_client.queue.add_batch([Plan("one_run"), Plan("broken")])
    await parts_client.queue.start()
    results = [(await bounded(handle.result())).result for handle in handles]
    assert [result.ended_by for result in results] == ["", ""]
    assert [bool(result.message) for result in results] == [False, True]


async def cause_of(client: AsyncClient, name: str, *args: object) -> TaskFailureCause:
    handle = await client.tasks.execute_function(name, *args)
    result = await bounded(handle.wait())
    assert (await handle.status()).result == result
    return result.failure_cause


async def test_what_made_a_task_fail_stands_in_its_result(parts_client: AsyncClient) -> None:
    assert await cause_of(parts_client, "add", 1) is TaskFailureCause.UNSPECIFIED
    assert await cause_of(parts_client, "fail", "no beam") is TaskFailureCause.TASK_ERROR
    assert await cause_of(parts_client, "give", "object") is TaskFailureCause.TASK_ERROR
    assert await cause_of(parts_client, "no_such_function") is TaskFailureCause.NOT_STARTED
    assert await cause_of(parts_client, "one_run") is TaskFailureCause.NOT_STARTED


@pytest.mark.parametrize(
    "cause",
    [
        TaskFailureCause.ENVIRONMENT_DESTROYED,
        TaskFailureCause.ENVIRONMENT_LOST,
        TaskFailureCause.WORKER_LOST,
        TaskFailureCause.SHUTDOWN,
    ],
)
async def test_what_took_a_task_along_stands_in_its_result_also_after_a_restart_of_the_manager(
    parts: Parts, parts_client: AsyncClient, gate: Gate, cause: TaskFailureCause
) -> None:
    async with parts_client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda _: True)
        handle = await parts_client.tasks.execute_function("pass_gate", gate.path)
        await first(watch, lambda event: isinstance(event, ConsoleWritten) and event.console.task_uid == handle.uid)
    if cause is TaskFailureCause.ENVIRONMENT_DESTROYED:
        await parts_client.environment.destroy()
    elif cause is TaskFailureCause.ENVIRONMENT_LOST:
        os.kill((await parts_client.environment.get()).pid, signal.SIGKILL)
    elif cause is TaskFailureCause.WORKER_LOST:
        parts.worker.process.kill()
        parts.worker.restart()
    else:
        parts.worker.process.stop(60.0)
        parts.worker.restart()
    result = await bounded(handle.wait())
    assert result.failure_cause is cause
    with parts.manager_killed():
        pass
    assert (await parts_client.tasks.get(handle.uid)).result == result
    await until(parts_client, lambda status: status.worker.value == "up")
