"""User code that never lets go: it can't be paused, but it can always be destroyed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.harness.process import wait_until_gone
from tests.integration.worker.supervisor.controlled_worker import ABORT_NOW, ControlledWorker, controlled_worker
from tests.integration.worker.supervisor.worker_harness import CLOSED, reason, running_worker

#: What the requirement says, not how long we are willing to wait.
DESTROYED_WITHIN = 2.0
STUCK = ["spins", "sleeps", "holds_the_interpreter"]


@pytest.fixture
async def worker(short_path: Path) -> AsyncIterator[ControlledWorker]:
    """A Worker with an open environment."""
    async with controlled_worker(short_path) as opened:
        yield opened


@pytest.mark.parametrize("plan", STUCK)
@pytest.mark.parametrize("place", ["", "_while_made"])
async def test_an_environment_whose_code_never_returns_is_destroyed_within_two_seconds(
    worker: ControlledWorker, plan: str, place: str
) -> None:
    await worker.begin("x", plan + place, "stuck")
    await worker.control(ABORT_NOW)

    async def destroyed() -> None:
        await worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
        await worker.watching.environment(lambda e: e.state == CLOSED and e.environment_id == "e")

    await asyncio.wait_for(destroyed(), DESTROYED_WITHIN)
    wait_until_gone(worker.pid)
    outcome = await worker.watching.outcome("x")
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED


async def test_metadata_of_an_environment_that_holds_the_interpreter_is_not_waited_for(
    worker: ControlledWorker,
) -> None:
    await worker.begin("x", "holds_the_interpreter", "stuck")
    await worker.watching.environment(lambda e: not e.responsive)
    assert await unanswered(worker.stub.GetMetadata(pb.GetMetadataRequest())) == "ENVIRONMENT_UNRESPONSIVE"


async def test_a_question_for_metadata_that_nobody_answers_ends_in_time(short_path: Path) -> None:
    async with running_worker(short_path) as silent:
        await silent.open(await silent.watch())
        assert await unanswered(silent.stub.GetMetadata(pb.GetMetadataRequest())) == "ENVIRONMENT_UNRESPONSIVE"


async def test_a_question_for_metadata_ends_with_the_environment(short_path: Path) -> None:
    async with running_worker(short_path) as silent:
        await silent.open(await silent.watch())
        asked = asyncio.ensure_future(unanswered(silent.stub.GetMetadata(pb.GetMetadataRequest())))
        await silent.acknowledge()
        await silent.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
        assert await asked == "ENVIRONMENT_CLOSED"


async def unanswered(call: Awaitable[object]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    named = reason(refused.value)
    if named == "ENVIRONMENT_UNRESPONSIVE":
        assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    return named
