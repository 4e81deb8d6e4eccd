"""Keys of an older release get their present names once, completely, and are closed to that release."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis as blocking
from queueserver_manager.store.adoption import TwoStores, keys_in_use
from queueserver_manager.store.connection import connect
from queueserver_manager.store.keys import MOVED_SCHEMA, NAMES, Keys
from queueserver_manager.store.lease import Lease, LeaseGrant
from queueserver_manager.store.loading import SchemaTooNew
from queueserver_manager.store.port import OwnershipLost

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded
from tests.integration.manager.store.old_release import OLD_INSTANCE, end_old_lease, old_keys, old_names, old_owner
from tests.integration.manager.store.owner import Owner, owner, state


@asynccontextmanager
async def lease(url: str, prefix: str, instance: str) -> AsyncIterator[Lease]:
    """The lease as a Manager of this release sees it."""
    redis = connect(url)
    try:
        yield Lease(redis, prefix, instance, f"{instance}:1")
    finally:
        await redis.aclose()


@pytest.fixture
async def old(shared_redis: RedisProcess) -> AsyncIterator[Owner]:
    """The owner of a store under the old names."""
    async with old_owner(shared_redis.url) as owning:
        yield owning


def names(client: blocking.Redis, prefix: str) -> set[str]:
    """Keys under both kinds of names."""
    found = client.keys(f"{prefix}:*") + client.keys(f"{Keys(prefix).base}:*")  # type: ignore[operator] # typed for both kinds of client
    return {key.decode() for key in found}


async def test_all_that_was_stored_has_new_names_and_the_epoch_continues(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner
) -> None:
    client.xadd(old_keys(old.prefix).lock_orders, {"lock": "a lock"})
    before = {name: client.dump(getattr(old_keys(old.prefix), name)) for name in sorted(NAMES - {"lease", "epoch"})}
    end_old_lease(client, old.prefix)
    async with owner(shared_redis.url, old.prefix) as new:
        after = {name: client.dump(getattr(new.keys, name)) for name in before}
        assert (after, new.epoch) == (before, old.epoch + 1)
        assert state(new.record) == state(old.record)
        assert {name for name in names(client, old.prefix) if not name.startswith("{")} == {f"{old.prefix}:meta"}
        await new.put("third")


async def test_nothing_is_moved_while_a_manager_of_the_older_release_owns_the_queue(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner
) -> None:
    before = names(client, old.prefix)
    async with lease(shared_redis.url, old.prefix, "new") as standby:
        grant = await standby.acquire()
        assert (grant.epoch, grant.owner_address, 0 < grant.remaining <= 3) == (0, "old:1", True)
        assert names(client, old.prefix) == before
        await old.put("third")


async def test_a_standby_that_has_noticed_the_death_of_the_old_owner_moves_the_store_at_once(
    shared_redis: RedisProcess, old: Owner
) -> None:
    async with lease(shared_redis.url, old.prefix, "new") as standby:
        grant = await standby.acquire()
        assert (grant.epoch, grant.owner_epoch) == (0, old.epoch)
        assert (await standby.acquire(grant.owner_epoch)).epoch == old.epoch + 1


async def test_the_same_instance_moves_what_it_stored_before_its_upgrade_at_once(
    shared_redis: RedisProcess, old: Owner
) -> None:
    async with lease(shared_redis.url, old.prefix, OLD_INSTANCE) as upgraded:
        assert await upgraded.acquire() == LeaseGrant(old.epoch + 1)


async def test_an_owner_of_the_older_release_that_still_lives_can_not_write_nor_renew(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner
) -> None:
    with old_names():
        old_lease = Lease(old.redis, old.prefix, OLD_INSTANCE, "old:1")
    assert await old_lease.renew(old.epoch)
    end_old_lease(client, old.prefix)
    async with owner(shared_redis.url, old.prefix) as new:
        with pytest.raises(OwnershipLost):
            await old.put("too late")
        assert not await old_lease.renew(old.epoch)
        assert [item.uid for item in (await new.store.load()).queue] == ["first", "second"]


@pytest.mark.parametrize("is_new", [True, False])
async def test_a_manager_of_the_older_release_that_starts_later_refuses_the_store(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner, *, is_new: bool
) -> None:
    prefix = f"{old.prefix}-unused" if is_new else old.prefix
    end_old_lease(client, old.prefix)
    async with owner(shared_redis.url, prefix):
        with pytest.raises(SchemaTooNew, match="run the release that wrote it, or a newer one"):
            async with old_owner(shared_redis.url, prefix):
                raise AssertionError("it began with an empty queue")
    async with owner(shared_redis.url, prefix) as again:
        assert len(again.record.queue) == (0 if is_new else 2)


async def test_of_many_managers_one_moves_the_store_and_one_becomes_the_owner(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner
) -> None:
    end_old_lease(client, old.prefix)

    async def acquire(number: int) -> LeaseGrant:
        async with lease(shared_redis.url, old.prefix, f"new-{number}") as one:
            return await one.acquire()

    grants = await asyncio.gather(*map(acquire, range(10)))
    assert [grant.epoch for grant in grants if grant.epoch] == [old.epoch + 1]
    client.delete(Keys(old.prefix).lease)
    async with owner(shared_redis.url, old.prefix) as new:
        assert state(new.record) == state(old.record)


@pytest.mark.parametrize("moved", [("items",), ("items", "order", "events", "epoch")])
async def test_what_was_moved_in_part_is_moved_completely(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner, moved: tuple[str, ...]
) -> None:
    end_old_lease(client, old.prefix)
    for name in moved:
        client.rename(getattr(old_keys(old.prefix), name), getattr(Keys(old.prefix), name))
    async with owner(shared_redis.url, old.prefix) as new:
        assert (state(new.record), new.epoch) == (state(old.record), old.epoch + 1)


async def test_a_redis_that_is_killed_meanwhile_comes_back_with_all_or_nothing_moved(
    redis_server: RedisProcess,
) -> None:
    for _ in range(5):
        async with old_owner(redis_server.url) as old:
            with redis_server.connect() as client:
                end_old_lease(client, old.prefix)
                async with lease(redis_server.url, old.prefix, "new") as new:
                    moving = asyncio.create_task(new.acquire())
                    await old.redis.ping()
                    redis_server.kill()
                    await asyncio.gather(bounded(moving), return_exceptions=True)
            redis_server.start()
        with redis_server.connect() as client:
            there = names(client, old.prefix)
            parts = {name for name in there if ":lease" not in name and name != f"{old.prefix}:meta"}
            assert len({name.partition(":")[0] for name in parts}) == 1, there
            client.delete(Keys(old.prefix).lease)
        async with owner(redis_server.url, old.prefix) as new_owner:
            assert state(new_owner.record) == state(old.record)


async def test_two_stores_are_left_alone_and_the_way_out_is_told(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner
) -> None:
    end_old_lease(client, old.prefix)
    client.hset(Keys(old.prefix).meta, "revision", "7")
    before = names(client, old.prefix)
    async with lease(shared_redis.url, old.prefix, "new") as new:
        with pytest.raises(TwoStores, match=f"delete all keys that begin with '{Keys(old.prefix).base}:', or"):
            await new.acquire()
        assert names(client, old.prefix) == before
        client.delete(Keys(old.prefix).meta)
        assert (await new.acquire()).epoch == old.epoch + 1


async def test_a_prefix_with_a_hash_tag_is_kept_as_it_is(shared_redis: RedisProcess, client: blocking.Redis) -> None:
    async with old_owner(shared_redis.url, "a{tag}b") as old:
        end_old_lease(client, old.prefix)
        async with owner(shared_redis.url, "a{tag}b") as new:
            assert state(new.record) == state(old.record)
            assert {name.partition(":")[0] for name in names(client, "a{tag}b")} == {"a{tag}b"}


async def test_a_user_that_may_not_touch_the_old_names_begins_without_them(
    shared_redis: RedisProcess, client: blocking.Redis
) -> None:
    client.execute_command("ACL", "SETUSER", "narrow", "on", "nopass", "resetkeys", "~{narrow}:*", "+@all")
    redis = connect(f"{shared_redis.url}?username=narrow&password=any")
    try:
        assert (await Lease(redis, "narrow", "new", "new:1").acquire()).epoch == 1
        assert await keys_in_use(redis, "narrow") == Keys("narrow")
        assert not client.exists("narrow:meta")
    finally:
        await redis.aclose()


async def test_other_programs_find_the_store_before_and_after(
    shared_redis: RedisProcess, client: blocking.Redis, old: Owner
) -> None:
    assert await keys_in_use(old.redis, old.prefix) == old_keys(old.prefix)
    end_old_lease(client, old.prefix)
    async with owner(shared_redis.url, old.prefix):
        assert await keys_in_use(old.redis, old.prefix) == Keys(old.prefix)
        assert client.hgetall(f"{old.prefix}:meta") == {
            b"schema": str(MOVED_SCHEMA).encode(),
            b"moved_to": Keys(old.prefix).meta.encode(),
        }
