"""What a standby has ready, so that no name has to be looked up when it takes over."""

from __future__ import annotations

import grpc
from queueserver.worker.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server
from queueserver_manager.standby.worker_connection import WorkerConnection
from queueserver_manager.store.connection import connect, have_ready
from queueserver_manager.worker_client.grpc import GrpcWorker

from tests.harness.redis import RedisProcess
from tests.integration.manager.test_silent_worker import SparseWorker, told


async def test_so_many_connections_to_redis_are_open_as_a_term_needs(redis_server: RedisProcess) -> None:
    redis = connect(redis_server.url)
    try:
        await have_ready(redis, 4)
        await have_ready(redis, 4)
        assert len(await redis.client_list()) == 4
    finally:
        await redis.aclose()


async def test_the_connection_to_the_worker_works_before_it_is_taken() -> None:
    server = grpc.aio.server()
    add_WorkerServiceServicer_to_server(SparseWorker(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    waiting = WorkerConnection(f"127.0.0.1:{port}", None)
    waiting.open()
    waiting.open()
    connection = waiting.take()
    worker = GrpcWorker(connection, 1)
    try:
        assert await told(worker.watch("", 0)) == "one"
        assert waiting.take() is not connection
    finally:
        await worker.close()
        await waiting.close()
        await server.stop(0)
