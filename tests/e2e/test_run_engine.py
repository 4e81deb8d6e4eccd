from __future__ import annotations

import asyncio
import getpass
import time

import grpc
import pytest
from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver_client import (
    AsyncClient,
    EnvironmentClosed,
    EventKind,
    ExitStatus,
    InvalidState,
    ItemHandle,
    ItemState,
    ManagerState,
    Plan,
    QueueStopped,
    QueueStopReason,
    RunEngineState,
    RunFilter,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, heard, history, paused, queue, until, until_state
from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded, first

VERBS = ("resume", "stop", "abort", "halt")
RUNNING = [ManagerState.EXECUTING_QUEUE, ManagerState.STARTING_QUEUE]


async def end(client: AsyncClient, verb: str) -> QueueStopReason:
    """Call a verb and wait until the queue has stopped; answers why it did."""
    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await getattr(client.run_engine, verb)()
        stopped = await first(watch, expect.queue_stopped)
    assert isinstance(stopped, QueueStopped)
    return stopped.reason


async def test_a_deferred_pause_is_pending_until_the_next_checkpoint_and_a_resume_completes_the_plan(
    shared_client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await begun(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    await shared_client.run_engine.pause()
    status = await shared_client.status()
    assert (status.pause_pending, status.manager_state) == (True, ManagerState.EXECUTING_QUEUE)
    await shared_client.run_engine.pause()
    await heard(shared_client)
    gate.open()
    await until_state(shared_client, ManagerState.PAUSED)
    status = await shared_client.status()
    assert (status.pause_pending, status.running_item_uid) == (False, handle.uid)
    assert status.environment.run_engine_state is RunEngineState.PAUSED
    await shared_client.run_engine.resume()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await bounded(behind.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)


async def test_an_immediate_pause_waits_for_no_checkpoint_and_can_be_repeated_after_a_resume(
    shared_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await paused(shared_client, Plan("stepping", gate.path))
    await shared_client.run_engine.resume()
    await until_state(shared_client, ManagerState.EXECUTING_QUEUE)
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    await shared_client.run_engine.resume()
    gate.open()
    entry = await bounded(handle.result())
    assert entry.result.exit_status is ExitStatus.COMPLETED
    assert [run.exit_status for run in entry.result.runs] == ["success"]
    await until_state(shared_client, ManagerState.IDLE)


@pytest.mark.parametrize(
    ("verb", "status", "puts_back"),
    [
        ("stop", ExitStatus.STOPPED, False),
        ("abort", ExitStatus.ABORTED, True),
        ("halt", ExitStatus.HALTED, True),
        ("abort_now", ExitStatus.ABORTED, True),
    ],
)
async def test_a_paused_plan_that_is_ended_stops_the_queue_and_stands_at_its_head_unless_it_counts_as_a_success(
    shared_client: AsyncClient, gate: Gate, verb: str, status: ExitStatus, puts_back: bool
) -> None:
    handle, behind = await paused(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    reason = await end(shared_client, verb)
    assert reason is (QueueStopReason.FAILURE if puts_back else QueueStopReason.REQUESTED)
    (entry,) = await history(shared_client)
    assert (entry.item.uid, entry.result.exit_status) == (handle.uid, status)
    assert (entry.result.message, entry.result.traceback) == (f"Plan {status.value} by {getpass.getuser()}.", "")
    left = await queue(shared_client)
    assert left[-1].uid == behind.uid
    assert [(item.uid, item.retry_of_uid, item.attempt) for item in left[:-1]] == (
        [(entry.requeued_as_uid, handle.uid, 2)] if puts_back else []
    )
    after = await shared_client.status()
    assert (after.manager_state, after.pause_pending) == (ManagerState.IDLE, False)
    await shared_client.queue.clear()
    # The RunEngine is fit for the next plan.
    next_one = await shared_client.queue.execute(Plan("one_run"))
    assert (await bounded(next_one.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_running_plan_is_aborted_in_one_call(shared_client: AsyncClient, gate: Gate) -> None:
    handle, behind = await begun(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    async with shared_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await shared_client.run_engine.abort_now("the vacuum is lost")
        stop = await first(watch, expect.document("stop"))
    assert "the vacuum is lost" in str(stop)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.ABORTED
    await until_state(shared_client, ManagerState.IDLE)
    retry, waiting = await queue(shared_client)
    assert (retry.retry_of_uid, waiting.uid) == (handle.uid, behind.uid)


async def assert_refused(client: AsyncClient, verb: str, state: ManagerState, allowed: list[ManagerState]) -> None:
    before = await client.status()
    with pytest.raises(InvalidState) as caught:
        await getattr(client.run_engine, verb)()
    assert (caught.value.reason, caught.value.state) == ("INVALID_STATE", state)
    assert set(caught.value.allowed_states) == set(allowed)
    after = await client.status()
    assert (after.revision, after.manager_state, after.pause_pending) == (
        before.revision,
        before.manager_state,
        before.pause_pending,
    )


async def test_verbs_are_refused_in_a_state_that_they_do_not_fit_and_both_states_are_named(
    shared_client: AsyncClient, gate: Gate
) -> None:
    for verb in VERBS:
        await assert_refused(shared_client, verb, ManagerState.IDLE, [ManagerState.PAUSED])
    await assert_refused(shared_client, "pause", ManagerState.IDLE, RUNNING)
    await assert_refused(shared_client, "abort_now", ManagerState.IDLE, [*RUNNING, ManagerState.PAUSED])
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    for verb in VERBS:
        await assert_refused(shared_client, verb, ManagerState.EXECUTING_QUEUE, [ManagerState.PAUSED])
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    await assert_refused(shared_client, "pause", ManagerState.PAUSED, RUNNING)
    for call in (shared_client.queue.start, shared_client.queue.stop, shared_client.environment.close):
        with pytest.raises(InvalidState) as caught:
            await call()
        assert caught.value.state is ManagerState.PAUSED
    await shared_client.run_engine.resume()
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)


async def test_without_an_environment_all_verbs_say_so(shared_client: AsyncClient) -> None:
    await shared_client.environment.close()
    try:
        for verb in (*VERBS, "pause", "abort_now", "metadata"):
            with pytest.raises(EnvironmentClosed):
                await getattr(shared_client.run_engine, verb)()
        assert (await shared_client.run_engine.runs()).runs == ()
    finally:
        await shared_client.environment.open()


@pytest.mark.parametrize("left", [0, 1])
async def test_a_pause_that_comes_after_the_last_checkpoint_stops_the_queue_and_ends_autostart(
    shared_client: AsyncClient, gate: Gate, left: int
) -> None:
    handle, *_ = await begun(shared_client, Plan("last_stretch", gate.path), *[Plan("nothing")] * left)
    await shared_client.queue.set_autostart(enabled=True)
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await shared_client.run_engine.pause()
        gate.open()
        await first(watch, expect.queue_stopped)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    status = await shared_client.status()
    assert (status.manager_state, status.pause_pending) == (ManagerState.IDLE, False)
    assert (status.queue_autostart_enabled, status.items_in_queue) == (False, left)


async def test_runs_are_listed_from_the_first_one_to_the_end_of_the_plan(
    shared_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await shared_client.queue.add_batch([Plan("second_run_stepping", gate.path)])
    engine = shared_client.run_engine
    assert (await engine.runs()).runs == ()
    async with shared_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await shared_client.queue.start()
        await first(watch, expect.document("stop"))
        await first(watch, expect.document("start"))
    async with shared_client.watch([EventKind.STATUS]) as watch:
        async for _ in watch:
            if len((await engine.runs()).runs) == 2:
                break
    closed, is_open = (await engine.runs()).runs
    assert (closed.is_open, closed.exit_status) == (False, "success")
    assert (is_open.is_open, is_open.exit_status) == (True, "")
    assert (await engine.runs(RunFilter.OPEN)).runs == (is_open,)
    listed = await engine.runs("closed")
    assert (listed.runs, listed.uid) == ((closed,), (await shared_client.status()).run_list_uid)
    gate.open()
    entry = await bounded(handle.result())
    assert [run.uid for run in entry.result.runs] == [closed.uid, is_open.uid]
    await until_state(shared_client, ManagerState.IDLE)
    assert (await engine.runs()).runs == ()


async def test_the_runs_of_a_plan_that_opens_many_come_in_pages(
    shared_client: AsyncClient, raw: Stubs, gate: Gate
) -> None:
    (handle,) = await begun(shared_client, Plan("runs_then_stepping", gate.path, 60))
    async with shared_client.watch([EventKind.STATUS]) as watch:
        async for _ in watch:
            listed = (await shared_client.run_engine.runs()).runs
            if len(listed) > 60:
                break
    assert [run.is_open for run in listed] == [False] * 60 + [True]
    page = await raw.run_engine.ListRuns(pb.ListRunsRequest(page_size=7))
    assert [run.run_uid for run in page.runs] == [run.uid for run in listed[:7]]
    rest = await raw.run_engine.ListRuns(pb.ListRunsRequest(page_token=page.next_page_token))
    assert [run.run_uid for run in rest.runs] == [run.uid for run in listed[7:]]
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)
    gone = await refused(raw.run_engine.ListRuns(pb.ListRunsRequest(page_token=page.next_page_token)))
    assert (gone.code, gone.reason) == (grpc.StatusCode.OUT_OF_RANGE, "PAGE_TOKEN_EXPIRED")


async def test_the_metadata_of_the_run_engine_can_be_read_while_a_plan_runs(
    shared_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    metadata = await shared_client.run_engine.metadata()
    assert metadata["scan_id"] >= 1
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)


async def _answer_time(call: object) -> float:
    begin = time.monotonic()
    await bounded(call)  # type: ignore[arg-type] # a coroutine of any result
    return time.monotonic() - begin


async def test_a_pause_and_an_abort_are_not_delayed_by_a_batch_of_another_client(
    shared_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    batch = [Plan("one_run", f"label {number}") for number in range(10_000)]
    async with AsyncClient(shared_client.address, timeout=60) as other:
        await other.status()
        adding = asyncio.create_task(other.queue.add_batch(batch))
        pause = await _answer_time(shared_client.run_engine.pause(immediate=True))
        await until_state(shared_client, ManagerState.PAUSED)
        await bounded(adding)
        adding = asyncio.create_task(other.queue.add_batch(batch))
        abort = await _answer_time(shared_client.run_engine.abort_now())
        assert (await bounded(handle.result())).result.exit_status is ExitStatus.ABORTED
        await bounded(adding)
    assert (pause < 2, abort < 2) == (True, True), f"the pause took {pause} s, the abort {abort} s"
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_paused_plan_outlives_a_kill_of_the_manager_and_can_be_resumed_afterwards(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle: ItemHandle
    handle, behind = await paused(parts_client, Plan("stepping", gate.path), Plan("nothing"))
    with parts.manager_killed():
        pass
    await until(parts_client, lambda status: status.environment.run_engine_state is RunEngineState.PAUSED)
    status = await parts_client.status()
    assert (status.manager_state, status.running_item_uid) == (ManagerState.PAUSED, handle.uid)
    assert (await handle.status()).state is ItemState.PAUSED
    await parts_client.run_engine.resume()
    gate.open()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await bounded(behind.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(parts_client, ManagerState.IDLE)
