"""The lease: one owner at a time, each with a higher epoch than the one before."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
import redis as blocking
from queueserver_long_work.patience import within
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.store import connection
from queueserver_manager.store.connection import COMMAND_TIMEOUT, Busy, connect
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.lease import LEASE_SECONDS, Lease, LeaseGrant

from tests.harness.redis import RedisProcess
from tests.harness.wait import SECONDS, bounded

Make = Callable[[str], Lease]
PREFIX = "lease-" + secrets.token_hex(6)
KEYS = Keys(PREFIX)


@pytest.fixture
async def manager(shared_redis: RedisProcess, client: blocking.Redis) -> AsyncIterator[Make]:
    """Make the lease as the Manager of a name sees it; each has a connection of its own."""
    client.delete(KEYS.lease, KEYS.epoch, KEYS.lease_freed)
    connections = []

    def make(name: str) -> Lease:
        connections.append(connect(shared_redis.url))
        return Lease(connections[-1], PREFIX, name, f"{name}:60630")

    yield make
    for one in connections:
        await one.aclose()


async def become_owner(lease: Lease) -> LeaseGrant:
    """Wait as a standby waits."""
    term = await lease.acquire()
    while not term.epoch:
        await lease.wait_until_free(term.remaining)
        term = await lease.acquire()
    return term


async def test_the_first_one_owns_the_queue_in_epoch_one(manager: Make) -> None:
    assert await manager("a").acquire() == LeaseGrant(1)


async def test_a_standby_takes_over_from_an_owner_that_died_before_its_lease_ends(manager: Make) -> None:
    await manager("a").acquire()
    standby = manager("b")
    term = await standby.acquire()
    assert (await standby.acquire(term.owner_epoch)).epoch == 2


async def test_the_death_of_an_owner_says_nothing_of_the_next_one(manager: Make) -> None:
    await manager("a").acquire()
    standby = manager("b")
    term = await standby.acquire()
    assert (await manager("c").acquire(term.owner_epoch)).epoch == 2
    refused = await standby.acquire(term.owner_epoch)
    assert (refused.epoch, refused.owner_address, refused.owner_epoch) == (0, "c:60630", 2)


async def test_another_one_is_told_who_owns_it_and_for_how_long(manager: Make) -> None:
    await manager("a").acquire()
    term = await manager("b").acquire()
    assert (term.epoch, term.owner_address) == (0, "a:60630")
    assert 0 < term.remaining <= LEASE_SECONDS


async def test_a_standby_is_told_where_it_connects_to_the_owner(
    manager: Make, shared_redis: RedisProcess, client: blocking.Redis
) -> None:
    async with connect(shared_redis.url) as redis:
        await Lease(redis, PREFIX, "a", "127.0.0.1:60630", internal_address="a.internal:60630").acquire()
    standby = manager("b")
    term = await standby.acquire()
    assert (term.owner_address, term.internal_address) == ("127.0.0.1:60630", "a.internal:60630")
    # A Manager of an older release has no such address.
    client.hdel(KEYS.lease, "internal_address")
    term = await standby.acquire()
    assert (term.owner_address, term.internal_address) == ("127.0.0.1:60630", "")


async def test_the_same_instance_takes_over_from_itself_at_once_with_a_higher_epoch(manager: Make) -> None:
    old, new = manager("a"), manager("a")
    assert (await old.acquire()).epoch == 1
    assert (await new.acquire()).epoch == 2
    assert not await old.renew(1)
    assert await new.renew(2)


async def test_a_renewal_extends_the_lease_and_keeps_the_epoch(manager: Make, client: blocking.Redis) -> None:
    lease = manager("a")
    term = await lease.acquire()
    client.pexpire(KEYS.lease, 500)
    assert await lease.renew(term.epoch)
    assert int(client.pttl(KEYS.lease)) > 500
    assert client.get(KEYS.epoch) == b"1"


async def test_a_renewal_waits_longer_while_redis_is_at_a_long_work_of_ours(
    shared_redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is frozen: it answers nobody. Short waits are of a length that is over before the long one is."""
    busy, redis = Busy(), connect(shared_redis.url)
    lease = Lease(redis, f"{PREFIX}-busy", "a", "a:60630", busy)
    try:
        term = await lease.acquire()
        shared_redis.send(signal.SIGSTOP)
        monkeypatch.setattr(connection, "within", noted := Noted())
        with busy.for_seconds(50.0):
            renewal = asyncio.create_task(lease.renew(term.epoch))
            await noted.begun.wait()
        assert noted.seconds == [COMMAND_TIMEOUT + 50.0]
        shared_redis.send(signal.SIGCONT)
        assert await bounded(renewal)
        assert await lease.renew(term.epoch)
        assert noted.seconds[1:] == [COMMAND_TIMEOUT]
    finally:
        shared_redis.send(signal.SIGCONT)
        await redis.aclose()


