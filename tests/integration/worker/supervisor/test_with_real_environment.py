"""The Worker with the environment it is made for, and the startup code of the examples."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from queueserver.common.v1 import item_pb2
from queueserver.common.v1.item_pb2 import Item
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub

from tests.harness.process import wait_until_gone
from tests.harness.services import WorkerProcess
from tests.integration.worker.supervisor.worker_harness import CLOSED, IDLE, Watching


class OpenWorker:
    def __init__(self, process: WorkerProcess, channel: grpc.aio.Channel) -> None:
        self.process = process
        self.stub = WorkerServiceStub(channel)
        self.watching = Watching(self.stub.WatchWorker(pb.WatchWorkerRequest()))
        self.pid = 0

    async def open(self) -> None:
        await self.watching.begin()
        await self.stub.OpenEnvironment(pb.OpenEnvironmentRequest(epoch=1, environment_id="e"))
        self.pid = (await self.watching.environment(lambda e: e.state in {IDLE, CLOSED} and e.pid > 0)).pid

    async def run(self, execution_id: str, num: int, delay: float = 0) -> None:
        await self.submit(
            execution_id, {"name": "count", "args": [["det1"]], "kwargs": {"num": num, "delay": delay}, "itemUid": "i"}
        )

    async def submit(self, execution_id: str, call: dict[str, Any]) -> None:
        item = json_format.ParseDict(call, Item())
        await self.stub.RunPlan(pb.RunPlanRequest(epoch=1, execution_id=execution_id, item=item))


@asynccontextmanager
async def open_worker(process: WorkerProcess) -> AsyncIterator[OpenWorker]:
    try:
        async with grpc.aio.insecure_channel(process.address) as channel:
            opened = OpenWorker(process, channel)
            await opened.open()
            yield opened
    finally:
        process.close()


@pytest.fixture
async def worker(short_path: Path) -> AsyncIterator[OpenWorker]:
    async with open_worker(WorkerProcess(short_path)) as opened:
        yield opened


async def test_a_real_plan_completes_with_its_run_its_documents_and_its_table(worker: OpenWorker) -> None:
    await worker.run("x", 3)
    outcome = await worker.watching.outcome("x")
    kinds = [e.document.document.WhichOneof("kind") for e in worker.watching.events if e.HasField("document")]
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_COMPLETED
    assert [(run.open, run.exit_status) for run in outcome.result.runs] == [(False, "success")]
    assert kinds == ["start", "event_descriptor", "event", "event", "event", "stop"]
    assert "Run was closed" in worker.watching.console()


async def test_a_real_plan_is_lost_with_its_environment(worker: OpenWorker) -> None:
    await worker.run("x", 100, delay=10)
    await worker.watching.until(lambda e: e.document.document.HasField("event"))
    os.kill(worker.pid, signal.SIGKILL)
    outcome = await worker.watching.outcome("x")
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST
    assert [run.open for run in outcome.result.runs] == [True]


async def test_a_real_plan_is_aborted_when_the_worker_is_stopped(worker: OpenWorker) -> None:
    await worker.run("x", 100, delay=10)
    await worker.watching.until(lambda e: e.document.document.HasField("event"))
    worker.process.process.send(signal.SIGTERM)
    outcome = await worker.watching.outcome("x")
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_SHUTDOWN
    assert [run.exit_status for run in outcome.result.runs] == ["abort"]
    assert worker.process.process.wait() == 0
    wait_until_gone(worker.pid)


async def test_an_environment_does_not_outlive_a_worker_that_is_killed(worker: OpenWorker) -> None:
    await worker.run("x", 100, delay=10)
    await worker.watching.until(lambda e: e.document.document.HasField("event"))
    worker.process.process.kill()
    wait_until_gone(worker.pid)


CRASHING = """
import ctypes
import threading
import bluesky.plan_stubs as bps

told = threading.Event()

def failing():
    yield from bps.null()
    raise ValueError("an ordinary failure, long ago")

def crashing():
    yield from bps.null()
    ctypes.string_at(0)

def crashing_later():
    threading.Thread(target=lambda: (told.wait(), ctypes.string_at(0))).start()
    yield from bps.null()

def crash_now():
    told.set()
"""


async def test_a_crash_is_explained_by_its_own_place_and_not_by_what_failed_before(short_path: Path) -> None:
    startup = short_path / "startup.py"
    startup.write_text(CRASHING)
    async with open_worker(WorkerProcess(short_path, startup)) as worker:
        await worker.submit("x", {"name": "failing", "itemUid": "x"})
        await worker.watching.outcome("x")
        await worker.submit("y", {"name": "crashing", "itemUid": "y"})
        gone = await worker.watching.environment(lambda e: e.state == CLOSED)
    assert gone.failure.message == "The environment process was killed by signal 11 (SIGSEGV) while the plan ran."
    assert "in crashing\n" in gone.failure.traceback
    assert "long ago" not in gone.failure.traceback


async def test_a_crash_between_two_plans_is_not_explained_by_the_plan_before(short_path: Path) -> None:
    startup = short_path / "startup.py"
    startup.write_text(CRASHING)
    async with open_worker(WorkerProcess(short_path, startup)) as worker:
        await worker.submit("x", {"name": "crashing_later", "itemUid": "x"})
        await worker.watching.outcome("x")
        await worker.submit("y", {"name": "failing", "itemUid": "y"})
        await worker.watching.outcome("y")
        call = {"taskUid": "t", "runInBackground": True, "function": {"name": "crash_now"}}
        command = json_format.ParseDict(call, pb.TaskCommand())
        await worker.stub.RunTask(pb.RunTaskRequest(epoch=1, command=command))
        gone = await worker.watching.environment(lambda e: e.state == CLOSED)
    assert "SIGSEGV" in gone.failure.message
    assert "in <lambda>\n" in gone.failure.traceback
    assert "long ago" not in gone.failure.traceback


async def test_a_crash_in_a_simulation_is_told_as_such_to_its_caller_and_of_the_environment(short_path: Path) -> None:
    startup = short_path / "startup.py"
    startup.write_text(CRASHING)
    async with open_worker(WorkerProcess(short_path, startup)) as worker:
        item = Item(name="crashing", item_uid="x")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await worker.stub.SimulatePlan(pb.SimulatePlanRequest(item=item))
        gone = await worker.watching.environment(lambda e: e.state == CLOSED)
    sentence = "The environment process was killed by signal 11 (SIGSEGV) while it simulated a plan."
    assert gone.failure.message == sentence
    assert caught.value.details() == f"The environment ended before it answered. {sentence}"
    assert "in crashing\n" in gone.failure.traceback
