"""A Worker whose real environment has plans to pause, and a client that controls them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1.environment_pb2 import EnvironmentStatus
from queueserver.common.v1.item_pb2 import Item
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub

from tests.harness.services import WorkerProcess
from tests.integration.worker.supervisor.worker_harness import CLOSED, IDLE, Watching

STARTUP = Path(__file__).parents[2] / "environment" / "pausing_startup.py"
PAUSE = pb.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE
DEFERRED = pb.RUN_ENGINE_ACTION_PAUSE_DEFERRED
RESUME = pb.RUN_ENGINE_ACTION_RESUME
STOP = pb.RUN_ENGINE_ACTION_STOP
ABORT = pb.RUN_ENGINE_ACTION_ABORT
HALT = pb.RUN_ENGINE_ACTION_HALT
ABORT_NOW = pb.RUN_ENGINE_ACTION_ABORT_NOW
EXECUTING = env.ENVIRONMENT_STATE_EXECUTING_PLAN
RUNNING = env.RUN_ENGINE_STATE_RUNNING
PAUSED = env.RUN_ENGINE_STATE_PAUSED


class ControlledWorker:
    """The Worker, its environment and what was seen of them."""

    def __init__(self, process: WorkerProcess, channel: grpc.aio.Channel) -> None:
        self.process = process
        self.stub = WorkerServiceStub(channel)
        self.watching = Watching(self.stub.WatchWorker(pb.WatchWorkerRequest()))
        self.pid = 0

    async def open(self) -> None:
        """Open the environment."""
        await self.watching.begin()
        await self.stub.OpenEnvironment(pb.OpenEnvironmentRequest(epoch=1, environment_id="e"))
        self.pid = (await self.watching.environment(lambda e: e.state in {IDLE, CLOSED} and e.pid > 0)).pid

    async def run(self, execution_id: str, plan: str, **kwargs: Any) -> None:
        """Start an execution."""
        item = json_format.ParseDict({"name": plan, "kwargs": kwargs, "itemUid": "i"}, Item())
        await self.stub.RunPlan(pb.RunPlanRequest(epoch=1, execution_id=execution_id, item=item))

    async def begin(self, execution_id: str, plan: str, text: str) -> None:
        """Start an execution and wait until it has printed a text."""
        seen = len(self.watching.events)
        await self.run(execution_id, plan)
        await self.watching.until(lambda e: text in e.console.text, after=seen)

    async def control(self, action: pb.RunEngineAction.ValueType, note: str = "", epoch: int = 1) -> int:
        """Ask for something; answers the number of events that were read before."""
        seen = len(self.watching.events)
        await self.stub.ControlRunEngine(pb.ControlRunEngineRequest(epoch=epoch, action=action, note=note))
        return seen

    async def paused(self, after: int) -> EnvironmentStatus:
        """Read until the plan is paused."""
        return await self.watching.environment(lambda e: e.run_engine_state == PAUSED and e.state == IDLE, after=after)


@asynccontextmanager
async def controlled_worker(directory: Path) -> AsyncIterator[ControlledWorker]:
    """Start it and open its environment."""
    process = WorkerProcess(directory, STARTUP)
    try:
        async with grpc.aio.insecure_channel(process.address) as channel:
            worker = ControlledWorker(process, channel)
            await worker.open()
            yield worker
    finally:
        process.close()
