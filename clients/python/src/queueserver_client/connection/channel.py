"""How a channel to a Queue Server is made: address, options, services, and the caller. Nothing is repeated here."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, cast

import grpc

from queueserver_client.connection.failover_channel import FailoverChannel

if TYPE_CHECKING:
    from queueserver.manager.v1.environment_service_pb2_grpc import EnvironmentServiceAsyncStub
    from queueserver.manager.v1.event_service_pb2_grpc import EventServiceAsyncStub
    from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceAsyncStub
    from queueserver.manager.v1.inventory_service_pb2_grpc import InventoryServiceAsyncStub
    from queueserver.manager.v1.lock_service_pb2_grpc import LockServiceAsyncStub
    from queueserver.manager.v1.permission_service_pb2_grpc import PermissionServiceAsyncStub
    from queueserver.manager.v1.planning_service_pb2_grpc import PlanningServiceAsyncStub
    from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceAsyncStub
    from queueserver.manager.v1.run_engine_service_pb2_grpc import RunEngineServiceAsyncStub
    from queueserver.manager.v1.server_service_pb2_grpc import ServerServiceAsyncStub
    from queueserver.manager.v1.status_service_pb2_grpc import StatusServiceAsyncStub
    from queueserver.manager.v1.task_service_pb2_grpc import TaskServiceAsyncStub

#: Pairs that are sent with a call.
Metadata: TypeAlias = "tuple[tuple[str, str | bytes], ...]"
ADDRESS_VARIABLE = "QSERVER_ADDRESS"
OTHER_ADDRESS_VARIABLE = "QUEUESERVER_ADDRESS"
DEFAULT_PORT = 60630
DEFAULT_ADDRESS = f"127.0.0.1:{DEFAULT_PORT}"
#: A silent connection is tested this often, so a dead server is noticed without traffic.
KEEPALIVE_SECONDS = 10
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
RECONNECT_SECONDS = 1.0
#: Seconds until an attempt to connect is given up, because its packets may be sent to a container that has ended while
#: a new one is in its place; and the same where there are other addresses to go to.
ATTEMPT_SECONDS, ATTEMPT_SECONDS_OF_SEVERAL = 5.0, 1.0

_OPTIONS = (
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # The bound of the ping itself, which is a minute by default and would count in place of the other.
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", int(RECONNECT_SECONDS * 1000)),
    # Otherwise a new client would wait, or give up, because another one of this process failed to connect a moment ago.
    ("grpc.use_local_subchannel_pool", 1),
    # A Manager may come back at another address of the same name; by default a name is looked up every 30 s.
    ("grpc.dns_min_time_between_resolutions_ms", 500),
    # A question that a name server does not answer.
    ("grpc.dns_ares_query_timeout", 2_000),
    # An instrument is on the local network: a web proxy must not swallow the calls.
    ("grpc.enable_http_proxy", 0),
)

_HOST_AND_PORT = re.compile(r"(?P<host>[^\s:/*\[\]]+|\[[0-9a-fA-F:.%\w]+\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_IPV6 = re.compile(r"[0-9a-fA-F.]*(?::[0-9a-fA-F.]*){2,}(?:%\w+)?", re.ASCII)


class Stubs:
    """The generated stub of each service, made on its first use."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    @cached_property
    def status(self) -> StatusServiceAsyncStub:
        """StatusService."""
        from queueserver.manager.v1.status_service_pb2_grpc import StatusServiceStub  # noqa: PLC0415 - only what is used

        return StatusServiceStub(self._channel)

    @cached_property
    def queue(self) -> QueueServiceAsyncStub:
        """QueueService."""
        from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceStub  # noqa: PLC0415 - only what is used

        return QueueServiceStub(self._channel)

    @cached_property
    def run_engine(self) -> RunEngineServiceAsyncStub:
        """RunEngineService."""
        from queueserver.manager.v1.run_engine_service_pb2_grpc import RunEngineServiceStub  # noqa: PLC0415 - only what is used

        return RunEngineServiceStub(self._channel)

    @cached_property
    def server(self) -> ServerServiceAsyncStub:
        """ServerService."""
        from queueserver.manager.v1.server_service_pb2_grpc import ServerServiceStub  # noqa: PLC0415 - only what is used

        return ServerServiceStub(self._channel)

    @cached_property
    def environment(self) -> EnvironmentServiceAsyncStub:
        """EnvironmentService."""
        from queueserver.manager.v1.environment_service_pb2_grpc import EnvironmentServiceStub  # noqa: PLC0415 - only what is used

        return EnvironmentServiceStub(self._channel)

    @cached_property
    def history(self) -> HistoryServiceAsyncStub:
        """HistoryService."""
        from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceStub  # noqa: PLC0415 - only what is used

        return HistoryServiceStub(self._channel)

    @cached_property
    def inventory(self) -> InventoryServiceAsyncStub:
        """InventoryService."""
        from queueserver.manager.v1.inventory_service_pb2_grpc import InventoryServiceStub  # noqa: PLC0415 - only what is used

        return InventoryServiceStub(self._channel)

    @cached_property
    def tasks(self) -> TaskServiceAsyncStub:
        """TaskService."""
        from queueserver.manager.v1.task_service_pb2_grpc import TaskServiceStub  # noqa: PLC0415 - only what is used

        return TaskServiceStub(self._channel)

    @cached_property
    def permissions(self) -> PermissionServiceAsyncStub:
        """PermissionService."""
        from queueserver.manager.v1.permission_service_pb2_grpc import PermissionServiceStub  # noqa: PLC0415 - only what is used

        return PermissionServiceStub(self._channel)

    @cached_property
    def planning(self) -> PlanningServiceAsyncStub:
        """PlanningService."""
        from queueserver.manager.v1.planning_service_pb2_grpc import PlanningServiceStub  # noqa: PLC0415 - only what is used

        return PlanningServiceStub(self._channel)

    @cached_property
    def lock(self) -> LockServiceAsyncStub:
        """LockService."""
        from queueserver.manager.v1.lock_service_pb2_grpc import LockServiceStub  # noqa: PLC0415 - only what is used

        return LockServiceStub(self._channel)

    @cached_property
    def events(self) -> EventServiceAsyncStub:
        """EventService."""
        from queueserver.manager.v1.event_service_pb2_grpc import EventServiceStub  # noqa: PLC0415 - only what is used

        return EventServiceStub(self._channel)


