"""One channel to a Queue Server: who calls, how long a call may take, what is repeated, and what a failure means.

Guarantees: every unary call ends by its deadline. Reads are repeated by gRPC's own retry policy while the
server is UNAVAILABLE, within the deadline. A change is never repeated; it is sent only on a connection that
stands, so a failure to connect is known to have changed nothing.

Not guaranteed: that a change whose connection broke was or was not made.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from queueserver.manager.v1 import (
    environment_service_pb2_grpc,
    event_service_pb2_grpc,
    history_service_pb2_grpc,
    inventory_service_pb2_grpc,
    queue_service_pb2_grpc,
    status_service_pb2_grpc,
)

from queueserver_client import refusals
from queueserver_client.errors import QueueServerError, Refusal, ServiceUnavailable

if TYPE_CHECKING:
    from grpc.aio import UnaryStreamMultiCallable, UnaryUnaryMultiCallable
    from queueserver.manager.v1.environment_service_pb2_grpc import EnvironmentServiceAsyncStub
    from queueserver.manager.v1.event_service_pb2_grpc import EventServiceAsyncStub
    from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceAsyncStub
    from queueserver.manager.v1.inventory_service_pb2_grpc import InventoryServiceAsyncStub
    from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceAsyncStub
    from queueserver.manager.v1.status_service_pb2_grpc import StatusServiceAsyncStub

_Q = TypeVar("_Q")
_R = TypeVar("_R")

ADDRESS_VARIABLE = "QSERVER_ADDRESS"
DEFAULT_PORT = 60630
DEFAULT_ADDRESS = f"127.0.0.1:{DEFAULT_PORT}"
#: A silent connection is tested this often, so a dead server is noticed without traffic.
KEEPALIVE_SECONDS = 10
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
RECONNECT_SECONDS = 1.0
#: How long a change waits for a server that is known to be away: a little more than one attempt to reconnect.
CHANGE_PATIENCE = RECONNECT_SECONDS + 0.2

_PACKAGE = "queueserver.manager.v1"
_READS = (
    ("StatusService", "GetStatus"),
    ("QueueService", "ListItems"),
    ("QueueService", "GetItem"),
    ("HistoryService", "ListHistory"),
    ("EnvironmentService", "GetEnvironment"),
    ("InventoryService", "ListPlans"),
    ("InventoryService", "ListDevices"),
)
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": f"{_PACKAGE}.{service}", "method": method} for service, method in _READS],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
_OPTIONS = (
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", int(RECONNECT_SECONDS * 1000)),
    # An instrument is on the local network: a proxy for the web must not swallow the calls.
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
)


@dataclass(frozen=True)
class Stubs:
    """The generated stub of each service."""

    status: StatusServiceAsyncStub
    queue: QueueServiceAsyncStub
    environment: EnvironmentServiceAsyncStub
    history: HistoryServiceAsyncStub
    inventory: InventoryServiceAsyncStub
    events: EventServiceAsyncStub


class Connection:
    """A channel that opens itself in the running event loop at the first call."""

    def __init__(self, address: str | None, user: str | None, user_group: str | None, timeout: float) -> None:
        self.address = _complete(address or os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS)
        self.timeout = timeout
        self._metadata = _identity(user, user_group)
        self._channel: grpc.aio.Channel | None = None
        self._stubs: Stubs | None = None
        self._closed = asyncio.Event()
        self._was_ready = False

    @property
    def stubs(self) -> Stubs:
        """The services."""
        self._open()
        assert self._stubs is not None  # noqa: S101 - set together with the channel
        return self._stubs

    def _open(self) -> grpc.aio.Channel:
        if self._closed.is_set():
            raise RuntimeError("This client is closed: make a new one.")
        if self._channel is None:
            channel = grpc.aio.insecure_channel(self.address, options=_OPTIONS)
            self._channel = channel
            self._stubs = Stubs(
                status_service_pb2_grpc.StatusServiceStub(channel),
                queue_service_pb2_grpc.QueueServiceStub(channel),
                environment_service_pb2_grpc.EnvironmentServiceStub(channel),
                history_service_pb2_grpc.HistoryServiceStub(channel),
                inventory_service_pb2_grpc.InventoryServiceStub(channel),
                event_service_pb2_grpc.EventServiceStub(channel),
            )
        return self._channel

    async def close(self) -> None:
        """End all calls and the connection. Repeating it is harmless."""
        self._closed.set()
        if self._channel is not None:
            await self._channel.close()

    async def ready(self, timeout: float, patience: float) -> None:
        """Wait until the connection stands.

        Args:
            timeout: Seconds after which to give up in any case.
            patience: Seconds for which a server that refuses connections is waited for.

        Raises:
            ServiceUnavailable: no connection could be made; nothing was sent.
        """
        channel = self._open()
        state = channel.get_state(try_to_connect=True)
        begin = time.monotonic()
        while state is not grpc.ChannelConnectivity.READY:
            refused = state is grpc.ChannelConnectivity.TRANSIENT_FAILURE
            left = begin + (min(patience, timeout) if refused else timeout) - time.monotonic()
            if left <= 0 or state is grpc.ChannelConnectivity.SHUTDOWN:
                raise self._unreachable()
            try:
                await asyncio.wait_for(channel.wait_for_state_change(state), left)
            except asyncio.TimeoutError:
                raise self._unreachable() from None
            state = channel.get_state(try_to_connect=True)
        self._was_ready = True

    async def read(self, method: UnaryUnaryMultiCallable[_Q, _R], request: _Q) -> _R:
        """Make a call that changes nothing. A server that is away for a moment is waited for."""
        return await self._call(method, request, self.timeout if self._was_ready else 0.0, changes=False)

    async def change(self, method: UnaryUnaryMultiCallable[_Q, _R], request: _Q) -> _R:
        """Make a call that changes something, at most once."""
        # A channel that once worked may still be waiting for its next attempt while the server is back.
        return await self._call(method, request, CHANGE_PATIENCE if self._was_ready else 0.0, changes=True)

    async def _call(
        self, method: UnaryUnaryMultiCallable[_Q, _R], request: _Q, patience: float, *, changes: bool
    ) -> _R:
        deadline = time.monotonic() + self.timeout
        await self.ready(self.timeout, patience)
        try:
            return await method(request, metadata=self._metadata, timeout=max(deadline - time.monotonic(), 0.001))
        except grpc.aio.AioRpcError as error:
            raise self.error(error, changes=changes) from None

    async def stream(
        self, method: UnaryStreamMultiCallable[_Q, _R], request: _Q, *, timeout: float | None, silence: float | None
    ) -> AsyncGenerator[_R, None]:
        """Make a call that is answered by a stream, on a connection that stands.

        Args:
            method: The stub's method.
            request: What to ask.
            timeout: Seconds after which the call ends with DeadlineExceeded; None for no end.
            silence: Seconds without a message after which the stream counts as broken; None for no limit.
        """
        call = method(request, metadata=self._metadata, timeout=timeout)
        try:
            while True:
                message = await asyncio.wait_for(call.read(), silence)
                if message is grpc.aio.EOF:
                    return
                yield message  # type: ignore[misc] # typeshed gives read() the type of EOF as well
        except asyncio.TimeoutError:
            raise self._broken(f"{self.address} has been silent for {silence:g} seconds.") from None
        except grpc.aio.AioRpcError as error:
            raise self.error(error, changes=False) from None
        finally:
            call.cancel()

    async def back_off(self, attempt: int, limit: float) -> None:
        """Wait before a further attempt, longer each time, up to two seconds and ``limit``. Ends when closed."""
        pause = min(0.1 * 2.0 ** min(attempt, 5), 2.0, limit) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
        try:
            await asyncio.wait_for(self._closed.wait(), max(pause, 0.0))
        except asyncio.TimeoutError:
            return
        raise self._broken("This client was closed.")

    def error(self, error: grpc.aio.AioRpcError, *, changes: bool) -> QueueServerError:
        """The exception for a failed call."""
        refusal = refusals.read(error)
        if not refusal.reason:
            refusal = replace(refusal, message=self._explain(refusal, changes=changes))
        return refusals.from_refusal(refusal)

    def _explain(self, refusal: Refusal, *, changes: bool) -> str:
        """A sentence for failures that the server did not explain itself."""
        doubt = " The change may or may not have been made: look before you repeat it." if changes else ""
        if refusal.code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
            return f"The connection to {self.address} was lost before the answer came.{doubt}"
        if refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"{self.address} did not answer in time.{doubt}"
        if refusal.code is grpc.StatusCode.UNIMPLEMENTED:
            return f"The server at {self.address} does not know this call: is it a Queue Server, and not an older one?"
        return refusal.message

    def _unreachable(self) -> ServiceUnavailable:
        return ServiceUnavailable(
            Refusal(
                grpc.StatusCode.UNAVAILABLE,
                "UNREACHABLE",
                f"No Queue Server answers at {self.address}: is it running (start-re-manager), and is --address right?",
            )
        )

    @staticmethod
    def _broken(message: str) -> ServiceUnavailable:
        return ServiceUnavailable(Refusal(grpc.StatusCode.UNAVAILABLE, "", message))


def _complete(address: str) -> str:
    """The address with its port."""
    if address.startswith(("unix:", "dns:", "ipv4:", "ipv6:")) or ":" in address:
        return address
    return f"{address}:{DEFAULT_PORT}"


def _identity(user: str | None, user_group: str | None) -> tuple[tuple[str, str], ...]:
    """Who calls, as the Manager reads it. It trusts this only on loopback without credentials."""
    pairs: list[tuple[str, Any]] = [("qserver-user", user), ("qserver-user-group", user_group)]
    for key, value in pairs:
        if value is not None and (not value or not value.isascii() or not value.isprintable()):
            raise ValueError(f"{key.removeprefix('qserver-')} must be printable ASCII text, not {value!r}.")
    return tuple((key, value) for key, value in pairs if value is not None)
