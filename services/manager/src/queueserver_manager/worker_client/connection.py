"""The connection to the Worker: a gRPC channel, replaced when certificates or the Worker's place have changed.

gRPC itself connects again whenever the connection breaks, but with the certificate that the channel was made with, and
it looks a name up less and less often while that fails.
"""

from __future__ import annotations

import asyncio

import grpc
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub
from queueserver_rpc.listening import UNIX
from queueserver_rpc.message_sizes import MAX_MESSAGE_BYTES
from queueserver_rpc.resolving import Place
from queueserver_rpc.tls_credentials import RereadFiles, channel_credentials

from queueserver_manager.worker_client.worker_name import WorkerName

#: Calls on a connection that was replaced have this many seconds to end by themselves: more than any may take.
_REPLACED_SECONDS = 25.0
#: A channel that has not connected for so long is replaced although the name leads where it did: gRPC may have asked in
#: vain, and would ask again only after a while.
_IN_VAIN_SECONDS = 5.0
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 50),
    # A connection that a network has swallowed is replaced: a call would wait on it for minutes.
    ("grpc.keepalive_time_ms", 6_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.ping_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A Worker may come back at another address of the same name; by default a name is looked up every 30 s.
    ("grpc.dns_min_time_between_resolutions_ms", 500),
    # A question that a name server does not answer.
    ("grpc.dns_ares_query_timeout", 2_000),
    # Proxy settings from environment variables do not apply between a Manager and its Worker.
    ("grpc.enable_http_proxy", 0),
)
#: How long an attempt to connect may take at least, whatever its name says, and the longest time between two attempts.
_ATTEMPT_MS, _LONGEST_PAUSE_MS = "grpc.min_reconnect_backoff_ms", "grpc.max_reconnect_backoff_ms"
_PLAIN = (*_OPTIONS, (_ATTEMPT_MS, 50), (_LONGEST_PAUSE_MS, 500))
#: A handshake takes several journeys there and back, and some computing at both ends. A Worker logs each that fails.
_WITH_TLS = (*_OPTIONS, (_ATTEMPT_MS, 3_000), (_LONGEST_PAUSE_MS, 2_000))


class Connection:
    """Calls go through :attr:`stub`; a new attempt to connect begins with :meth:`renew`."""

    def __init__(self, address: str, tls: RereadFiles | None) -> None:
        self.address = address
        self._tls = tls
        self._material = tls.current() if tls is not None else None
        self._name = WorkerName(address)
        #: Where the name led at the last time, if that is known, and when the channel was made.
        self._places: frozenset[Place] = frozenset()
        self._made = 0.0
        self._channel = self._connect()
        self._replaced: set[asyncio.Task[None]] = set()
        #: For calls, until the next :meth:`renew`.
        self.stub = WorkerServiceStub(self._channel)

    @property
    def tells_failures(self) -> bool:
        """Whether a failed attempt to connect is worth a sentence: on a unix socket, there is just no Worker yet."""
        return not self.address.startswith(UNIX)

    async def renew(self) -> None:
        """Before an attempt to connect: use new certificates, and the address that the name has now."""
        material = self._tls.current() if self._tls is not None else None
        if not await self._leads_nowhere() and material is self._material:
            return
        self._material = material
        before, self._channel = self._channel, self._connect()
        self.stub = WorkerServiceStub(self._channel)
        closing = asyncio.get_running_loop().create_task(before.close(_REPLACED_SECONDS))
        self._replaced.add(closing)
        closing.add_done_callback(self._replaced.discard)

    async def _leads_nowhere(self) -> bool:
        """Whether a new channel is likely to reach the Worker, and the present one is not."""
        if self._channel.get_state() is grpc.ChannelConnectivity.READY:
            return False
        before, found = self._places, await self._name.places()
        if not found:
            return False
        self._places = found
        return found != before or asyncio.get_running_loop().time() - self._made > _IN_VAIN_SECONDS

    async def stay_connected(self) -> None:
        """Connect, and again whenever the connection breaks, until cancelled."""
        while True:
            await self._channel.wait_for_state_change(self._channel.get_state(try_to_connect=True))

    async def close(self) -> None:
        """End it; calls on their way fail."""
        for closing in self._replaced:
            closing.cancel()
        await asyncio.gather(*self._replaced, return_exceptions=True)
        await self._channel.close()

    def failure(self, details: str) -> str:
        """A sentence for people about why a connection was not established; empty if TLS has no part in it."""
        return sentence_of(details, self.address, has_tls=self._tls is not None) if self.tells_failures else ""

    def _connect(self) -> grpc.aio.Channel:
        self._made = asyncio.get_running_loop().time()
        if self._material is None:
            return grpc.aio.insecure_channel(self.address, options=_PLAIN)
        return grpc.aio.secure_channel(self.address, channel_credentials(self._material), options=_WITH_TLS)


def sentence_of(details: str, address: str, *, has_tls: bool) -> str:
    """What gRPC's text about a failed connection means, and what to do; empty if TLS has no part in it."""
    start = f"The Worker at {address} can't be reached because of TLS: "
    if not details.startswith("failed to connect"):
        return ""
    if not has_tls:
        if "Socket closed" not in details:
            return ""
        return f"{start}it seems to require certificates. Give --worker-tls-cert, --worker-tls-key and --worker-tls-ca."
    if "Hostname Verification" in details:
        return (
            f"{start}its certificate is for other names. Make one with this name (qserver-certs create), or correct "
            "--worker."
        )
    if "CERTIFICATE_VERIFY_FAILED" in details:
        reason = details.rpartition("CERTIFICATE_VERIFY_FAILED: ")[2].removesuffix(": OK")
        return (
            f"{start}its certificate is refused ({reason:.80}). Make sure that the CA in --worker-tls-ca has signed "
            "it, and that it is valid now (qserver-certs show)."
        )
    if "WRONG_VERSION_NUMBER" in details:
        return f"{start}it does not use TLS. Start it with --tls-cert, --tls-key and --tls-ca, or correct --worker."
    if "Socket closed" in details or "reset by peer" in details:
        return (
            f"{start}it refuses this Manager's certificate. Make sure that the CA in the Worker's --tls-ca has "
            "signed it, and that it is valid now (qserver-certs show)."
        )
    return f"{start}{details.rpartition(': ')[2]:.80}." if "handshake" in details.lower() else ""
