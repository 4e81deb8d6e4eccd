"""A Worker counts as unreachable when it is silent, and not when it is we who are busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.worker.v1 import event_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceServicer, add_WorkerServiceServicer_to_server
from queueserver_long_work.time_slice import next_turn_after
from queueserver_manager.worker_client.connection import Connection
from queueserver_manager.worker_client.grpc import GrpcWorker
from queueserver_manager.worker_client.port import WorkerDown, WorkerSnapshot

SILENCE = 0.2
SECONDS = 20.0


class SparseWorker(WorkerServiceServicer):
    """Tells what it is, once at the beginning and once when it may."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()

    async def WatchWorker(self, request: pb.WatchWorkerRequest, context: Any) -> AsyncIterator[pb.WatchWorkerResponse]:  # noqa: N802
        del request, context
        yield pb.WatchWorkerResponse(snapshot=event_pb2.WorkerSnapshot(boot_id="one"))
        await self.may_go_on.wait()
        yield pb.WatchWorkerResponse(snapshot=event_pb2.WorkerSnapshot(boot_id="two"))


@pytest.fixture
async def sparse(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[SparseWorker, GrpcWorker]]:
    monkeypatch.setattr("queueserver_manager.worker_client.grpc.SILENCE_SECONDS", SILENCE)
    servicer, server = SparseWorker(), grpc.aio.server()
    add_WorkerServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    worker = GrpcWorker(Connection(f"127.0.0.1:{port}", None), 1)
    yield servicer, worker
    await worker.close()
    await server.stop(0)


async def told(stream: AsyncIterator[Any]) -> str:
    message = await asyncio.wait_for(anext(stream), SECONDS)
    assert isinstance(message, WorkerSnapshot)
    return message.boot_id


async def test_a_worker_that_is_silent_while_somebody_listens_is_unreachable(
    sparse: tuple[SparseWorker, GrpcWorker],
) -> None:
    stream = sparse[1].watch("", 0)
    assert await told(stream) == "one"
    with pytest.raises(WorkerDown, match="nothing was heard"):
        await told(stream)


async def test_time_in_which_nobody_listens_is_no_silence(sparse: tuple[SparseWorker, GrpcWorker]) -> None:
    servicer, worker = sparse
    stream = worker.watch("", 0)
    assert await told(stream) == "one"
    servicer.may_go_on.set()
    await next_turn_after(SILENCE * 3)
    assert await told(stream) == "two"
    await stream.aclose()  # type: ignore[attr-defined] # it is a generator
