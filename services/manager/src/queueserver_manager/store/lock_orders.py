"""Orders to clear the lock, in a stream: read as they come, and left there until the ledger settles them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queueserver_long_work.time_slice import next_turn_after
from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.domain.lock.locking import ClearOrder
from queueserver_manager.store.connection import COMMAND_TIMEOUT, answered_within, wait_for_answer
from queueserver_manager.store.keys import Keys

#: Seconds for which one read waits for an order: then a connection that is dead without saying so is noticed.
_WAIT_SECONDS = 20.0
#: Seconds until the next attempt with a Redis that answers but does not read.
_RETRY_SECONDS = 1.0
#: More orders than there will ever be: each settles the lock that it means.
_MOST = 100
_FIELD = b"lock"


class RedisLockOrders:
    """The orders of one prefix."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._key = Keys(prefix).lock_orders

    async def waiting(self) -> Sequence[ClearOrder]:
        """Orders that are there; none if Redis does not answer."""
        try:
            async with answered_within():
                entries: Any = await self._redis.xrange(self._key, count=_MOST)
        except (RedisError, OSError):
            return ()
        return [_order(*entry) for entry in entries]

    async def next(self) -> ClearOrder:
        """The oldest order that is not settled, when there is one."""
        while True:
            try:
                async with answered_within(_WAIT_SECONDS + COMMAND_TIMEOUT):
                    answer: Any = await self._redis.xread({self._key: "0"}, count=1, block=round(_WAIT_SECONDS * 1000))
            except (RedisError, OSError):
                await next_turn_after(_RETRY_SECONDS)
                await wait_for_answer(self._redis)
                continue
            if answer:
                return _order(*answer[0][1][0])


def _order(order_id: bytes, fields: dict[bytes, bytes]) -> ClearOrder:
    return ClearOrder(order_id.decode(), fields.get(_FIELD, b"").decode(errors="replace"))
