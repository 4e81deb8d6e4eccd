"""Connections to Redis: those that work are used first, and a slow name server is not asked in vain.

A name server may need seconds, above all in containers, when one of several that are asked in turn does not answer.
That may be longer than an attempt to connect may take: then the next attempt has the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from queueserver_rpc.resolving import NameLookup, Place
from redis.asyncio import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection


class Names:
    """The names that connections lead to. Belongs to one event loop."""

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, int], NameLookup] = {}

    async def places(self, host: str, port: int) -> Sequence[Place]:
        """Where a name leads. Raises OSError."""
        return await self._lookups.setdefault((host, port), NameLookup(host, port)).places()


class NamedConnection(Connection):
    """A connection over TCP."""

    def __init__(self, *, names: Names, **options: Any) -> None:
        self._names = names
        #: Address to which it connects now.
        self._place = ""
        super().__init__(**options)

    async def _connect(self) -> None:
        problem = None
        for _, place in await self._names.places(self.host, self.port):
            self._place = place[0]
            try:
                await super()._connect()  # type: ignore[no-untyped-call] # it has no types
            except OSError as error:
                problem = problem or error
            else:
                return
        if problem is not None:
            raise problem

    def _connection_arguments(self) -> Mapping[str, Any]:
        arguments: dict[str, Any] = dict(super()._connection_arguments())
        if "ssl" in arguments:
            # The certificate is for the name.
            arguments["server_hostname"] = self.host
        return {**arguments, "host": self._place}


class NamedEncrypted(NamedConnection, SSLConnection):
    """The same with TLS."""


def with_names(options: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Options of a pool whose connections look names up like this; a unix socket has no name."""
    kind = options.get("connection_class", Connection)
    if issubclass(kind, UnixDomainSocketConnection):
        return dict(options)
    return {
        **options,
        "names": names,
        "connection_class": NamedEncrypted if issubclass(kind, SSLConnection) else NamedConnection,
    }


class Pool(ConnectionPool):
    """Hands out connections that work before those that would have to be made anew.

    The library takes the one that was used last, which after an outage may well be the one that broke.
    """

    def get_available_connection(self) -> AbstractConnection:
        """One that is not in use."""
        self._available_connections.sort(key=_works)
        taken: AbstractConnection = super().get_available_connection()  # type: ignore[no-untyped-call] # it has no types
        return taken


def hung_up(connection: AbstractConnection) -> bool:
    """Whether Redis has closed a connection."""
    reader = connection._reader  # noqa: SLF001 - redis-py tells it only to readers and writers
    return reader is not None and reader.at_eof()


def _works(connection: AbstractConnection) -> bool:
    return connection.is_connected and not hung_up(connection)
