"""Addresses of Redis, what is said about wrong ones, and waiting for a Redis that is away."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest
from queueserver_manager.store.connection import AddressError, answers, connect, wait_for_answer
from queueserver_manager.store.port import StoreDown
from redis.asyncio import Redis, SSLConnection

from tests.harness.redis import RedisProcess, new_password
from tests.harness.wait import bounded
from tests.integration.manager.store.owner import owner, state


def parts(redis: Redis) -> dict[str, Any]:
    known = redis.connection_pool.connection_kwargs
    return {name: known[name] for name in ("host", "port", "db", "path", "username", "password") if known.get(name)}


@pytest.mark.parametrize(
    ("address", "understood"),
    [
        ("localhost", {"host": "localhost"}),
        ("localhost:6390", {"host": "localhost", "port": 6390}),
        ("localhost:6390/3", {"host": "localhost", "port": 6390, "db": 3}),
        ("[::1]:6390", {"host": "::1", "port": 6390}),
        ("redis://h", {"host": "h"}),
        ("redis://h:1/", {"host": "h", "port": 1}),
        ("redis://jane:secret@h:1/2", {"host": "h", "port": 1, "db": 2, "username": "jane", "password": "secret"}),
        ("redis://:s%40cr%2Fet@h", {"host": "h", "password": "s@cr/et"}),
        ("unix:///run/redis.sock", {"path": "/run/redis.sock"}),
        ("unix://:secret@/run/redis.sock?db=4", {"path": "/run/redis.sock", "password": "secret", "db": 4}),
    ],
)
async def test_every_form_of_address_is_understood(address: str, understood: dict[str, Any]) -> None:
    redis = connect(address)
    assert parts(redis) == understood
    await redis.aclose()


async def test_an_address_with_two_s_is_encrypted() -> None:
    redis = connect("rediss://h:1")
    assert issubclass(redis.connection_pool.connection_class, SSLConnection)
    await redis.aclose()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:port",
        "localhost:99999",
        "localhost/three",
        "http://localhost:6379",
        "REDIS:/localhost",
        "/run/redis.sock",
        "unix://run",
        "unix://",
        "redis://",
        "redis://h:1/-1",
        "redis://[::1",
    ],
)
def test_an_address_that_can_not_be_understood_is_refused_with_the_forms_there_are(address: str) -> None:
    with pytest.raises(AddressError, match="use redis://user:password@host:port/db") as caught:
        connect(address)
    assert repr(address) in str(caught.value)


@pytest.mark.parametrize("option", ["bogus", "decode_responses", "retry", "socket_timeout", "ssl_cert_reqs"])
@pytest.mark.parametrize("address", ["redis://h:1/2", "unix:///run/redis.sock", "h:1"])
def test_an_option_that_can_not_be_used_is_refused_by_name_before_anything_is_connected(
    address: str, option: str
) -> None:
    with pytest.raises(AddressError, match=f"'{option}', which can't be used: leave it out") as caught:
        connect(f"{address}?db=1&{option}=SECRET")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("query", ["ssl_bogus=SECRET", "ssl_cert_reqs=SECRET", "ssl_min_version=SECRET", "db=SECRET"])
def test_an_option_that_the_connection_does_not_know_or_can_not_read_is_refused(query: str) -> None:
    with pytest.raises(AddressError, match="Can't understand the Redis address"):
        connect(f"rediss://h?{query}")


async def test_options_that_say_who_connects_to_what_are_used() -> None:
    redis = connect("rediss://h:1?db=3&username=jane&password=secret&client_name=qs&ssl_cert_reqs=none")
    assert parts(redis) == {"host": "h", "port": 1, "db": 3, "username": "jane", "password": "secret"}
    await redis.aclose()


@pytest.mark.parametrize(
    "address",
    [
        "redis://:SECRET@h:port",
        "redis://jane:SECRET@h:port",
        "redis://:12/SECRET@h:1",
        "redis://:/SECRET@h:1",
        "redis://:SECRET/SECRET@h:1",
        "redis://:SECRET#SECRET@h:1",
        "redis://:SECRET@SECRET@h:port",
        ":SECRET@h:port",
        "jane:SECRET@h:port",
        "redis://h:port?password=SECRET",
        "redis://h:port?db=1&password=SECRET&socket_timeout=1",
        "http://jane:SECRET@h:1",
        "unix://:SECRET@run",
    ],
)
def test_a_refused_address_does_not_tell_its_password(address: str) -> None:
    with pytest.raises(AddressError) as caught:
        connect(address)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


async def test_redis_answers_on_a_socket_and_on_a_port_with_a_password(short_path: Any) -> None:
    password = new_password()
    server = RedisProcess(short_path, tcp=True, password=password)
    try:
        over_tcp = connect(server.url)
        over_socket = connect(f"unix://:{password}@{short_path / 'redis.sock'}")
        without = connect(f"unix://{short_path / 'redis.sock'}")
        assert [await answers(redis) for redis in (over_tcp, over_socket, without)] == [True, True, False]
        for redis in (over_tcp, over_socket, without):
            await redis.aclose()
    finally:
        server.close()


async def test_a_redis_that_is_not_there_does_not_answer(short_path: Any) -> None:
    redis = connect(f"unix://{short_path / 'nobody.sock'}")
    assert not await answers(redis)
    await redis.aclose()


async def test_who_waits_for_redis_hears_of_its_return(redis_server: RedisProcess) -> None:
    async with owner(redis_server.url) as owning:
        await owning.put("a", "b")
        redis_server.kill()
        waiting = asyncio.create_task(owning.store.wait_until_up())
        with pytest.raises(StoreDown) as caught:
            await owning.store.load()
        assert caught.value.fate_known
        assert not waiting.done()
        redis_server.start()
        await bounded(waiting)
        assert state(await owning.store.load()) == state(owning.record)
        await owning.put("c")
        assert state(await owning.store.load()) == state(owning.record)


async def test_while_redis_is_away_a_commit_has_an_unknown_fate_and_the_log_is_out_of_reach(
    redis_server: RedisProcess,
) -> None:
    async with owner(redis_server.url) as owning:
        await owning.put("a")
        redis_server.kill()
        with pytest.raises(StoreDown) as commit:
            await bounded(owning.put("b"))
        with pytest.raises(StoreDown) as log:
            await bounded(owning.store.events_between(0, 1))
        assert (commit.value.fate_known, log.value.fate_known) == (False, True)


async def test_a_redis_that_hangs_is_given_up_after_a_while_and_found_again(redis_server: RedisProcess) -> None:
    async with owner(redis_server.url) as owning:
        await owning.put("a")
        os.kill(redis_server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreDown) as caught:
                await bounded(owning.put("b"))
            assert not caught.value.fate_known
        finally:
            os.kill(redis_server.pid, signal.SIGCONT)
        await bounded(wait_for_answer(owning.redis))
        owning.record = await owning.store.load()
        await owning.put("c")
        assert [item.uid for item in (await owning.store.load()).queue][-1] == "c"
