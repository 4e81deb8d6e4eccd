"""One question to one Redis server or Sentinel, on a connection of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from queueserver_long_work.patience import within
from queueserver_rpc.redis_places import Places
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.exceptions import ConnectionError as RedisConnectionError

from queueserver_manager.store.pool import with_names

SECONDS = 1.0
Place = tuple[str, int]


def server_at(places: Places, place: Place, options: dict[str, Any], *, identify: bool = True) -> Redis:
    """Client of one server, with the user and password of an address unless it is not to ``identify``."""
    changes = {} if identify else {"username": None, "password": None}
    known = {**parse_url(places.url_of(*place)), "db": 0, **options, **changes}
    return Redis.from_pool(ConnectionPool(**with_names(known, options["names"])))


async def ask(places: Places, place: Place, options: dict[str, Any], *words: str, identify: bool = True) -> Any:
    """What one server answers. Raises redis.RedisError, OSError."""
    redis = server_at(places, place, options, identify=identify)
    try:
        async with within(SECONDS):
            return await redis.execute_command(*words)  # type: ignore[no-untyped-call] # it has no types
    except asyncio.TimeoutError as error:
        raise RedisConnectionError("no answer") from error
    finally:
        closing = asyncio.create_task(redis.aclose())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            # redis-py would leave the connection open.
            await closing
            raise
