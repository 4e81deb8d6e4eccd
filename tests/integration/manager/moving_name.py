"""The name of a Worker that moves, in a process with its own network and /etc/resolv.conf: how long is it lost?"""

from __future__ import annotations

import asyncio
import sys
import time

import grpc
from queueserver.worker.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server
from queueserver_long_work.time_slice import next_turn_after
from queueserver_manager.worker_client.connection import Connection
from queueserver_manager.worker_client.grpc import GrpcWorker
from queueserver_manager.worker_client.port import WorkerDown

from tests.harness.name_server import NameServer, own_loopback
from tests.integration.manager.test_silent_worker import SparseWorker, told

NAME, PORT = "worker.example", 60640
#: Questions that are refused before the name is known again: gRPC would ask the next one after five seconds.
_UNKNOWN = 5


async def worker_at(address: str) -> grpc.aio.Server:
    """A Worker."""
    server = grpc.aio.server()
    add_WorkerServiceServicer_to_server(SparseWorker(), server)
    server.add_insecure_port(f"{address}:{PORT}")
    await server.start()
    return server


async def main() -> None:
    """Print for how many seconds the Worker was not found after its name was known again."""
    _, names = await asyncio.get_running_loop().create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 53))
    before = await worker_at("127.0.0.2")
    worker = GrpcWorker(Connection(f"{NAME}:{PORT}", None), 1)
    assert await told(worker.watch("", 0)) == "one"
    names.address, names.unknown = "127.0.0.3", _UNKNOWN
    await before.stop(None)
    after = await worker_at("127.0.0.3")
    while True:
        try:
            found = await told(worker.watch("", 0))
        except WorkerDown:
            await next_turn_after(0.1)
        else:
            break
    sys.stdout.write(f"{found} {time.monotonic() - names.known_since}\n")
    await worker.close()
    await after.stop(None)


if __name__ == "__main__":
    own_loopback()
    asyncio.run(main())
