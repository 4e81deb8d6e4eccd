"""Orders to clear the lock, as ``qserver-clear-lock`` leaves them in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis as blocking
from queueserver_manager.domain.changes import SettleClearOrder
from queueserver_manager.domain.lock.locking import ClearOrder
from queueserver_manager.store.lock_orders import RedisLockOrders

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded
from tests.integration.manager.store.owner import Owner, owner


@pytest.fixture
async def owning(redis_server: RedisProcess) -> AsyncIterator[Owner]:
    async with owner(redis_server.url) as opened:
        yield opened


@pytest.fixture
def orders(owning: Owner) -> RedisLockOrders:
    return RedisLockOrders(owning.redis, owning.prefix)


async def leave(owning: Owner, lock: str, field: str = "lock") -> str:
    order_id: Any = await owning.redis.xadd(owning.keys.lock_orders, {field: lock})
    return str(order_id.decode())


async def test_an_order_is_there_until_a_commit_settles_it_and_tells_who_gave_it(
    owning: Owner, orders: RedisLockOrders
) -> None:
    assert list(await orders.waiting()) == []
    first, second = await leave(owning, "a lock"), await leave(owning, "another")
    assert list(await orders.waiting()) == [ClearOrder(first, "a lock"), ClearOrder(second, "another")]
    assert await bounded(orders.next()) == await bounded(orders.next()) == ClearOrder(first, "a lock")
    await owning.commit(([SettleClearOrder(first, cleared=True)], []))
    assert await bounded(orders.next()) == ClearOrder(second, "another")
    await owning.commit(([SettleClearOrder(second, cleared=False)], []))
    answers = [await owning.redis.lrange(f"{owning.keys.lock_answers}:{one}", 0, -1) for one in (first, second)]
    assert answers == [[b"cleared"], [b"other"]]
    assert 0 < await owning.redis.pttl(f"{owning.keys.lock_answers}:{first}") <= 60_000


async def test_an_order_is_heard_when_it_comes(owning: Owner, orders: RedisLockOrders) -> None:
    waiting = asyncio.create_task(orders.next())
    # Whichever of the two comes first, it is heard.
    order_id = await leave(owning, "a lock")
    assert await bounded(waiting) == ClearOrder(order_id, "a lock")


async def test_what_is_no_order_means_no_lock(owning: Owner, orders: RedisLockOrders) -> None:
    order_id = await leave(owning, "a lock", field="other")
    assert list(await orders.waiting()) == [ClearOrder(order_id, "")]
    strange = await leave(owning, "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"))
    assert [one.order_id for one in await orders.waiting()] == [order_id, strange]


async def test_a_key_of_another_kind_is_no_order_and_when_it_is_gone_orders_are_heard(
    owning: Owner, orders: RedisLockOrders, redis_server: RedisProcess
) -> None:
    await owning.redis.set(owning.keys.lock_orders, "not a stream")
    assert list(await orders.waiting()) == []
    waiting = asyncio.create_task(orders.next())
    with redis_server.connect() as other:
        assert isinstance(other, blocking.Redis)
        other.delete(owning.keys.lock_orders)
    order_id = await leave(owning, "a lock")
    assert await bounded(waiting) == ClearOrder(order_id, "a lock")
