"""ControlRunEngine and GetMetadata, with the environment they are made for."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.harness.process import wait_until_gone
from tests.integration.worker.supervisor.controlled_worker import (
    ABORT,
    ABORT_NOW,
    DEFERRED,
    EXECUTING,
    HALT,
    PAUSE,
    PAUSED,
    RESUME,
    RUNNING,
    STOP,
    ControlledWorker,
    controlled_worker,
)
from tests.integration.worker.supervisor.worker_harness import CLOSED, IDLE, reason, running_worker


@pytest.fixture
async def worker(short_path: Path) -> AsyncIterator[ControlledWorker]:
    """A Worker with an open environment."""
    async with controlled_worker(short_path) as opened:
        yield opened


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason(refused.value)


async def test_the_states_of_a_plan_that_is_paused_and_resumed(worker: ControlledWorker) -> None:
    await worker.begin("x", "points", "the detector waits")
    seen = await worker.control(DEFERRED)
    await worker.watching.environment(lambda e: e.pause_pending, after=seen)
    await worker.watching.until(lambda e: "Deferred pause acknowledged" in e.console.text, after=seen)
    os.kill(worker.pid, signal.SIGUSR1)
    assert not (await worker.paused(seen)).pause_pending
    seen = await worker.control(RESUME)
    outcome = await worker.watching.outcome("x")
    changes = [e.environment_changed for e in worker.watching.events[seen:] if e.HasField("environment_changed")]
    assert (changes[0].state, changes[0].run_engine_state) == (EXECUTING, PAUSED)
    assert (changes[1].state, changes[1].run_engine_state) == (EXECUTING, RUNNING)
    assert changes[-1].state == IDLE
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_COMPLETED


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (STOP, item_pb2.EXIT_STATUS_STOPPED),
        (ABORT, item_pb2.EXIT_STATUS_ABORTED),
        (HALT, item_pb2.EXIT_STATUS_HALTED),
        (ABORT_NOW, item_pb2.EXIT_STATUS_ABORTED),
    ],
)
async def test_a_paused_plan_is_ended_and_the_next_one_runs_in_the_same_environment(
    worker: ControlledWorker, action: pb.RunEngineAction.ValueType, status: item_pb2.ExitStatus.ValueType
) -> None:
    await worker.begin("x", "waiting", "the plan waits")
    await worker.paused(await worker.control(PAUSE))
    await worker.control(action)
    result = (await worker.watching.outcome("x")).result
    word = item_pb2.ExitStatus.Name(status).removeprefix("EXIT_STATUS_").lower()
    assert (result.exit_status, result.failure_cause, result.traceback) == (status, 0, "")
    assert (result.message, result.ended_by) == (f"Plan {word}.", "")
    await worker.run("y", "quick")
    assert (await worker.watching.outcome("y")).result.exit_status == item_pb2.EXIT_STATUS_COMPLETED


async def test_a_pause_that_comes_too_late_is_pending_until_the_end(worker: ControlledWorker) -> None:
    await worker.begin("x", "last_point", "the detector waits")
    seen = await worker.control(DEFERRED)
    await worker.watching.until(lambda e: "Deferred pause acknowledged" in e.console.text, after=seen)
    os.kill(worker.pid, signal.SIGUSR1)
    outcome = await worker.watching.outcome("x")
    changes = [e.environment_changed for e in worker.watching.events[seen:] if e.HasField("environment_changed")]
    assert [change.pause_pending for change in changes] == [True] * (len(changes) - 1) + [False]
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_COMPLETED


async def test_requests_are_refused_in_the_wrong_phase(worker: ControlledWorker) -> None:
    assert {await refusal(worker.control(action)) for action in (PAUSE, DEFERRED, ABORT_NOW)} == {"NOT_RUNNING"}
    assert {await refusal(worker.control(action)) for action in (RESUME, STOP, ABORT, HALT)} == {"NOT_PAUSED"}
    await worker.begin("x", "waiting", "the plan waits")
    assert {await refusal(worker.control(action)) for action in (RESUME, STOP, ABORT, HALT)} == {"NOT_PAUSED"}
    await worker.paused(await worker.control(PAUSE))
    assert {await refusal(worker.control(action)) for action in (PAUSE, DEFERRED)} == {"NOT_RUNNING"}
    assert await refusal(worker.run("y", "quick")) == "ENVIRONMENT_BUSY"
    assert await refusal(worker.stub.CloseEnvironment(pb.CloseEnvironmentRequest(epoch=1))) == "ENVIRONMENT_BUSY"
    assert await refusal(worker.control(pb.RUN_ENGINE_ACTION_UNSPECIFIED)) == "FIELD_INVALID"
    await worker.control(STOP, epoch=2)
    assert await refusal(worker.control(ABORT_NOW)) == "STALE_EPOCH"


async def test_an_abort_reaches_a_plan_in_each_phase(worker: ControlledWorker) -> None:
    for number in range(5):
        await worker.run(f"accepted {number}", "waiting")
        await worker.control(ABORT_NOW)
        outcome = await worker.watching.outcome(f"accepted {number}")
        assert outcome.result.exit_status == item_pb2.EXIT_STATUS_ABORTED
    await worker.begin("made", "slowly_made", "the plan is being made")
    await worker.control(ABORT_NOW)
    os.kill(worker.pid, signal.SIGUSR1)
    assert (await worker.watching.outcome("made")).result.exit_status == item_pb2.EXIT_STATUS_ABORTED
    await worker.begin("running", "waiting", "the plan waits")
    seen = await worker.control(ABORT_NOW)
    assert (await worker.watching.outcome("running")).result.exit_status == item_pb2.EXIT_STATUS_ABORTED
    states = [e.environment_changed.state for e in worker.watching.events[seen:] if e.HasField("environment_changed")]
    assert states == [EXECUTING] * (len(states) - 1) + [IDLE]


async def test_a_plan_that_floods_the_console_is_paused_and_resumed_and_aborted(worker: ControlledWorker) -> None:
    await worker.begin("x", "chatty", "the flood begins")
    seen = await worker.control(PAUSE)
    await worker.paused(seen)
    assert (await worker.stub.GetMetadata(pb.GetMetadataRequest())).metadata["proposal"] == 17
    assert f"{99_999:099d}" not in worker.watching.console()
    await worker.control(RESUME)
    await worker.control(ABORT_NOW)
    assert (await worker.watching.outcome("x")).result.exit_status == item_pb2.EXIT_STATUS_ABORTED


async def test_a_paused_plan_is_aborted_when_the_worker_is_stopped(worker: ControlledWorker) -> None:
    await worker.begin("x", "waiting", "the plan waits")
    await worker.paused(await worker.control(PAUSE))
    worker.process.process.send(signal.SIGTERM)
    outcome = await worker.watching.outcome("x")
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_SHUTDOWN
    assert [run.exit_status for run in outcome.result.runs] == ["abort"]
    assert worker.process.process.wait() == 0
    wait_until_gone(worker.pid)


@pytest.mark.parametrize("destroy", [True, False])
async def test_a_paused_plan_ends_with_its_environment(worker: ControlledWorker, destroy: bool) -> None:
    await worker.begin("x", "waiting", "the plan waits")
    await worker.paused(await worker.control(PAUSE))
    if destroy:
        await worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
    else:
        os.kill(worker.pid, signal.SIGKILL)
    outcome = await worker.watching.outcome("x")
    assert "while the plan was paused" in outcome.result.message
    closed = await worker.watching.environment(lambda e: e.state == CLOSED and e.environment_id == "e")
    assert (closed.pause_pending, closed.run_engine_state) == (False, 0)
    assert await refusal(worker.control(RESUME)) == "ENVIRONMENT_CLOSED"


async def test_the_metadata_is_told_while_a_plan_blocks_the_run_engine(worker: ControlledWorker) -> None:
    await worker.begin("x", "blocking", "the plan blocks")
    answers = await asyncio.gather(*(worker.stub.GetMetadata(pb.GetMetadataRequest()) for _ in range(20)))
    assert [answer.metadata["proposal"] for answer in answers] == [17] * 20


async def test_metadata_and_requests_need_an_environment_with_a_run_engine(short_path: Path) -> None:
    async with running_worker(short_path, "no_run_engine") as closed:
        watching = await closed.watch()
        pause = pb.ControlRunEngineRequest(epoch=1, action=PAUSE)
        assert await refusal(closed.stub.ControlRunEngine(pause)) == "ENVIRONMENT_CLOSED"
        assert await refusal(closed.stub.GetMetadata(pb.GetMetadataRequest())) == "ENVIRONMENT_CLOSED"
        await closed.open(watching)
        assert await refusal(closed.stub.ControlRunEngine(pause)) == "RUN_ENGINE_MISSING"
        assert await refusal(closed.stub.GetMetadata(pb.GetMetadataRequest())) == "RUN_ENGINE_MISSING"