def prepare(homes: Sequence[str]) -> tuple[FailoverChannel, Stubs]:
    """The channel to the owner, starting at the first of some addresses, and the services. Nothing is opened yet."""
    attempt = ATTEMPT_SECONDS_OF_SEVERAL if len(homes) > 1 else ATTEMPT_SECONDS
    owner = FailoverChannel(homes, (*_OPTIONS, ("grpc.min_reconnect_backoff_ms", int(attempt * 1000))))
    return owner, Stubs(cast("grpc.aio.Channel", owner))


def whole_addresses(given: str | None) -> Sequence[str]:
    """Each of the addresses, which commas separate, with its port; those of the environment variable, or the default.

    Raises ValueError for what can't be an address.
    """
    address = given or os.environ.get(ADDRESS_VARIABLE) or os.environ.get(OTHER_ADDRESS_VARIABLE) or DEFAULT_ADDRESS
    if address.startswith(("ipv4:", "ipv6:")):
        return [address]  # gRPC has lists of its own there
    return [whole_address(each.strip()) for each in address.split(",")]


def whole_address(address: str) -> str:
    """The address with its port. Raises ValueError for what can't be an address."""
    if address.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return address
    if _IPV6.fullmatch(address):
        address = f"[{address}]"
    found = _HOST_AND_PORT.fullmatch(address)
    if found is None or not 0 < int(found["port"] or DEFAULT_PORT) < 65536:  # noqa: PLR2004 - ports are of 16 bits
        raise ValueError(f"{address!r} is not an address of a server: say HOST:PORT, as in localhost:{DEFAULT_PORT}.")
    if found["host"].isdecimal():
        # Resolvers take a number for an IPv4 address: 61333 for 0.0.239.149.
        port = found["port"] or found["host"]
        raise ValueError(f"{address!r} names no host: say HOST:PORT, as in localhost:{port}.")
    return f"{found['host']}:{found['port'] or DEFAULT_PORT}"


@dataclass(frozen=True)
class CallTerms:
    """What is different for one call of a connection."""

    #: Sent in place of the user and group of the connection.
    caller: Metadata | None = None
    #: Seconds that it may take in place of those of the connection.
    timeout: float | None = None


AS_USUAL = CallTerms()
#: Says that the group root is meant; without it, the Manager takes that group for a mistake.
ROOT_IS_MEANT: Metadata = (("qserver-root-submits", "true"),)


def identity(user: str | None, user_group: str | None, lock_key: str | None = None) -> Metadata:
    """The caller, as the Manager reads it, and the key of the lock. Names are trusted only without credentials.

    Raises ValueError for a name or key that is empty or no text.
    """
    pairs = (("qserver-user", user), ("qserver-user-group", user_group), ("x-lock-key", lock_key))
    return tuple(_header(key, name) for key, name in pairs if name is not None)


def _header(key: str, name: str) -> tuple[str, str | bytes]:
    """A name under its plain key if that can carry it, else in UTF-8 under the binary one."""
    if not name:
        raise ValueError(f"{_known_as(key)} must not be empty.")
    if name.isascii() and name.isprintable() and name == name.strip():
        return key, name
    try:
        return f"{key}-bin", name.encode()
    except UnicodeEncodeError as error:
        # Without the text: it may be a secret.
        raise ValueError(f"{_known_as(key)} must be text, and has half a character at {error.start}.") from None


def _known_as(key: str) -> str:
    return key.removeprefix("qserver-").removeprefix("x-")
