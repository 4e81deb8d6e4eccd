from __future__ import annotations

import signal
from pathlib import Path

from queueserver_client import (
    AsyncClient,
    EventKind,
    ExitStatus,
    FailureCause,
    HistoryEntry,
    ItemHandle,
    ManagerState,
    Plan,
)

from tests.harness import expect
from tests.harness.gate import Gate, gate_in
from tests.harness.parts import Parts
from tests.harness.wait import bounded, first


async def start_and_wait_for_a_reading(client: AsyncClient, *plans: object) -> list[ItemHandle]:
    handles = list(await client.queue.add_batch(plans))  # type: ignore[arg-type] # plans are items
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
    return handles


async def history(client: AsyncClient) -> list[HistoryEntry]:
    return [entry async for entry in client.history.list()]


def assert_completed_once(entries: list[HistoryEntry], handles: list[ItemHandle]) -> None:
    assert [entry.item.uid for entry in entries] == [handle.uid for handle in handles]
    for entry in entries:
        assert entry.result.exit_status is ExitStatus.COMPLETED
        assert entry.result.failure_cause is FailureCause.UNSPECIFIED
        assert [run.exit_status for run in entry.result.runs] == ["success"]
        assert all(run.uid and not run.is_open for run in entry.result.runs)


async def test_a_plan_outlives_a_kill_of_the_manager_and_the_queue_goes_on_with_the_next_item(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    client = parts_client
    handles = await start_and_wait_for_a_reading(client, Plan("gated_run", gate.path), Plan("one_run"))
    for _ in range(2):
        with parts.manager_killed():
            pass
        status = await client.status()
        assert status.manager_state is ManagerState.EXECUTING_QUEUE
        assert (status.running_item_uid, status.items_in_queue) == (handles[0].uid, 1)
        assert [run.is_open for run in (await client.run_engine.runs()).runs] == [True]
    gate.open()
    for handle in handles:
        await bounded(handle.result())
    assert_completed_once(await history(client), handles)


async def test_a_plan_that_ends_while_there_is_no_manager_is_in_the_history_once_when_there_is_one_again(
    parts: Parts, parts_client: AsyncClient, gate: Gate, short_path: Path
) -> None:
    with gate_in(short_path, "told") as told:
        handles = await start_and_wait_for_a_reading(
            parts_client, Plan("gated_run_then_tell", gate.path, told.path), Plan("one_run")
        )
        with parts.manager_killed():
            gate.open()
            told.wait_until_told()
    for handle in handles:
        await bounded(handle.result())
    assert_completed_once(await history(parts_client), handles)


async def test_a_manager_that_is_started_again_shows_the_same_markers_because_nothing_changed(
    parts: Parts, parts_client: AsyncClient
) -> None:
    await parts_client.queue.add(Plan("one_run"))
    before = await parts_client.status()
    with parts.manager_killed():
        pass
    after = await parts_client.status()
    for name in ("plan_queue_uid", "plan_history_uid", "plans_existing_uid", "devices_existing_uid"):
        assert (name, getattr(after, name)) == (name, getattr(before, name))
    assert (after.revision, after.epoch) == (before.revision, before.epoch + 1)


async def test_the_marker_of_the_runs_outlives_a_kill_of_the_manager_and_never_stands_for_other_runs(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle = await parts_client.queue.execute(Plan("runs_then_stepping", gate.path, 1))
    async with parts_client.watch([EventKind.STATUS]) as watch:
        async for _ in watch:
            if len((await parts_client.run_engine.runs()).runs) == 2:
                break
    before = await parts_client.run_engine.runs()
    with parts.manager_killed():
        pass
    after = await parts_client.run_engine.runs()
    assert (after, (await parts_client.status()).run_list_uid) == (before, before.uid)
    gate.open()
    await bounded(handle.result())
    ended = await parts_client.run_engine.runs()
    assert (ended.runs, ended.uid == before.uid) == ((), False)


async def test_an_item_whose_start_was_answered_right_before_a_kill_runs_exactly_once(
    parts: Parts, parts_client: AsyncClient
) -> None:
    handles = []
    for _ in range(5):
        handles.append(await parts_client.queue.add(Plan("one_run")))
        assert await parts_client.queue.start() == handles[-1].uid
        with parts.manager_killed():
            pass
        await bounded(handles[-1].result())
    assert_completed_once(await history(parts_client), handles)


async def test_an_item_that_was_claimed_but_perhaps_never_reached_the_worker_runs_exactly_once(
    parts: Parts, parts_client: AsyncClient
) -> None:
    handles = []
    for _ in range(3):
        handles.append(await parts_client.queue.add(Plan("one_run")))
        parts.worker.process.send(signal.SIGSTOP)
        try:
            assert await parts_client.queue.start() == handles[-1].uid
            parts.kill_manager()
        finally:
            parts.worker.process.send(signal.SIGCONT)
        parts.start_manager()
        await bounded(handles[-1].result())
    assert_completed_once(await history(parts_client), handles)


async def test_a_queue_of_many_short_plans_survives_kills_of_the_manager_in_between(
    parts: Parts, parts_client: AsyncClient
) -> None:
    handles = list(await parts_client.queue.add_batch([Plan("one_run", str(number)) for number in range(200)]))
    await parts_client.queue.start()
    for milestone in (handles[5], handles[60], handles[120]):
        await bounded(milestone.result())
        with parts.manager_killed():
            pass
    await bounded(handles[-1].result())
    assert_completed_once(await history(parts_client), handles)
