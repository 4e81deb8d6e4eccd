"""The name of a Worker that moves, in a process with its own network and /etc/resolv.conf: how long is it lost?"""

from __future__ import annotations

import asyncio
import struct
import sys
import time

import grpc
from pyroute2 import IPRoute  # type: ignore[import-untyped]  # it has no type information
from queueserver.worker.v1.worker_service_pb2_grpc import add_WorkerServiceServicer_to_server
from queueserver_long_work.time_slice import next_turn_after
from queueserver_manager.worker_client.connection import Connection
from queueserver_manager.worker_client.grpc import GrpcWorker
from queueserver_manager.worker_client.port import WorkerDown

from tests.integration.manager.test_silent_worker import SparseWorker, told

NAME, PORT = "worker.example", 60640
#: Questions that are refused before the name is known again: gRPC would ask the next one after five seconds.
_UNKNOWN = 5
_A, _NO_SUCH_NAME = 1, 3


class NameServer(asyncio.DatagramProtocol):
    """Knows one name, or does not."""

    def __init__(self) -> None:
        self.address = "127.0.0.2"
        self.unknown = 0
        self.known_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question (RFC 1035)."""
        end = data.index(b"\0", 12) + 5
        question, kind = data[12:end], struct.unpack("!H", data[end - 4 : end - 2])[0]
        answer, code = b"", 0
        if self.unknown:
            code = _NO_SUCH_NAME
            self.unknown -= kind == _A
            self.known_since = time.monotonic()
        elif kind == _A:
            parts = bytes(map(int, self.address.split(".")))
            answer = b"\xc0\x0c" + struct.pack("!HHIH", _A, 1, 0, 4) + parts
        header = data[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, bool(answer), 0, 0)
        self._transport.sendto(header + question + answer, addr)  # type: ignore[attr-defined]


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
    with IPRoute() as here:
        here.link("set", index=here.link_lookup(ifname="lo")[0], state="up")
    asyncio.run(main())