class Noted:
    """Bounds a wait as the original does, and notes by how much."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.begun = asyncio.Event()

    def __call__(self, seconds: float) -> AbstractAsyncContextManager[None]:
        self.seconds.append(seconds)
        self.begun.set()
        return within(seconds)


async def test_who_is_not_the_owner_can_not_renew(manager: Make, client: blocking.Redis) -> None:
    a, b = manager("a"), manager("b")
    await a.acquire()
    client.delete(KEYS.lease)
    assert (await b.acquire()).epoch == 2
    assert not await a.renew(1)
    assert client.hget(KEYS.lease, "instance") == b"b"
    assert await b.renew(2)


async def test_a_lease_that_ran_out_may_be_renewed_while_nobody_else_has_begun(
    manager: Make, client: blocking.Redis
) -> None:
    lease = manager("a")
    term = await lease.acquire()
    client.delete(KEYS.lease)
    assert await lease.renew(term.epoch)
    assert (await manager("b").acquire()).owner_address == "a:60630"


async def test_a_standby_takes_over_when_the_lease_runs_out(manager: Make, client: blocking.Redis) -> None:
    await manager("a").acquire()
    client.pexpire(KEYS.lease, 200)
    term = await bounded(become_owner(manager("b")))
    assert term == LeaseGrant(2)


async def test_a_lease_runs_out_by_itself(manager: Make) -> None:
    await manager("a").acquire()
    assert (await bounded(become_owner(manager("b")))).epoch == 2


async def test_who_leaves_in_good_order_wakes_a_standby_at_once(
    manager: Make, client: blocking.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither the lease nor the patience with Redis ends within the test: who wakes was woken.
    monkeypatch.setattr("queueserver_manager.store.lease.LEASE_SECONDS", 10 * SECONDS)
    monkeypatch.setattr("queueserver_manager.store.connection.COMMAND_TIMEOUT", 10 * SECONDS)
    leaving = manager("a")
    term = await leaving.acquire()
    standby = asyncio.create_task(manager("b").wait_until_free(10 * SECONDS))
    await until_blocked(client)
    await leaving.release(term.epoch)
    await bounded(standby)
    assert (await manager("b").acquire()).epoch == 2


async def until_blocked(client: blocking.Redis) -> None:
    """Return when some client waits in a BLPOP: each look is a round trip to Redis."""
    for _ in range(10_000):
        if client.info("clients")["blocked_clients"]:
            return
        await asyncio.get_running_loop().run_in_executor(None, client.ping)
    raise AssertionError("nobody waits")


async def test_a_standby_that_comes_after_the_release_does_not_wait(manager: Make) -> None:
    leaving, standby = manager("a"), manager("b")
    term = await leaving.acquire()
    await leaving.release(term.epoch)
    assert (await standby.acquire()).epoch == 2


async def test_an_owner_that_was_replaced_releases_nothing(manager: Make, client: blocking.Redis) -> None:
    old, new = manager("a"), manager("a")
    first = await old.acquire()
    second = await new.acquire()
    await old.release(first.epoch)
    assert client.hget(KEYS.lease, "epoch") == b"2"
    assert await new.renew(second.epoch)
    assert not client.exists(KEYS.lease_freed)


async def test_epochs_grow_through_every_change_of_hands(manager: Make) -> None:
    epochs = []
    for name in "abacb":
        lease = manager(name)
        term = await bounded(become_owner(lease))
        epochs.append(term.epoch)
        await lease.release(term.epoch)
    assert epochs == [1, 2, 3, 4, 5]


async def test_of_many_who_try_at_once_one_becomes_the_owner(manager: Make) -> None:
    terms = await asyncio.gather(*(manager(f"m{number}").acquire() for number in range(20)))
    assert [term.epoch for term in terms if term.epoch] == [1]


async def test_two_prefixes_are_two_leases(manager: Make, shared_redis: RedisProcess) -> None:
    await manager("a").acquire()
    redis = connect(shared_redis.url)
    other = Lease(redis, PREFIX + "-other", "b", "b:60630")
    assert (await other.acquire()).epoch == 1
    await redis.aclose()


async def test_releasing_without_redis_is_no_error(redis_server: RedisProcess) -> None:
    redis = connect(redis_server.url)
    lease = Lease(redis, "p", "a", "a:60630")
    term = await lease.acquire()
    redis_server.kill()
    await bounded(lease.release(term.epoch))
    await redis.aclose()


async def test_a_renewal_that_is_cancelled_in_any_moment_is_cancelled(manager: Make) -> None:
    """Whoever ends the term waits for that, and would wait forever."""
    lease = manager("a")
    await lease.acquire()
    for moment in range(30):
        assert await lease.renew(1)
        renewing = asyncio.create_task(lease.renew(1))
        for _ in range(moment):
            await next_turn()
        if renewing.cancel():
            with pytest.raises(asyncio.CancelledError):
                await bounded(renewing)
