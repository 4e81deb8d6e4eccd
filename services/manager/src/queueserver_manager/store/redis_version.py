"""The version of the Redis server."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.store.connection import answered_within

_SECONDS = 1.0
_MAX_TEXT = 100


async def redis_version(redis: Redis) -> str:
    """Version of the server, for example "7.2.4"; empty if it does not say so in time."""
    try:
        async with answered_within(_SECONDS):
            told = await redis.info("server")
    except (RedisError, OSError):
        return ""
    return str(told.get("redis_version", ""))[:_MAX_TEXT]
