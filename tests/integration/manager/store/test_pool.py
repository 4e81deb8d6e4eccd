"""Redis by a name whose look-up takes longer than an attempt to connect may, and which connections are used first."""

from __future__ import annotations

import asyncio

import pytest
from queueserver_manager.store.connection import answered_within, connect, have_ready
from redis.exceptions import RedisError

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded
from tests.integration.manager.store.slow_names import NAME, SlowNames


async def test_an_answer_that_comes_after_an_attempt_was_given_up_serves_the_next_one(
    redis_at_port: RedisProcess, names: SlowNames
) -> None:
    redis = connect(redis_at_port.url.replace("127.0.0.1", NAME))
    for _ in range(2):
        with pytest.raises(RedisError):
            async with answered_within(0.05):
                await redis.ping()
    waiting = [asyncio.ensure_future(redis.ping()) for _ in range(3)]
    names.answering.set()
    await bounded(asyncio.gather(*waiting))
    assert names.asked == [NAME]
    await redis.connection_pool.disconnect()
    await bounded(redis.ping())
    assert names.asked == [NAME, NAME]
    await redis.aclose()


async def test_a_name_that_is_not_known_is_asked_for_again_and_the_error_says_so(
    redis_at_port: RedisProcess, names: SlowNames
) -> None:
    redis = connect(redis_at_port.url.replace("127.0.0.1", NAME))
    names.place = ""
    names.answering.set()
    with pytest.raises(RedisError, match=rf"connecting to {NAME}:\d+\. Name or service not known"):
        await bounded(redis.ping())
    names.place = "127.0.0.1"
    await bounded(redis.ping())
    await redis.aclose()


async def test_a_connection_that_works_is_taken_before_one_that_broke(redis_server: RedisProcess) -> None:
    redis = connect(redis_server.url)
    await have_ready(redis, 3)
    pool = redis.connection_pool
    taken = [await pool.get_connection() for _ in range(3)]
    for connection in taken[1:]:
        await connection.disconnect()
    for connection in taken:
        await pool.release(connection)
    assert await pool.get_connection() is taken[0]
    await pool.release(taken[0])
    await redis.aclose()
