"""A network between Manager and Worker that loses everything without a word: the Manager makes a new connection."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
from queueserver.worker.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server
from queueserver_manager.worker_client.connection import Connection
from queueserver_manager.worker_client.grpc import GrpcWorker
from queueserver_manager.worker_client.port import WorkerDown

from tests.harness.silent_network import SilentNetwork, silent_network
from tests.integration.manager.test_silent_worker import SparseWorker, told


@pytest.fixture
async def worker() -> AsyncIterator[tuple[SilentNetwork, GrpcWorker]]:
    server = grpc.aio.server()
    add_WorkerServiceServicer_to_server(SparseWorker(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with silent_network(port) as network:
        client = GrpcWorker(Connection(network.address, None), 1)
        yield network, client
        await client.close()
        await server.stop(0)


async def test_a_connection_that_the_network_has_lost_is_replaced(worker: tuple[SilentNetwork, GrpcWorker]) -> None:
    network, client = worker
    stream = client.watch("", 0)
    assert await told(stream) == "one"
    network.lose()
    with pytest.raises(WorkerDown, match="nothing was heard"):
        await told(stream)
    # The next watch begins on the old connection. TCP itself would give that up after a quarter of an hour, and `told`
    # waits for much less.
    assert await told_by_the_next(client) == "one"


async def told_by_the_next(client: GrpcWorker) -> str:
    """What the first watch is told that reaches the Worker."""
    while True:
        with contextlib.suppress(WorkerDown):
            return await told(client.watch("", 0))
