"""A gRPC server as all our services have it: reflection, truthful health, bounded messages, orderly end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from queueserver_rpc import unix_socket
from queueserver_rpc.listening import UNIX, check_free, reaches_beyond_this_machine, refuse_unasked, warning
from queueserver_rpc.message_sizes import MAX_MESSAGE_BYTES
from queueserver_rpc.reflection import Reflection
from queueserver_rpc.tls_credentials import RereadFiles, server_credentials
from queueserver_rpc.tls_files import TlsFiles

#: Metadata of every answer of the health service: "true" if every client that can reach the service can use it.
INSECURE_KEY = "qserver-insecure-listen"
_log = logging.getLogger("queueserver_rpc")

#: Of what is received, in any service: a longer request does not reach us, since accepting it blocks all other clients.
#: It is a little more than the longest that the contract allows, so that slightly longer ones are told their bound.
MAX_REQUEST_BYTES = 13 * 1024 * 1024
#: Calls of all clients together that have come and that no handler has accepted yet. gRPC's own bound is 1,000, and
#: beyond it a call ends as CANCELLED without a reason, though it only came with many others.
MAX_PENDING_CALLS = 10_000
SERVER_OPTIONS = (
    # Two services must never share a port by accident: the second one has to fail to start.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.server.max_pending_requests", MAX_PENDING_CALLS),
    ("grpc.server.max_pending_requests_hard_limit", MAX_PENDING_CALLS),
    # Watches may be silent for long: allow clients to ping every 10 s, and find dead ones ourselves.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # gRPC waits for this one, which is a minute unless it is set.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class Registry:
    """Where servicers are added to: ``add_XServicer_to_server(servicer, server.registry)``.

    Generated code registers each method twice, and the server waits separately for calls of each method registered the
    second way: a future for every method at every call. Without them a call is answered a tenth faster.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Register the methods of a service."""
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service_name: str, handlers: object) -> None:
        """Ignore the second registration."""


class Server:
    """A gRPC server with health and reflection. Use: add servicers, :meth:`start`, :meth:`stop`."""

    def __init__(
        self,
        service_names: Sequence[str],
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        *,
        descriptor_set: Path | None = None,
    ) -> None:
        """``descriptor_set`` is what reflection tells; without one there is no reflection."""
        self.grpc = grpc.aio.server(options=SERVER_OPTIONS, interceptors=list(interceptors))
        self._service_names = tuple(service_names)
        self.registry: Any = Registry(self.grpc)
        self._health = _TellingHealth()
        self._address = ""
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.registry)
        if descriptor_set is not None:
            Reflection((*service_names, health.SERVICE_NAME), descriptor_set).add_to(self.grpc)

    @property
    def insecure(self) -> bool:
        """It listens where clients on other machines may reach it, and requires no credentials."""
        return self._health.insecure

    def listen(
        self, address: str, *, insecure: bool, tls: TlsFiles | None = None, tls_options: Sequence[str] = ()
    ) -> str:
        """Bind ``HOST:PORT`` (port 0 picks a free one) or ``unix:PATH``; returns the bound address.

        With ``tls``, which is for TCP, every client must have a certificate that the CA has signed. Without, it may be
        an address beyond this machine only with ``insecure``, and then a line of the log says what that means.
        ``tls_options`` are the options to suggest instead. Raises OSError, whose text says what to do, when the address
        can't or must not be bound, or the files can't be used.
        """
        if tls is None:
            refuse_unasked(address, insecure=insecure, tls_options=tls_options)
        if address.startswith(UNIX):
            with unix_socket.place_for(address):
                self._bind(address)
            self._address = address
            return address
        credentials = server_credentials(RereadFiles(tls)) if tls is not None else None
        check_free(address)
        self._address = f"{address.rpartition(':')[0]}:{self._bind(address, credentials)}"
        self._health.insecure = tls is None and reaches_beyond_this_machine(self._address)
        if self.insecure:
            _log.warning("%s", warning(self._address))
        return self._address

    def _bind(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        try:
            if credentials is not None:
                return self.grpc.add_secure_port(address, credentials)
            return self.grpc.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"Can't listen on {address}: is another service using it?") from error

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
        unix_socket.forget(self._address)


class _TellingHealth(health.aio.HealthServicer):  # type: ignore[misc] # it has no types
    """Says with each answer whether the server is open to every client that can reach it."""

    insecure = False

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> health_pb2.HealthCheckResponse:  # noqa: N802
        """Return the state of a service."""
        await self._tell(context)
        return await super().Check(request, context)

    async def List(self, request: health_pb2.HealthListRequest, context: Any) -> health_pb2.HealthListResponse:  # noqa: N802
        """Return the state of every service, and with an empty name that of the server."""
        del request
        await self._tell(context)
        found = self._server_status.items()
        return health_pb2.HealthListResponse(
            statuses={name: health_pb2.HealthCheckResponse(status=status) for name, status in found}
        )

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:  # noqa: N802
        """Stream the state of a service, and each change of it."""
        await self._tell(context)
        await super().Watch(request, context)

    async def _tell(self, context: Any) -> None:
        await context.send_initial_metadata(((INSECURE_KEY, "true" if self.insecure else "false"),))
