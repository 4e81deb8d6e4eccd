"""A Worker process with the scripted child, a client of it, and a watch that remembers what it saw."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from queueserver.common.v1 import environment_pb2
from queueserver.common.v1.environment_pb2 import EnvironmentStatus
from queueserver.common.v1.item_pb2 import Item
from queueserver.common.v1.task_pb2 import FunctionCall, TaskResult
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.event_pb2 import ExecutionOutcome, WorkerEvent, WorkerSnapshot
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub

from tests.harness.process import TestProcess

SCRIPTED_WORKER = Path(__file__).with_name("scripted_worker.py")
#: Generous: it only decides how long a broken test takes to fail.
SECONDS = 30.0
CLOSED = environment_pb2.ENVIRONMENT_STATE_CLOSED
IDLE = environment_pb2.ENVIRONMENT_STATE_IDLE


class Watching:
    """One Watch call: its snapshot, and every event that was read so far."""

    def __init__(self, call: grpc.aio.UnaryStreamCall[pb.WatchWorkerRequest, pb.WatchWorkerResponse]) -> None:
        self._call = call
        self.snapshot = WorkerSnapshot()
        self.events: list[WorkerEvent] = []
        self.heartbeats = 0

    async def begin(self) -> None:
        """Read the snapshot."""
        response = await self.read()
        assert response is not None
        assert response.HasField("snapshot")
        self.snapshot = response.snapshot

    async def read(self) -> pb.WatchWorkerResponse | None:
        """Read one message; None at the end of the stream."""
        response = await asyncio.wait_for(self._call.read(), SECONDS)
        if not isinstance(response, pb.WatchWorkerResponse):
            return None
        self.events.extend(response.events.events)
        self.heartbeats += response.HasField("heartbeat")
        return response

    async def until(self, wanted: Callable[[WorkerEvent], bool], *, after: int = 0) -> WorkerEvent:
        """Read until an event is `wanted`, beginning with those that were read already but for the first `after`."""

        async def look() -> WorkerEvent:
            looked_at = after
            while True:
                for event in self.events[looked_at:]:
                    looked_at += 1
                    if wanted(event):
                        return event
                assert await self.read() is not None, "the watch ended"

        return await asyncio.wait_for(look(), SECONDS)

    async def environment(self, wanted: Callable[[EnvironmentStatus], bool], *, after: int = 0) -> EnvironmentStatus:
        """Read until the environment is as `wanted`; `after` as in `until`."""
        event = await self.until(
            lambda e: e.HasField("environment_changed") and wanted(e.environment_changed), after=after
        )
        return event.environment_changed

    async def outcome(self, execution_id: str) -> ExecutionOutcome:
        """Read until an execution has its outcome."""
        event = await self.until(lambda e: e.execution_finished.execution_id == execution_id)
        return event.execution_finished

    async def task_outcome(self, task_uid: str) -> TaskResult:
        """Read until a task has its outcome."""
        return (await self.until(lambda e: e.task_finished.task_uid == task_uid)).task_finished.result

    def console(self) -> str:
        """Console text of the environment so far."""
        return "".join(event.console.text for event in self.events)


class RunningWorker:
    """A Worker process and a client of it."""

    def __init__(self, directory: Path, opening: str, *options: str, output: Path | None = None) -> None:
        """With `output`, everything it writes goes to that file or FIFO, and the test does not read it."""
        script = directory / "startup.txt"
        script.write_text(opening)
        self.directory = directory
        self._command = [sys.executable, str(SCRIPTED_WORKER), "--listen", f"unix:{directory / 'w.sock'}"]
        self._command += ["--state-dir", str(directory / "state"), "--startup-script", str(script), *options]
        if output is not None:
            self._command = ["sh", "-c", 'exec "$@" >"$0" 2>&1', str(output), *self._command]
        self.process = self._start()
        self.channel = grpc.aio.insecure_channel(
            f"unix:{directory / 'w.sock'}", options=[("grpc.max_receive_message_length", 64 * 1024 * 1024)]
        )
        self.stub = WorkerServiceStub(self.channel)

    async def close(self) -> None:
        """End the process and the client."""
        await self.channel.close()
        self.process.close()

    def restart(self) -> None:
        """Start it again after its end."""
        self.process.close()
        self.process = self._start()

    async def watch(self, after_sequence: int = 0, boot_id: str = "") -> Watching:
        """Begin to watch."""
        request = pb.WatchWorkerRequest(after_sequence=after_sequence, boot_id=boot_id)
        watching = Watching(self.stub.WatchWorker(request, wait_for_ready=True))
        await watching.begin()
        return watching

    async def open(self, watching: Watching) -> EnvironmentStatus:
        """Open an environment and wait until it is idle."""
        environment_id = await self.begin_to_open()
        return await watching.environment(lambda e: e.environment_id == environment_id and e.state == IDLE)

    async def begin_to_open(self) -> str:
        """Tell it to open an environment; answers its id."""
        environment_id = str(uuid.uuid4())
        await self.stub.OpenEnvironment(pb.OpenEnvironmentRequest(epoch=1, environment_id=environment_id))
        return environment_id

    async def run(self, plan: str, execution_id: str = "", epoch: int = 1) -> str:
        """Start an execution; answers its id."""
        execution_id = execution_id or str(uuid.uuid4())
        item = Item(name=plan, item_uid=f"item of {execution_id}")
        await self.stub.RunPlan(pb.RunPlanRequest(epoch=epoch, execution_id=execution_id, item=item))
        return execution_id

    async def task(self, name: str, task_uid: str = "", *, in_background: bool = False, epoch: int = 1) -> str:
        """Start a task that calls a function; answers its uid."""
        task_uid = task_uid or str(uuid.uuid4())
        command = pb.TaskCommand(task_uid=task_uid, function=FunctionCall(name=name), run_in_background=in_background)
        await self.stub.RunTask(pb.RunTaskRequest(epoch=epoch, command=command))
        return task_uid

    async def run_to_its_end(self, watching: Watching, plan: str) -> str:
        """Execute a plan; answers the execution's id."""
        execution_id = await self.run(plan)
        await watching.outcome(execution_id)
        return execution_id

    async def run_until_begun(self, watching: Watching, plan: str) -> str:
        """Start an execution and wait until its first run is open."""
        execution_id = await self.run(plan)
        await watching.until(lambda e: e.run_opened.execution_id == execution_id)
        return execution_id

    async def acknowledge(self, *execution_ids: str) -> None:
        """Say that outcomes are stored."""
        await self.stub.AcknowledgeOutcomes(pb.AcknowledgeOutcomesRequest(epoch=1, outcome_ids=execution_ids))

    def _start(self) -> TestProcess:
        process = TestProcess("Worker", self._command)
        process.wait_ready()
        return process


@asynccontextmanager
async def running_worker(
    directory: Path, opening: str = "ready", *options: str, output: Path | None = None
) -> AsyncIterator[RunningWorker]:
    """A Worker whose environment opens as `opening` says (see the scripted child)."""
    worker = RunningWorker(directory, opening, *options, output=output)
    try:
        yield worker
    finally:
        await worker.close()


def reason(error: grpc.aio.AioRpcError) -> str:
    """The stable reason of a refusal."""
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)
