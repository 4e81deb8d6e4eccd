"""A Worker that is older than its Manager is told as that, and its refusals as no state of the environment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver_manager.domain.lifecycle import PendingCommand
from queueserver_manager.domain.refusals.errors import WorkerUnavailable
from queueserver_manager.operations.commit.reply import NO_REPLY
from queueserver_manager.worker_client.connection import Connection
from queueserver_manager.worker_client.grpc import GrpcWorker
from queueserver_manager.worker_client.port import WorkerOutdated
from queueserver_rpc.status import Refusal, abort

from tests.unit.manager.run_engine_desk import desk
from tests.unit.manager.scripted_worker import CLOSED

_UNKNOWN = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_UNKNOWN", "17 is not a field that this server knows.")


@pytest.fixture
async def worker() -> AsyncIterator[GrpcWorker]:
    """A client of a Worker that has one method, and does not know a field of its request."""

    async def refuse(_: pb.OpenEnvironmentRequest, context: Any) -> None:
        await abort(context, _UNKNOWN)

    open_environment = grpc.unary_unary_rpc_method_handler(refuse, pb.OpenEnvironmentRequest.FromString)
    handlers = {"OpenEnvironment": open_environment}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("queueserver.worker.v1.WorkerService", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    client = GrpcWorker(Connection(f"127.0.0.1:{port}", None), 1)
    yield client
    await client.close()
    await server.stop(None)


async def test_what_it_does_not_know_is_told_with_the_way_out(worker: GrpcWorker) -> None:
    with pytest.raises(WorkerOutdated, match=r"17 is not a field .* run the same version of both"):
        await worker.open_environment("e")
    with pytest.raises(WorkerOutdated, match="lacks a method"):
        await worker.close_environment()


async def test_an_environment_that_it_can_not_open_is_not_said_to_be_closed() -> None:
    async with desk(CLOSED, runs=False) as d:
        d.worker.fault = WorkerOutdated("it lacks a method")
        with pytest.raises(WorkerUnavailable, match="older than this Manager"):
            await d.environment.open(NO_REPLY)
        assert d.view.status.pending is PendingCommand.NONE
