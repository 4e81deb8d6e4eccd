"""The history says how a plan ended and what it spoiled, also where the RunEngine says nothing."""

from __future__ import annotations

from queueserver_client import AsyncClient, ExitStatus, FailureCause, Plan, QueueStopReason

from tests.harness.parts import Parts
from tests.harness.progress import history, queue, run_to_its_end


async def test_a_plan_that_ended_by_an_exception_that_the_run_engine_swallows_has_failed_and_the_queue_stops(
    parts_client: AsyncClient,
) -> None:
    await parts_client.queue.add_batch([Plan("time_out"), Plan("nothing")])
    assert await run_to_its_end(parts_client) is QueueStopReason.FAILURE
    (entry,) = await history(parts_client)
    assert (entry.result.exit_status, entry.result.failure_cause) == (ExitStatus.FAILED, FailureCause.PLAN_ERROR)
    assert "the detector did not answer within 3 s" in entry.result.message
    assert [item.name for item in await queue(parts_client)] == ["time_out", "nothing"]


async def test_what_a_plan_took_away_is_in_the_history_with_all_its_runs_and_stays_there(
    parts: Parts, parts_client: AsyncClient
) -> None:
    await parts_client.queue.add_batch([Plan("subscribe_a_store"), Plan("unsubscribe_everything"), Plan("one_run")])
    assert await run_to_its_end(parts_client) is QueueStopReason.EMPTY
    spoiled, after = (await history(parts_client))[1:]
    assert spoiled.result.exit_status is ExitStatus.COMPLETED
    (notice,) = spoiled.result.notices
    assert "removed subscriptions of RE (store_nowhere)" in notice
    for entry in (spoiled, after):
        assert [run.exit_status for run in entry.result.runs] == ["success"]
    with parts.manager_killed():
        pass
    assert (await history(parts_client))[1].result.notices == (notice,)
