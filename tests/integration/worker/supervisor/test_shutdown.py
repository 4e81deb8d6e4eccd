"""SIGTERM, SIGINT and SIGKILL of the Worker: what becomes of the plan and of the environment."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from queueserver.common.v1 import item_pb2

from tests.harness.process import wait_until_gone
from tests.integration.worker.supervisor.worker_harness import CLOSED, running_worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopping_the_worker_aborts_the_plan_and_says_why(short_path: Path, number: signal.Signals) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        execution_id = await worker.run_until_begun(watching, "hang")
        worker.process.send(number)
        outcome = await watching.outcome(execution_id)
        await worker.acknowledge(execution_id)
        await watching.environment(lambda e: e.state == CLOSED and e.environment_id == environment.environment_id)
        while await watching.read() is not None:
            pass
        assert worker.process.wait() == 0
        wait_until_gone(environment.pid)
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_FAILED
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_SHUTDOWN
    assert outcome.result.message == "The Worker service was stopped while the plan ran."


async def test_a_plan_that_ignores_the_abort_is_killed_and_accounted_for(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        execution_id = await worker.run_until_begun(watching, "spin")
        worker.process.send(signal.SIGTERM)
        assert worker.process.wait() == 0
        worker.restart()
        outcomes = (await worker.watch()).snapshot.outcomes
    assert [outcome.execution_id for outcome in outcomes] == [execution_id]
    assert outcomes[0].result.failure_cause == item_pb2.FAILURE_CAUSE_SHUTDOWN
    assert [run.open for run in outcomes[0].result.runs] == [True]


async def test_an_idle_worker_stops_with_its_environment(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        worker.process.send(signal.SIGTERM)
        assert worker.process.wait() == 0
        wait_until_gone(environment.pid)
        assert not (short_path / "w.sock").exists()


async def test_an_environment_that_hangs_while_opening_does_not_keep_the_worker(short_path: Path) -> None:
    async with running_worker(short_path, "hang") as worker:
        watching = await worker.watch()
        await worker.begin_to_open()
        opening = await watching.environment(lambda e: e.progress != "")
        worker.process.send(signal.SIGTERM)
        assert worker.process.wait() == 0
        wait_until_gone(opening.pid)
