"""Reads everything that a store holds, some megabytes at a time.

In one piece, Redis would copy all of it before sending it, and serve no other client meanwhile.

Guarantee: what is read is of one moment. Only the owner writes, and a commit of an owner before it is refused by its
epoch; so the one thing that can come between is a commit of ours whose answer was lost, and then all is read again.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from redis.asyncio import Redis

from queueserver_manager.store.connection import answered_within
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.loading import Stored

#: Seconds that one answer may take.
_TIMEOUT = 20.0
#: What is read at once: few fields at first, since each may be long, then as many as have about this many bytes.
_FEW, _MOST, _BYTES = 8, 1000, 2 * 1024 * 1024


async def read_all(redis: Redis, keys: Keys) -> Stored:
    """Everything. Raises redis.RedisError."""
    while True:
        meta = await _answer(redis.hgetall(keys.meta))
        stored = Stored(
            meta=meta,
            items=await _hash(redis, keys.items),
            order=await _answer(redis.zrange(keys.order, 0, -1, withscores=True)),
            history=await _hash(redis, keys.history),
            requests=await _hash(redis, keys.requests),
            tasks=await _hash(redis, keys.tasks),
            running=await _answer(redis.get(keys.running)),
            queue_activity=await _answer(redis.get(keys.execution)),
            inventory=await _answer(redis.get(keys.inventory)),
            permissions=await _answer(redis.get(keys.permissions)),
            mode=await _answer(redis.get(keys.mode)),
            autostart=await _answer(redis.get(keys.autostart)),
            lock=await _answer(redis.get(keys.lock)),
            imports=await _answer(redis.hgetall(keys.imports)),
        )
        if await _answer(redis.hgetall(keys.meta)) == meta:
            return stored


async def _hash(redis: Redis, key: str) -> dict[bytes, bytes]:
    fields = await _answer(redis.hkeys(key))
    found: dict[bytes, bytes] = {}
    start, count = 0, _FEW
    while start < len(fields):
        some = fields[start : start + count]
        values = await _answer(redis.hmget(key, some))
        found.update((field, value) for field, value in zip(some, values, strict=True) if value is not None)
        start += len(some)
        size = sum(len(value) for value in values if value is not None)
        count = max(1, min(_MOST, 2 * count, count * _BYTES // max(size, 1)))
    return found


async def _answer(answer: Awaitable[Any]) -> Any:
    async with answered_within(_TIMEOUT):
        return await answer
