"""Connections to a Redis whose primary moves: each new one asks first where the primary is now.

A connection is given up as soon as its server says that it is not the primary any more; the next one asks again. All
are given up when Sentinels tell a new one that the primary has moved.
Guarantee: what is sent on a connection reaches a server that took itself for the primary when the connection began.
Two servers may do so at once for a while; :func:`require_primary` tells which of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from queueserver_rpc.redis_places import SENTINEL, Places
from redis.asyncio import Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, MovedError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from queueserver_manager.store.pool import NamedConnection, Names, Pool
from queueserver_manager.store.primary.asking import Place, ask
from queueserver_manager.store.primary.sentinels import Sentinels

#: What a server says that is not the primary any more.
_GIVE_UP = (ReadOnlyError, MovedError, ClusterDownError)


class Locator(Protocol):
    """Finds the primary."""

    async def find(self) -> Place:
        """Host and port. Raises redis.ConnectionError."""


class _Found(NamedConnection):
    """A connection to the primary, wherever that is when it connects."""

    def __init__(self, *, locator: Locator, **options: Any) -> None:
        self._locator = locator
        super().__init__(**options)

    async def _connect(self) -> None:
        self.host, self.port = await self._locator.find()
        await super()._connect()

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        """Greet the server, which must take itself for the primary."""
        await super().on_connect_check_health(check_health)
        await self.send_command("ROLE", check_health=False)
        answer: Any = await self.read_response()
        if answer[0] not in (b"master", "master"):
            raise RedisConnectionError(f"{self.host}:{self.port} is a replica")

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """As always; a server that is not the primary any more is left."""
        try:
            return await super().read_response(*arguments, **options)
        except _GIVE_UP:
            await self.disconnect(nowait=True)
            raise


class _FoundEncrypted(_Found, SSLConnection):
    pass


class _SentinelPool(Pool):
    """Connections to the primary that Sentinels name."""

    def __init__(self, sentinels: Sentinels, **options: Any) -> None:
        self.sentinels = sentinels
        super().__init__(**options)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Close idle connections, or all of them and those to the Sentinels. The next command opens new ones."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            await self.sentinels.close()


def redis_at(places: Places, key: str, options: dict[str, Any]) -> Redis:
    """Client of a Redis that is found; ``key`` is one of the keys that it will use. Raises what redis-py raises."""
    options = {**options, "names": Names()}
    known: dict[str, Any] = {**parse_url(places.url_of("primary", 1)), **options}
    known.pop("connection_class", None)
    kind = _FoundEncrypted if places.encrypted else _Found
    if places.kind != SENTINEL:
        return Redis.from_pool(Pool(connection_class=kind, locator=_Nodes(places, options, key), **known))
    sentinels = Sentinels(places, options)
    pool = _SentinelPool(sentinels, connection_class=kind, locator=sentinels, **known)
    sentinels.on_move = pool.disconnect
    return Redis.from_pool(pool)


async def require_primary(redis: Redis, server: str) -> None:
    """Return if a server (``HOST:PORT``) is the primary now and is not being replaced, where Sentinels can tell.

    What it did before is no change of an old primary then. Raises PrimaryInDoubtError.
    """
    pool = redis.connection_pool
    if isinstance(pool, _SentinelPool):
        await pool.sentinels.require(server)


class _Nodes:
    """The primary is the node of a cluster that has the slot of our keys. All have the same one."""

    def __init__(self, places: Places, options: dict[str, Any], key: str) -> None:
        self._places, self._options = places, options
        self._slot = key_slot(key.encode())
        #: Nodes that were heard of; one of them may be there when none of the address is.
        self._heard: Sequence[Place] = ()
        self._turn = -1

    async def find(self) -> Place:
        told: list[str] = []
        nodes = list(dict.fromkeys((*self._heard, *self._places.hosts)))
        # Each time another one is asked first: one that is cut off from the others does not know what has moved.
        self._turn = (self._turn + 1) % len(nodes)
        for node in nodes[self._turn :] + nodes[: self._turn]:
            try:
                slots: Any = await ask(self._places, node, self._options, "CLUSTER", "SLOTS")
            except (RedisError, OSError) as error:
                told.append(f"{node[0]}:{node[1]}: {str(error) or type(error).__name__}")
                continue
            place = self._owner(slots, node)
            if place is not None:
                return place
            told.append(f"{node[0]}:{node[1]}: no node has slot {self._slot}")
        raise RedisConnectionError("; ".join(told))

    def _owner(self, slots: Any, asked: Place) -> Place | None:
        heard: list[Place] = []
        owner: Place | None = None
        for first, last, *nodes in slots:
            # A node that does not know its own address leaves it out.
            places = [(host.decode() or asked[0], int(port)) for host, port, *_ in nodes]
            heard += places
            if int(first) <= self._slot <= int(last) and places:
                owner = places[0]
        self._heard = tuple(dict.fromkeys(heard))
        return owner
