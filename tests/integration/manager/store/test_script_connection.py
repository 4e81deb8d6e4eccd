"""The connection for commits: it survives whatever Redis forgets."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import pytest
import redis as blocking
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.store.connection import connect
from queueserver_manager.store.port import StoreDown
from queueserver_manager.store.script_connection import ScriptConnection
from redis.exceptions import RedisError, ResponseError

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded
from tests.integration.manager.store.owner import Owner, owner

COUNT = b"redis.call('INCRBY', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])"


async def test_a_commit_goes_on_after_redis_has_forgotten_its_scripts(new: Owner, client: blocking.Redis) -> None:
    await new.put("a")
    client.script_flush()
    await new.put("b")
    assert [item.uid for item in (await new.store.load()).queue] == ["a", "b"]


async def test_a_script_that_redis_does_not_know_is_run_once(
    shared_redis: RedisProcess, client: blocking.Redis
) -> None:
    redis = connect(shared_redis.url)
    line = ScriptConnection(redis, COUNT)
    for total in (5, 10, 15):
        client.script_flush()
        assert await line.run(["once"], [5]) == str(total).encode()
    await line.close()
    await redis.aclose()


async def test_a_connection_that_redis_has_closed_is_replaced_before_a_commit_is_sent(
    redis_server: RedisProcess,
) -> None:
    async with owner(redis_server.url) as owning:
        await owning.put("a")
        redis_server.kill()
        redis_server.start()
        await bounded(owning.store.wait_until_up())
        await owning.put("b")
        assert [item.uid for item in (await owning.store.load()).queue] == ["a", "b"]


async def test_a_commit_sent_in_the_moment_of_a_restart_is_stored_once_or_not(redis_server: RedisProcess) -> None:
    async with owner(redis_server.url) as owning:
        await owning.put("a")
        redis_server.kill()
        redis_server.start()
        with suppress(StoreDown):
            await bounded(owning.put("b"))
        await bounded(owning.store.wait_until_up())
        owning.record = await owning.store.load()
        before = [item.uid for item in owning.record.queue]
        assert before in (["a"], ["a", "b"])
        await owning.put("c")
        assert [item.uid for item in (await owning.store.load()).queue] == [*before, "c"]


async def test_a_commit_that_could_not_be_sent_is_known_not_to_be_stored(redis_server: RedisProcess) -> None:
    async with owner(redis_server.url) as owning:
        await owning.put("a")
        redis_server.kill()
        for _ in range(3):
            # The kernel has ended the connection, and so the event loop learns it.
            await next_turn()
        with pytest.raises(StoreDown) as caught:
            await bounded(owning.put("b"))
        assert caught.value.fate_known
        redis_server.start()
        owning.record = await owning.store.load()
        assert [item.uid for item in owning.record.queue] == ["a"]
        redis_server.send(signal.SIGSTOP)
        with pytest.raises(StoreDown) as caught:
            await bounded(owning.put("b"))
        redis_server.send(signal.SIGCONT)
        assert not caught.value.fate_known


async def test_calls_one_after_another_use_one_connection(shared_redis: RedisProcess, client: blocking.Redis) -> None:
    redis = connect(shared_redis.url)
    line = ScriptConnection(redis, COUNT)
    before = client.info("stats")["total_connections_received"]
    for _ in range(20):
        await line.run(["calls"], [1])
    assert client.info("stats")["total_connections_received"] == before + 1
    await line.close()
    await redis.aclose()


async def test_a_script_that_fails_says_so_and_the_next_call_works(shared_redis: RedisProcess) -> None:
    redis = connect(shared_redis.url)
    line = ScriptConnection(redis, COUNT)
    with pytest.raises(ResponseError):
        await line.run(["fails"], ["no number"])
    assert await line.run(["fails"], [1]) == b"1"
    await line.close()
    await redis.aclose()


async def test_words_of_every_type_and_size_arrive_as_they_are(shared_redis: RedisProcess) -> None:
    redis = connect(shared_redis.url)
    line = ScriptConnection(redis, b"return table.concat(ARGV, '|')")
    words = ["zähle \N{SNOWMAN}", b"\x00\xff\r\n", 2**53, -1, "", "x" * 1_000_000]
    expected = b"|".join(word if isinstance(word, bytes) else str(word).encode() for word in words)
    assert await line.run(["words"], words) == expected
    await line.close()
    await redis.aclose()


async def cancel(call: asyncio.Task[bytes]) -> None:
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_call_that_is_cancelled_does_not_leave_its_answer_to_the_next(redis_server: RedisProcess) -> None:
    redis = connect(redis_server.url)
    line = ScriptConnection(redis, b"return ARGV[1]")
    assert await line.run([], ["first"]) == b"first"
    redis_server.send(signal.SIGSTOP)
    try:
        call = asyncio.create_task(line.run([], ["cancelled"]))
        done, _ = await asyncio.wait([call], timeout=0.05)
        assert not done
        await cancel(call)
    finally:
        redis_server.send(signal.SIGCONT)
    assert await bounded(line.run([], ["next"])) == b"next"
    await line.close()
    await redis.aclose()


async def test_a_call_that_is_cancelled_amid_sending_leaves_no_half_command_to_the_next(
    redis_server: RedisProcess,
) -> None:
    redis = connect(redis_server.url)
    line = ScriptConnection(redis, b"return ARGV[1]")
    assert await line.run([], ["first"]) == b"first"
    for turns in range(1, 60, 7):
        call = asyncio.create_task(line.run([], ["x" * 50] * 200_000))
        for _ in range(turns):
            await next_turn()
        assert not call.done()
        await cancel(call)
        assert await bounded(line.run([], ["next"])) == b"next"
    await line.close()
    await redis.aclose()


async def test_a_call_that_is_cancelled_in_the_moment_of_its_answer_is_cancelled(
    shared_redis: RedisProcess, client: blocking.Redis
) -> None:
    """Whoever ends the caller waits for that, and would wait forever."""
    redis = connect(shared_redis.url)
    line = ScriptConnection(redis, b"return redis.call('RPUSH', KEYS[1], ARGV[1])")
    for moment in range(12):
        await line.run(["connects"], [1])
        call = asyncio.create_task(line.run(["moment"], [1]))
        for _ in range(2):
            await next_turn()
        # It is sent; the answer arrives while nobody looks.
        assert client.blpop(["moment"], timeout=10)
        for _ in range(moment):
            await next_turn()
        if call.cancel():
            with pytest.raises(asyncio.CancelledError):
                await bounded(call)
    assert call.done()
    await line.close()
    await redis.aclose()


async def test_nothing_more_is_sent_of_a_call_that_was_cancelled(redis_server: RedisProcess) -> None:
    redis = connect(redis_server.url)
    line = ScriptConnection(redis, b"return ARGV[1]")
    assert await line.run([], ["first"]) == b"first"
    assert line._connection is not None
    assert line._connection._writer is not None
    transport = line._connection._writer.transport
    redis_server.send(signal.SIGSTOP)
    try:
        call = asyncio.create_task(line.run([], ["x" * 50] * 200_000))
        while not transport.get_write_buffer_size():
            await next_turn()
        await cancel(call)
        assert transport.get_write_buffer_size() == 0
    finally:
        redis_server.send(signal.SIGCONT)
    assert await bounded(line.run([], ["next"])) == b"next"
    await line.close()
    await redis.aclose()


async def test_a_line_to_nobody_fails_and_can_be_closed(redis_server: RedisProcess) -> None:
    redis = connect(redis_server.url)
    line = ScriptConnection(redis, COUNT)
    redis_server.kill()
    with pytest.raises((RedisError, OSError)):
        await bounded(line.run(["nobody"], [1]))
    await line.close()
    await line.close()
    await redis.aclose()
