"""Executions: exactly one outcome each, whatever the environment does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import grpc
import pytest
from queueserver.common.v1 import environment_pb2, item_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.integration.worker.supervisor.worker_harness import CLOSED, reason, running_worker

KILLED = "The environment process was killed by signal 9 (SIGKILL) while the plan ran."


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
    assert [(run.scan_id, run.open, run.exit_status) for run in outcome.result.runs] == [(7, False, "success")]


async def test_the_events_of_an_execution_tell_its_beginning_its_runs_and_its_end(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        execution_id = await worker.run("count")
        await watching.outcome(execution_id)
    kinds = {"execution_started", "run_opened", "document", "run_closed", "execution_finished"}
    told = [kind for e in watching.events if (kind := e.WhichOneof("event")) in kinds]
    assert told == ["execution_started", "document", "run_opened", "document", "run_closed", "execution_finished"]
    opened = next(e.run_opened for e in watching.events if e.HasField("run_opened"))
    closed = next(e.run_closed for e in watching.events if e.HasField("run_closed"))
    assert {opened.execution_id, closed.execution_id} == {execution_id}
    assert (opened.run.open, opened.run.exit_status, closed.exit_status) == (True, "", "success")
    assert opened.run.run_uid == closed.run_uid
    documents = [e.document for e in watching.events if e.HasField("document")]
    assert [d.document.WhichOneof("kind") for d in documents] == ["start", "stop"]
    assert {d.item_uid for d in documents} == {f"item of {execution_id}"}
    states = [e.environment_changed.state for e in watching.events if e.HasField("environment_changed")]
    assert states[-2:] == [
        environment_pb2.ENVIRONMENT_STATE_EXECUTING_PLAN,
        environment_pb2.ENVIRONMENT_STATE_IDLE,
    ]


async def test_an_execution_id_that_was_accepted_is_not_started_again(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        running = await worker.run_until_begun(watching, "hang")
        await worker.run("count", running)
        await worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
        await watching.outcome(running)
        await worker.run("count", running)
        await worker.acknowledge(running)
        await worker.run("count", running)
        await worker.open(watching)
        other = await worker.run("count")
        await watching.outcome(other)
    finished = [e.execution_finished.execution_id for e in watching.events if e.HasField("execution_finished")]
    assert finished == [running, other]


async def test_a_second_plan_is_refused_while_one_runs(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.run_until_begun(watching, "hang")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await worker.run("count")
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert reason(refused.value) == "ENVIRONMENT_BUSY"


async def test_a_plan_is_refused_without_an_environment_and_without_a_run_engine(short_path: Path) -> None:
    async with running_worker(short_path, "no_run_engine") as worker:
        watching = await worker.watch()
        with pytest.raises(grpc.aio.AioRpcError) as closed:
            await worker.run("count")
        await worker.open(watching)
        with pytest.raises(grpc.aio.AioRpcError) as without_engine:
            await worker.run("count")
    assert reason(closed.value) == "ENVIRONMENT_CLOSED"
    assert reason(without_engine.value) == "RUN_ENGINE_MISSING"


async def test_an_environment_that_dies_fails_the_plan_and_keeps_what_is_known_of_its_runs(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        execution_id = await worker.run("die")
        outcome = await watching.outcome(execution_id)
        gone = await watching.environment(lambda e: e.state == CLOSED)
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_FAILED
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST
    assert outcome.result.message == KILLED
    assert [(run.open, run.exit_status) for run in outcome.result.runs] == [(False, "fail"), (True, "")]
    assert gone.failure.message == KILLED
    assert gone.failure.exit_code == -signal.SIGKILL
    assert gone.pid == 0


async def test_an_environment_that_is_killed_from_outside_is_noticed(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        execution_id = await worker.run_until_begun(watching, "hang")
        os.kill(environment.pid, signal.SIGKILL)
        outcome = await watching.outcome(execution_id)
    assert outcome.result.message == KILLED


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        ("garbage", "sent a frame that can't be read"),
        ("too_long", "sent a frame of 2147483647 bytes"),
        ("close_channel", "closed its channel"),
    ],
)
async def test_an_environment_that_breaks_the_protocol_is_killed(short_path: Path, plan: str, complaint: str) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        execution_id = await worker.run(plan)
        outcome = await watching.outcome(execution_id)
        gone = await watching.environment(lambda e: e.state == CLOSED)
        await worker.open(watching)
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST
    assert complaint in outcome.result.message
    assert complaint in gone.failure.message


async def test_a_process_that_the_environment_leaves_behind_does_not_hide_its_end(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        execution_id = await worker.run("leave_grandchild")
        outcome = await watching.outcome(execution_id)
    assert outcome.result.message == "The environment process ended with exit code 0 while the plan ran."


async def test_outcomes_survive_a_kill_of_the_worker_until_they_are_acknowledged(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        stored, kept = await worker.run("count"), ""
        await watching.outcome(stored)
        await worker.acknowledge(stored)
        kept = await worker.run("count")
        await watching.outcome(kept)
        worker.process.kill()
        worker.restart()
        after = await worker.watch()
        assert [outcome.execution_id for outcome in after.snapshot.outcomes] == [kept]
        assert after.snapshot.boot_id != watching.snapshot.boot_id
        await worker.run("count", kept)
        await worker.acknowledge(kept, "an id that is not known")
        assert not (await worker.watch()).snapshot.outcomes
