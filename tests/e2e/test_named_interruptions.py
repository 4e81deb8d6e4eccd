"""Interruptions that name their item, and interruptions whose plan ends while the Manager is away."""

from __future__ import annotations

import asyncio

import pytest
from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver_client import (
    AsyncClient,
    EventKind,
    ExitStatus,
    ItemNotRunning,
    ManagerState,
    Plan,
    QueueStopReason,
)

from tests.e2e.conftest import Shell
from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, heard, history, paused, queue, run_to_its_end, until, until_state
from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded, first

VERBS = ("pause", "stop", "abort", "halt", "abort_now")


async def test_a_request_that_names_the_running_item_is_obeyed(shared_client: AsyncClient, gate: Gate) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    await shared_client.run_engine.pause(immediate=True, item_uid=handle.uid)
    await until_state(shared_client, ManagerState.PAUSED)
    await shared_client.run_engine.stop(item_uid=handle.uid)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.STOPPED


@pytest.mark.parametrize("verb", VERBS)
async def test_a_request_that_comes_too_late_for_its_item_does_not_reach_the_next_plan(
    shared_client: AsyncClient, raw: Stubs, gate: Gate, verb: str
) -> None:
    ended, running, waiting = await begun(shared_client, Plan("nothing"), Plan("stepping", gate.path), Plan("nothing"))
    before = await shared_client.status()
    method = {"abort_now": "AbortPlanNow"}.get(verb, f"{verb.capitalize()}Plan")
    for uid in (ended.uid, waiting.uid, "unknown"):
        refusal = await bounded(refused(getattr(raw.run_engine, method)(getattr(pb, f"{method}Request")(item_uid=uid))))
        assert (refusal.code.name, refusal.reason) == ("FAILED_PRECONDITION", "ITEM_NOT_RUNNING")
        with pytest.raises(ItemNotRunning):
            await getattr(shared_client.run_engine, verb)(item_uid=uid)
    after = await shared_client.status()
    assert (after.revision, after.running_item_uid, after.pause_pending) == (before.revision, running.uid, False)
    gate.open()
    assert (await bounded(running.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await bounded(waiting.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)
    with pytest.raises(ItemNotRunning):
        await getattr(shared_client.run_engine, verb)(item_uid=running.uid)


async def test_the_command_line_names_an_item_too(shared_client: AsyncClient, gate: Gate, qserver: Shell) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    refusal = await asyncio.to_thread(qserver, "re", "abort", "now", "--item", "another")
    assert b"'another' is not running" in refusal.stdout
    ended = await asyncio.to_thread(qserver, "re", "abort", "now", "--item", handle.uid, "--wait")
    assert ended.returncode == 0
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.ABORTED


async def test_a_pause_whose_plan_completes_while_there_is_no_manager_stops_the_queue(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await begun(parts_client, Plan("last_stretch", gate.path), Plan("nothing"))
    await parts_client.run_engine.pause()
    await heard(parts_client)
    with parts.manager_killed():
        gate.open()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(parts_client, ManagerState.IDLE)
    assert [item.uid for item in await queue(parts_client)] == [behind.uid]
    assert await run_to_its_end(parts_client) is QueueStopReason.EMPTY


async def test_a_stop_whose_plan_ends_while_there_is_no_manager_stops_the_queue(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await paused(parts_client, Plan("stepping", gate.path), Plan("nothing"))
    with parts.manager_killed():
        pass
    async with parts_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await parts_client.run_engine.abort_now(item_uid=handle.uid)
        await first(watch, expect.queue_stopped)
    (entry,) = await history(parts_client)
    assert (entry.item.uid, entry.result.exit_status) == (handle.uid, ExitStatus.ABORTED)
    assert [item.uid for item in await queue(parts_client)][-1] == behind.uid


PLANS = 4
ROUNDS = 10


async def ask_at_the_end(client: AsyncClient, verb: str, uid: str) -> bool:
    """Pause or abort an item that may have ended; whether that was accepted."""
    try:
        await getattr(client.run_engine, verb)(item_uid=uid)
    except ItemNotRunning:
        return False
    return True


async def end_of_queue(client: AsyncClient) -> None:
    """Wait until nothing runs, and end what is paused."""
    await until(client, lambda status: status.manager_state in {ManagerState.IDLE, ManagerState.PAUSED})
    if (await client.status()).manager_state is ManagerState.PAUSED:
        await client.run_engine.stop()
        await until_state(client, ManagerState.IDLE)


@pytest.mark.parametrize("verb", ["pause", "abort_now"])
@pytest.mark.parametrize("which", range(PLANS))
async def test_at_the_end_of_a_short_plan_what_is_accepted_holds_for_its_item_and_what_is_refused_changes_nothing(
    shared_client: AsyncClient, verb: str, which: int
) -> None:
    for _ in range(ROUNDS):
        handles = await shared_client.queue.add_batch([Plan("nothing")] * PLANS)
        named = handles[which].uid
        async with shared_client.watch([EventKind.QUEUE]) as watch:
            await first(watch, lambda _: True)
            await shared_client.queue.start()
            # The plan lasts for about as long as the news of its beginning and the request need together.
            await first(watch, expect.started(named))
            accepted = await ask_at_the_end(shared_client, verb, named)
        await end_of_queue(shared_client)
        ends = [(entry.item.uid, entry.result.exit_status) for entry in await history(shared_client)]
        others = [status for uid, status in ends if uid != named]
        assert others == [ExitStatus.COMPLETED] * (which if accepted else PLANS - 1)
        assert accepted or not await queue(shared_client)
        await shared_client.queue.clear()
        await shared_client.history.clear()
