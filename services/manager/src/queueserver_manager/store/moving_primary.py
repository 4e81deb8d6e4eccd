"""Connections to a Redis whose primary moves: each new one asks first where the primary is now.

A connection is given up as soon as its server says that it is not the primary any more; the next one asks again. All
are given up when Sentinels tell a new one that the primary has moved.
Guarantee: what is sent on a connection reaches a server that took itself for the primary when the connection began.
Two servers may do so at once for a while; see ``--redis-replicas``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from queueserver_long_work.patience import within
from queueserver_rpc.redis_places import SENTINEL, Places
from redis.asyncio import ConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.crc import key_slot
from redis.exceptions import AuthenticationError, ClusterDownError, MovedError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from queueserver_manager.store.pool import NamedConnection, Names, Pool, with_names

_SECONDS = 1.0
#: What a server says that is not the primary any more.
_GIVE_UP = (ReadOnlyError, MovedError, ClusterDownError)
_log = logging.getLogger(__name__)
Place = tuple[str, int]


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


def redis_at(places: Places, key: str, options: dict[str, Any]) -> Redis:
    """Client of a Redis that is found; ``key`` is one of the keys that it will use. Raises what redis-py raises."""
    options = {**options, "names": Names()}
    known: dict[str, Any] = {**parse_url(places.url_of("primary", 1)), **options}
    known.pop("connection_class", None)
    locator = _Sentinels(places, options) if places.kind == SENTINEL else _Nodes(places, options, key)
    kind = _FoundEncrypted if places.encrypted else _Found
    pool = Pool(connection_class=kind, locator=locator, **known)
    if isinstance(locator, _Sentinels):
        locator.on_move = pool.disconnect
    return Redis.from_pool(pool)


async def _ask(places: Places, place: Place, options: dict[str, Any], *words: str, identify: bool = True) -> Any:
    """What one server answers. Raises redis.RedisError, OSError."""
    url = places.url_of(*place)
    changes = {} if identify else {"username": None, "password": None}
    known = with_names({**_options_of(url), **options, **changes}, options["names"])
    redis: Redis = Redis.from_pool(ConnectionPool(**known))
    try:
        async with within(_SECONDS):
            return await redis.execute_command(*words)  # type: ignore[no-untyped-call] # it has no types
    except asyncio.TimeoutError as error:
        raise RedisConnectionError("no answer") from error
    finally:
        await redis.aclose()


def _options_of(url: str) -> dict[str, Any]:
    return {**parse_url(url), "db": 0}


class _Sentinels:
    """The primary is where most of the Sentinels say: one that was away may not know yet that it has moved."""

    def __init__(self, places: Places, options: dict[str, Any]) -> None:
        self._places, self._options = places, options
        self._last: Place | None = None
        #: Ends all connections. One that leads to the old primary might still be answered, by what is out of date.
        self.on_move: Callable[[], Awaitable[None]] | None = None

    async def find(self) -> Place:
        said = await asyncio.gather(*map(self._ask, self._places.hosts))
        places = Counter(one for one in said if isinstance(one, tuple))
        (place, count), *_ = places.most_common(1) or [(("", 0), 0)]
        if 2 * count <= len(said):
            raise RedisConnectionError(
                f"{count} of {len(said)} Sentinels agree on where {self._places.name} is: {_told(said)}"
            )
        if place != self._last:
            _log.info("The primary of %s is at %s:%d", self._places.name, *place)
            before, self._last = self._last, place
            if before is not None and self.on_move is not None:
                await self.on_move()
        return place

    async def _ask(self, sentinel: Place) -> Place | str:
        """Where the primary is, or why this Sentinel does not say."""
        words = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._places.name)
        try:
            try:
                answer = await _ask(self._places, sentinel, self._options, *words, identify=False)
            except AuthenticationError:
                answer = await _ask(self._places, sentinel, self._options, *words)
        except (RedisError, OSError) as error:
            return str(error) or type(error).__name__
        if not answer:
            return "it does not know that name"
        host, port = (part.decode() if isinstance(part, bytes) else part for part in answer)
        return str(host), int(port)


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
                slots: Any = await _ask(self._places, node, self._options, "CLUSTER", "SLOTS")
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


def _told(said: Sequence[Place | str]) -> str:
    return "; ".join(dict.fromkeys(one if isinstance(one, str) else f"{one[0]}:{one[1]}" for one in said))
