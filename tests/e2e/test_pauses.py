"""What a pause does to the plan, what it shows, and how else it may end than by a verb."""

from __future__ import annotations

import pytest
from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver_client import (
    AsyncClient,
    DocumentEmitted,
    EnvironmentState,
    EventKind,
    ExitStatus,
    FailureCause,
    ManagerState,
    Plan,
    QueueStopReason,
    RunEngineState,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, heard, history, paused, queue, run_to_its_end, until, until_state
from tests.harness.raw import Stubs, connect, refused
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first

VERBS = ("PausePlan", "ResumePlan", "StopPlan", "AbortPlan", "HaltPlan", "AbortPlanNow", "GetMetadata")


@pytest.mark.parametrize(("immediate", "readings"), [(True, 2), (False, 1)])
async def test_a_plan_repeats_after_an_immediate_pause_what_it_did_since_its_last_checkpoint(
    shared_client: AsyncClient, gate: Gate, immediate: bool, readings: int
) -> None:
    handle = await shared_client.queue.add(Plan("reading_then_stepping", gate.path, "det1"))
    documents: list[str] = []

    def note(event: object) -> bool:
        if isinstance(event, DocumentEmitted):
            documents.append(event.document.name)
        return documents[-1:] == ["event"]

    async with shared_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await shared_client.queue.start()
        await first(watch, note)
        await shared_client.run_engine.pause(immediate=immediate)
        if not immediate:
            await heard(shared_client)
            gate.open()
        await until_state(shared_client, ManagerState.PAUSED)
        await shared_client.run_engine.resume()
        if immediate:
            gate.open()
        await first(watch, lambda event: note(event) is None or documents[-1] == "stop")
    assert documents.count("event") == readings
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)


async def in_its_second_run(client: AsyncClient, gate: Gate) -> None:
    """Start a plan that waits in its second run, and another one behind it."""
    await client.queue.add_batch([Plan("second_run_stepping", gate.path), Plan("nothing")])
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("stop"))
        await first(watch, expect.document("start"))


async def test_a_paused_plan_keeps_its_runs_open_and_the_environment_counts_as_idle(
    shared_client: AsyncClient, gate: Gate
) -> None:
    await in_its_second_run(shared_client, gate)
    before = await shared_client.run_engine.runs()
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    after = await shared_client.run_engine.runs()
    assert [run.is_open for run in after.runs] == [False, True]
    assert set(before.runs) <= set(after.runs)
    status = await shared_client.status()
    assert status.environment.state is EnvironmentState.IDLE
    assert status.environment.run_engine_state is RunEngineState.PAUSED
    assert (status.items_in_queue, status.items_in_history) == (1, 0)
    await shared_client.run_engine.stop()
    await until_state(shared_client, ManagerState.IDLE)
    assert (await shared_client.run_engine.runs()).runs == ()


async def test_runs_have_the_numbers_that_the_run_engine_gave_them(shared_client: AsyncClient, gate: Gate) -> None:
    await in_its_second_run(shared_client, gate)
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    listed = (await shared_client.run_engine.runs()).runs
    await shared_client.run_engine.stop()
    await until_state(shared_client, ManagerState.IDLE)
    (entry,) = await history(shared_client)
    numbers = [run.scan_id for run in entry.result.runs]
    assert [run.scan_id for run in listed] == numbers
    assert numbers[0] is not None
    assert numbers == [numbers[0], numbers[0] + 1]


@pytest.mark.parametrize("how", ["destroy", "kill"])
async def test_a_paused_plan_whose_environment_ends_has_failed_and_stands_at_the_head_again(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate, how: str
) -> None:
    handle, behind = await paused(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    if how == "kill":
        shared_stack.kill("environment")
    else:
        await shared_client.environment.destroy()
    result = (await bounded(handle.result())).result
    cause = FailureCause.ENVIRONMENT_LOST if how == "kill" else FailureCause.ENVIRONMENT_DESTROYED
    assert (result.exit_status, result.failure_cause, len(result.runs)) == (ExitStatus.FAILED, cause, 1)
    await until_state(shared_client, ManagerState.IDLE)
    status = await shared_client.status()
    assert (status.environment_exists, status.running_item_uid, status.pause_pending) == (False, None, False)
    assert status.environment.run_engine_state is RunEngineState.UNSPECIFIED
    retry, other = await queue(shared_client)
    assert (retry.retry_of_uid, other.uid) == (handle.uid, behind.uid)


async def test_a_way_to_pause_and_a_filter_that_do_not_exist_are_refused(
    shared_client: AsyncClient, raw: Stubs, gate: Gate
) -> None:
    await begun(shared_client, Plan("stepping", gate.path))
    before = await shared_client.status()
    for call, field in (
        (raw.run_engine.PausePlan(pb.PausePlanRequest(option=7)), "option"),  # type: ignore[arg-type] # what is tried
        (raw.run_engine.ListRuns(pb.ListRunsRequest(filter=7)), "filter"),  # type: ignore[arg-type] # what is tried
    ):
        refusal = await refused(call)
        assert (refusal.reason, list(refusal.violations)) == ("FIELD_INVALID", [field])
    after = await shared_client.status()
    assert (after.revision, after.manager_state, after.pause_pending) == (
        *(before.revision, ManagerState.EXECUTING_QUEUE),
        False,
    )
    gate.open()
    await until_state(shared_client, ManagerState.IDLE)


async def test_verbs_that_can_not_reach_the_worker_are_refused_and_change_nothing(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await begun(parts_client, Plan("stepping", gate.path))
    parts.worker.process.kill()
    try:
        await until(parts_client, lambda status: status.worker.value == "down")
        before = await parts_client.status()
        async with connect(parts.address) as raw:
            for verb in VERBS:
                refusal = await bounded(refused(getattr(raw.run_engine, verb)(getattr(pb, f"{verb}Request")())))
                assert (refusal.code.name, refusal.reason) == ("UNAVAILABLE", "WORKER_UNAVAILABLE")
        after = await parts_client.status()
        assert (after.revision, after.running_item_uid, after.pause_pending) == (before.revision, handle.uid, False)
    finally:
        parts.worker.restart()
    assert (await bounded(handle.result())).result.failure_cause is FailureCause.WORKER_LOST
    await until_state(parts_client, ManagerState.IDLE)


async def test_a_pause_that_never_took_effect_does_not_concern_the_plans_after_it(
    shared_client: AsyncClient, gate: Gate
) -> None:
    await begun(shared_client, Plan("last_stretch", gate.path))
    await shared_client.run_engine.pause()
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        gate.open()
        await first(watch, expect.queue_stopped)
    # The first of them has checkpoints at which a pause that is still wanted would be taken.
    await shared_client.queue.add_batch([Plan("stepping", gate.path), Plan("nothing")])
    gate.open()
    assert await run_to_its_end(shared_client) is QueueStopReason.EMPTY
