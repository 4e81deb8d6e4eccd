"""Executions: exactly one outcome each, whatever the environment does."""

from __future__ import annotations

from pathlib import Path

from queueserver.common.v1 import item_pb2

from tests.integration.worker.worker_harness import running_worker


async def test_a_plan_that_completes_has_one_outcome_with_the_runs_that_were_seen(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        first = await worker.run("count")
        outcome = await watching.outcome(first)
        second = await worker.run("count")
        await watching.outcome(second)
        finished = [e.execution_finished.execution_id for e in watching.events if e.HasField("execution_finished")]
    assert finished == [first, second]
    assert outcome.item_uid == f"item of {first}"
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_COMPLETED
    assert outcome.result.start_time.seconds == 1_700_000_000
    assert outcome.result.HasField("stop_time")
    assert [(run.scan_id, run.is_open, run.exit_status) for run in outcome.result.runs] == [(7, False, "success")]
