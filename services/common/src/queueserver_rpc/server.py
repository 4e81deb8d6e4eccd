"""A gRPC server as all our services have it: reflection, truthful health, bounded messages, orderly end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from queueserver_rpc.reflection import add_reflection

# A batch of tens of thousands of items fits; a single item has a limit of its own.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
SERVER_OPTIONS = (
    # Two services must never share a port by accident: the second one has to fail to start.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Watches may be silent for long: allow clients to ping every 10 s, and find dead ones ourselves.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class Registry:
    """Where servicers are added to: ``add_XServicer_to_server(servicer, server.registry)``.

    Generated code offers each method twice, and the server waits for calls of each method that it got the second way
    apart: a future for every method at every call. Without them a call is answered a tenth faster.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Take the methods of a service."""
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service_name: str, handlers: object) -> None:
        """Leave the second offer."""


class Server:
    """A gRPC server with health and reflection. Use: add servicers, :meth:`start`, :meth:`stop`."""

    def __init__(self, service_names: Sequence[str], interceptors: Sequence[grpc.aio.ServerInterceptor] = ()) -> None:
        self.grpc = grpc.aio.server(options=SERVER_OPTIONS, interceptors=list(interceptors))
        self._service_names = tuple(service_names)
        self.registry: Any = Registry(self.grpc)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.registry)
        add_reflection(self.grpc, (*service_names, health.SERVICE_NAME))

    def listen(self, address: str) -> str:
        """Bind ``HOST:PORT`` (port 0 picks a free one) or ``unix:PATH``; answers the bound address.

        Raises OSError when the address can't be bound.
        """
        try:
            port = self.grpc.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"Can't listen on {address}: is another service using it?") from error
        if address.startswith("unix:"):
            return address
        return f"{address.rpartition(':')[0]}:{port}"

    async def start(self) -> None:
        """Serve. Every service is NOT_SERVING until :meth:`set_serving` says otherwise."""
        for name in ("", *self._service_names):
            await self.set_serving(name, serving=False)
        await self.grpc.start()

    async def set_serving(self, service: str, *, serving: bool) -> None:
        """Tell health checks whether a service (or, with an empty name, the whole server) can do its work."""
        state = health_pb2.HealthCheckResponse
        await self._health.set(service, state.SERVING if serving else state.NOT_SERVING)

    async def stop(self, grace: float) -> None:
        """Report NOT_SERVING, let calls in progress end for up to ``grace`` seconds, then end them."""
        await self._health.enter_graceful_shutdown()
        await self.grpc.stop(grace)
