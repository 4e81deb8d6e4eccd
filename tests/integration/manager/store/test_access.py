"""Redis behind TLS, and as the user that docs/how-to/redis.md creates: all that the store does works there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import redis as blocking
from queueserver_manager.domain.storage import Fault, StorageState
from queueserver_manager.store.connection import AddressError, answers, connect
from queueserver_manager.store.faults import fault_of
from queueserver_manager.store.lease import Lease
from queueserver_manager.store.lock_orders import RedisLockOrders
from queueserver_manager.store.redis_version import redis_version
from redis.exceptions import RedisError

from tests.harness.redis import RedisProcess
from tests.harness.redis_user import PASSWORD, USER, create_user
from tests.harness.tls_proxy import AUTHORITY, CLIENT_CERTIFICATE, CLIENT_KEY, OTHER_AUTHORITY, TlsProxy
from tests.harness.wait import bounded
from tests.integration.manager.store.owner import owner, state


@contextmanager
def encrypted(redis: RedisProcess, *, client_certificate: bool = False) -> Iterator[TlsProxy]:
    proxy = TlsProxy(redis.socket, client_certificate=client_certificate)
    try:
        yield proxy
    finally:
        proxy.close()


async def failure(url: str) -> str:
    """Why Redis is not reached."""
    redis = connect(url)
    try:
        with pytest.raises(RedisError) as caught:
            await bounded(redis.ping())
        fault = fault_of(caught.value)
        assert fault.state is StorageState.UNREACHABLE
        return fault.reason
    finally:
        await redis.aclose()


async def test_a_password_that_is_missing_is_named(short_path: Path) -> None:
    with closing(RedisProcess(short_path, tcp=True, password=PASSWORD)) as server:
        for url, reason in (
            (server.url.replace(f":{PASSWORD}@", ""), "it wants a password"),
            (server.url.replace(PASSWORD, "wrong"), "invalid username-password pair or user is disabled."),
        ):
            redis = connect(url)
            with pytest.raises(RedisError) as caught:
                await bounded(redis.ping())
            assert fault_of(caught.value) == Fault(StorageState.REFUSED, reason)
            await redis.aclose()


@pytest.mark.parametrize("client_certificate", [False, True])
async def test_a_store_behind_tls_works_and_is_found_again(
    redis_server: RedisProcess, *, client_certificate: bool
) -> None:
    certificate = {"ssl_certfile": CLIENT_CERTIFICATE, "ssl_keyfile": CLIENT_KEY} if client_certificate else {}
    with encrypted(redis_server, client_certificate=client_certificate) as proxy:
        async with owner(proxy.url(ssl_ca_certs=AUTHORITY, **certificate)) as owning:
            await owning.put(*(f"item-{number}" for number in range(2000)))
            redis_server.kill()
            waiting = asyncio.create_task(owning.store.wait_until_up())
            redis_server.start()
            await bounded(waiting)
            assert state(await owning.store.load()) == state(owning.record)
            await owning.put("another")


async def test_a_server_of_another_authority_is_not_trusted_and_the_reason_is_told(redis_server: RedisProcess) -> None:
    with encrypted(redis_server) as proxy:
        assert "certificate verify failed" in await failure(proxy.url(ssl_ca_certs=OTHER_AUTHORITY))
        assert "certificate verify failed" in await failure(proxy.url())


async def test_a_server_with_another_name_is_not_trusted_unless_names_are_not_checked(
    redis_server: RedisProcess,
) -> None:
    with encrypted(redis_server) as proxy:
        by_number = proxy.url(ssl_ca_certs=AUTHORITY).replace("localhost", "127.0.0.1")
        assert "is not valid for '127.0.0.1'" in await failure(by_number)
        redis = connect(f"{by_number}&ssl_check_hostname=false")
        assert await answers(redis)
        await redis.aclose()


async def test_who_has_no_certificate_is_not_let_in(redis_server: RedisProcess) -> None:
    with encrypted(redis_server, client_certificate=True) as proxy:
        redis = connect(proxy.url(ssl_ca_certs=AUTHORITY))
        assert not await bounded(answers(redis))
        await redis.aclose()


@pytest.mark.parametrize(
    ("option", "file", "sentence"),
    [
        ("ssl_ca_certs", "missing.pem", "give it the absolute path of something that can be read"),
        ("ssl_ca_certs", "empty.pem", "The certificates that the Redis address names can't be used"),
        ("ssl_certfile", "empty.pem", "The certificates that the Redis address names can't be used"),
    ],
)
def test_a_file_that_can_not_be_used_is_told_before_anything_is_connected(
    tmp_path: Path, option: str, file: str, sentence: str
) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(AddressError, match=sentence):
        connect(f"rediss://h?{option}={tmp_path / file}")
    with pytest.raises(AddressError, match="absolute path"):
        connect(f"rediss://h?{option}={file}")


@pytest.fixture
def limited(redis_server: RedisProcess) -> str:
    """Address of a Redis in which our user has the rights that it needs and nobody else has any."""
    with redis_server.connect() as client:
        assert isinstance(client, blocking.Redis)
        create_user(client)
        client.execute_command("ACL", "SETUSER", "default", "resetpass", "on", ">other")
    return f"{redis_server.url}?username={USER}&password={quote(PASSWORD)}"


async def test_the_user_of_the_page_may_do_what_a_store_does(limited: str) -> None:
    async with owner(limited, "qs") as owning:
        await owning.put("a", "b")
        await owning.store.load()
        assert len(await owning.store.events_between(0, 1)) == 0
        lease = Lease(owning.redis, "qs", "me", "here:1")
        assert await lease.renew(owning.epoch)
        await lease.wait_until_free(0.05)
        order_id = await owning.redis.xadd(owning.keys.lock_orders, {"lock": "x"})
        orders = RedisLockOrders(owning.redis, "qs")
        assert [await orders.next()] == list(await orders.waiting())
        assert order_id
        assert await redis_version(owning.redis)
        # What a primary is asked that moves, and that has replicas.
        assert (await owning.redis.execute_command("ROLE"))[0] == b"master"
        assert await owning.redis.wait(0, 1) == 0
        with pytest.raises(RedisError, match="cluster support disabled"):
            await owning.redis.execute_command("CLUSTER", "SLOTS")
        await lease.release(owning.epoch)
        assert await owning.redis.exists(owning.keys.lease_freed)


async def test_the_user_of_the_page_may_do_nothing_else(limited: str) -> None:
    redis = connect(limited)
    try:
        for words in (("GET", "other"), ("SET", "qs:meta", "1"), ("CONFIG", "GET", "*"), ("FLUSHALL",), ("KEYS", "*")):
            with pytest.raises(RedisError, match=r"(?i)has no permissions|no permissions to|can't run this command"):
                await redis.execute_command(*words)
    finally:
        await redis.aclose()


async def test_another_prefix_is_refused_and_the_reason_is_told(limited: str) -> None:
    redis = connect(limited)
    try:
        with pytest.raises(RedisError) as caught:
            await Lease(redis, "other", "me", "here:1").acquire()
        assert fault_of(caught.value).state is StorageState.REFUSED
        assert "no permissions to access" in fault_of(caught.value).reason.lower()
    finally:
        await redis.aclose()
