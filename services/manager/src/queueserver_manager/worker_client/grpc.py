"""The Worker over gRPC: commands with deadlines, and the event stream with a watchdog."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver_inventory.access import Access
from queueserver_inventory.messages import access_message
from queueserver_long_work.patience import Patience

from queueserver_manager.domain.queue.item import Item, RunningItem
from queueserver_manager.domain.tasks.tasks import Task
from queueserver_manager.wire.items import item_to_proto
from queueserver_manager.wire.tasks import command_of
from queueserver_manager.wire.values import struct_to_plain
from queueserver_manager.worker_client import convert, port
from queueserver_manager.worker_client.connection import Connection

if TYPE_CHECKING:
    from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub

#: Seconds a command may take, while we could receive its answer. It is answered before its effect, so this is plenty.
COMMAND_SECONDS = 5.0
_REFUSED = frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND})
#: Seconds a simulation may take; the environment gives up before.
SIMULATION_SECONDS = 20.0
#: The Worker waits two seconds for git.
_INFO_SECONDS = 2.5
#: The Worker sends something every 0.5 s; after this many seconds of silence it counts as unreachable.
SILENCE_SECONDS = 2.0
_ACTIONS = pb.RunEngineAction.values()


class GrpcWorker:
    """One Worker, commanded in one owner's term."""

    def __init__(self, connection: Connection, epoch: int) -> None:
        """``connection`` is closed with the term."""
        self._connection = connection
        self._epoch = epoch
        self._closed = False

    async def close(self) -> None:
        """End the connection; commands on their way fail."""
        self._closed = True
        await self._connection.close()

    @property
    def _stub(self) -> WorkerServiceAsyncStub:
        return self._connection.stub

    async def open_environment(self, environment_id: str) -> None:
        """Start an environment."""
        request = pb.OpenEnvironmentRequest(epoch=self._epoch, environment_id=environment_id)
        await self._command(self._stub.OpenEnvironment, request)

    async def close_environment(self) -> None:
        """Close it in good order."""
        await self._command(self._stub.CloseEnvironment, pb.CloseEnvironmentRequest(epoch=self._epoch))

    async def destroy_environment(self, user: str) -> None:
        """Kill it, as this user asks."""
        await self._command(self._stub.DestroyEnvironment, pb.DestroyEnvironmentRequest(epoch=self._epoch, user=user))

    async def run_plan(self, running: RunningItem, access: Access, acknowledged: Sequence[str]) -> None:
        """Start an execution, once."""
        request = pb.RunPlanRequest(
            epoch=self._epoch,
            execution_id=running.execution_id,
            item=item_to_proto(running.item),
            access=access_message(access),
            acknowledged=acknowledged,
            environment_id=running.environment_id,
        )
        await self._command(self._stub.RunPlan, request)

    async def run_task(self, task: Task, access: Access) -> None:
        """Start a task, once."""
        command = command_of(task)
        command.access.CopyFrom(access_message(access))
        await self._command(
            self._stub.RunTask,
            pb.RunTaskRequest(epoch=self._epoch, command=command, environment_id=task.environment_id),
        )

    async def simulate_plan(self, item: Item, access: Access, message_limit: int) -> bytes:
        """What a plan would do. Raises TimeoutError if the environment does not answer."""
        request = pb.SimulatePlanRequest(
            item=item_to_proto(item), access=access_message(access), message_limit=message_limit
        )
        answer = await self._command(self._stub.SimulatePlan, request, timeout=SIMULATION_SECONDS)
        return bytes(answer.simulation.SerializeToString())

    async def control_run_engine(self, request: port.EngineRequest, execution_id: str) -> None:
        """Pause, resume or end this execution and no other; an empty id means the one that runs."""
        action = _ACTIONS[request.verb.value]
        message = pb.ControlRunEngineRequest(
            epoch=self._epoch, action=action, note=request.note, user=request.user, execution_id=execution_id
        )
        await self._command(self._stub.ControlRunEngine, message)

    async def answer_question(self, question_id: str, text: str) -> None:
        """Answer the question that the running plan asks."""
        request = pb.AnswerQuestionRequest(epoch=self._epoch, question_id=question_id, text=text)
        await self._command(self._stub.AnswerQuestion, request)

    async def metadata(self) -> Mapping[str, Any]:
        """The RunEngine's metadata. Raises TimeoutError if the environment does not answer."""
        answer = await self._command(self._stub.GetMetadata, pb.GetMetadataRequest())
        return struct_to_plain(answer.metadata)

    async def info(self) -> bytes:
        """Facts about the Worker."""
        answer = await self._command(self._stub.GetWorkerInfo, pb.GetWorkerInfoRequest(), timeout=_INFO_SECONDS)
        return bytes(answer.info.SerializeToString())

    async def acknowledge(self, execution_ids: Sequence[str]) -> None:
        """Say that outcomes are stored."""
        await self._command(
            self._stub.AcknowledgeOutcomes,
            pb.AcknowledgeOutcomesRequest(epoch=self._epoch, outcome_ids=execution_ids),
        )

    async def _command(self, method: Callable[..., Any], request: Any, timeout: float = COMMAND_SECONDS) -> Any:
        call = method(request)
        patience = Patience(timeout, call.cancel)
        try:
            return await call
        except asyncio.CancelledError as error:
            # Our channel was closed; the waiting caller was not cancelled: without an error the client gets nothing.
            if self._closed:
                raise port.WorkerDown("the connection was closed") from error
            if patience.is_over:
                raise port.WorkerDown(f"no answer within {timeout:g} s") from error
            raise
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSED:
                reason, metadata = _reason(error)
                if reason == "STALE_EPOCH":
                    raise port.StaleEpoch from error
                if reason == "FIELD_UNKNOWN":
                    raise port.WorkerOutdated(error.details() or reason) from error
                raise port.WorkerRefused(reason, error.details() or reason, metadata) from error
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise port.WorkerOutdated("it lacks a method") from error
            if _reason(error)[0] == "ENVIRONMENT_UNRESPONSIVE":
                raise TimeoutError from error
            raise port.WorkerDown(f"{error.code().name}: {error.details()}") from error
        finally:
            patience.stop()

    async def watch(
        self, boot_id: str, after_sequence: int
    ) -> AsyncIterator[port.WorkerSnapshot | Sequence[port.WorkerEvent]]:
        """The Worker as it is, then its events. Raises WorkerDown."""
        await self._connection.renew()
        call = self._stub.WatchWorker(
            pb.WatchWorkerRequest(boot_id=boot_id, after_sequence=after_sequence),
            wait_for_ready=not self._connection.tells_failures,
        )
        watchdog = _Watchdog(call.cancel)
        try:
            async for message in call:
                watchdog.received()
                kind = message.WhichOneof("payload")
                if kind == "events":
                    with watchdog.asleep():
                        yield await convert.events_from_proto(message.events.events)
                elif kind == "snapshot":
                    with watchdog.asleep():
                        yield await convert.snapshot_from_proto(message.snapshot)
        except grpc.aio.AioRpcError as error:
            details = error.details() or ""
            raise port.WorkerDown(
                f"{error.code().name}: {details}", advice=self._connection.failure(details)
            ) from error
        except asyncio.CancelledError:
            if watchdog.barked:
                raise port.WorkerDown(f"nothing was heard for {SILENCE_SECONDS:g} s") from None
            raise
        finally:
            watchdog.stop()
            call.cancel()
        # Only a stopping Worker ends it, when its outcomes are stored or no Manager stores them in time.
        raise port.WorkerStopped("the Worker was stopped")


class _Watchdog:
    """Cancels a stream that has been silent for too long. It starts with the first message.

    It sleeps while a message is handled: that may take as long as Redis does, and meanwhile nothing is read.
    """

    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel
        self._patience: Patience | None = None

    @property
    def barked(self) -> bool:
        """The stream was cancelled."""
        return self._patience is not None and self._patience.is_over

    def received(self) -> None:
        if self._patience is None:
            self._patience = Patience(SILENCE_SECONDS, self._cancel)
        self._patience.renew()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.received()

    def stop(self) -> None:
        if self._patience is not None and not self._patience.is_over:
            self._patience.stop()
            self._patience = None


def _reason(error: grpc.aio.AioRpcError) -> tuple[str, Mapping[str, str]]:
    """Reason and metadata from the ErrorInfo of a refusal; empty if there is none."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason), dict(info.metadata)
    return "", {}
