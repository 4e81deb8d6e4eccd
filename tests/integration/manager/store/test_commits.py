"""A commit is one step: all of it is written, or nothing, and only by the owner and on what it knows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import redis as blocking
from queueserver_manager.domain.changes import DropItem, PutItem
from queueserver_manager.domain.events import ItemsAdded, QueueCleared, announcements_of
from queueserver_manager.domain.record import Revisions
from queueserver_manager.store import script_connection
from queueserver_manager.store.lease import LEASE_SECONDS
from queueserver_manager.store.loading import SchemaTooNew
from queueserver_manager.store.port import Entry, OwnershipLost, StoreDown

from tests.harness.redis import RedisProcess
from tests.integration.manager.store.owner import NOW, Owner, everything, owner, plan, state, told


def entry(revision: int, uid: str) -> Entry:
    return Entry(revision, [PutItem(plan(uid), 1)], announcements_of(revision, NOW, [ItemsAdded((plan(uid),), 0)]))


async def test_a_new_store_is_empty_and_has_an_identity_that_stays(new: Owner) -> None:
    again = await new.store.load()
    assert state(again) == state(new.record)
    assert len(again.store_id) == 36
    assert (len(again.queue), len(again.history), again.revisions) == (0, 0, Revisions())


async def test_two_stores_in_one_redis_do_not_touch_each_other(new: Owner, shared_redis: RedisProcess) -> None:
    async with owner(shared_redis.url) as other:
        await new.put("a")
        assert other.record.store_id != new.record.store_id
        assert len((await other.store.load()).queue) == 0


async def test_a_commit_of_a_stale_epoch_is_refused_and_writes_nothing(new: Owner, client: blocking.Redis) -> None:
    await new.put("a")
    client.incr(new.keys.epoch)
    before = everything(client, new.prefix)
    with pytest.raises(OwnershipLost):
        await new.put("b")
    assert everything(client, new.prefix) == before
    assert [item.uid for item in (await new.store.load()).queue] == ["a"]


async def test_a_commit_is_refused_when_the_epoch_is_gone(new: Owner, client: blocking.Redis) -> None:
    client.delete(new.keys.epoch)
    with pytest.raises(OwnershipLost):
        await new.put("a")


@pytest.mark.parametrize("known", [0, 1, 3])
async def test_a_commit_on_another_revision_is_refused_and_writes_nothing(
    known: int, new: Owner, client: blocking.Redis
) -> None:
    await new.put("a")
    await new.put("b")
    before = everything(client, new.prefix)
    with pytest.raises(StoreDown, match=f"not at revision {known}") as caught:
        await new.store.commit(Revisions(known), Revisions(known + 1), [entry(known + 1, "c")])
    assert not caught.value.fate_known
    assert everything(client, new.prefix) == before


async def test_a_commit_writes_changes_events_and_revisions_together(new: Owner, client: blocking.Redis) -> None:
    await new.commit(
        ([PutItem(plan("a"), 10), PutItem(plan("b"), 20)], [ItemsAdded((plan("a"), plan("b")), 0)]),
        ([DropItem("a")], [QueueCleared(1)]),
    )
    assert client.zrange(new.keys.order, 0, -1, withscores=True) == [(b"b", 20.0)]
    assert client.hkeys(new.keys.items) == [b"b"]
    meta = client.hgetall(new.keys.meta)
    assert (meta[b"revision"], meta[b"queue_revision"], meta[b"history_revision"]) == (b"2", b"2", b"0")
    log = client.xrange(new.keys.events)
    assert [entry_id for entry_id, _ in log] == [b"1-0", b"2-0"]
    assert await new.events(1, 2) == told(2, QueueCleared(1))


async def test_what_is_stored_can_be_read_with_redis_cli(new: Owner, client: blocking.Redis) -> None:
    await new.put("a")
    stored = client.hget(new.keys.items, "a")
    assert stored is not None
    assert json.loads(stored)["kwargs"] == {"num": 5, "delay": 0.5}


async def test_a_commit_of_five_thousand_items_is_one_commit(new: Owner, client: blocking.Redis) -> None:
    uids = [f"{number}" for number in range(5000)]
    await new.put(*uids)
    loaded = await new.store.load()
    assert [item.uid for item in loaded.queue] == uids
    assert state(loaded) == state(new.record)
    assert client.xlen(new.keys.events) == 1


async def test_five_thousand_decisions_fit_into_one_commit(new: Owner, client: blocking.Redis) -> None:
    await new.commit(*(([PutItem(plan(f"{number}"), number)], []) for number in range(5000)))
    assert state(await new.store.load()) == state(new.record)
    assert (client.xlen(new.keys.events), new.record.revisions.last) == (5000, 5000)


async def test_ranks_at_the_edges_are_kept_exactly(new: Owner) -> None:
    ranks = [-(2**53) + 1, -1, 0, 1, 2**53 - 2, 2**53 - 1]
    await new.commit(([PutItem(plan(f"{rank}"), rank) for rank in ranks], []))
    loaded = await new.store.load()
    assert [loaded.queue.rank_of(f"{rank}") for rank in ranks] == ranks


async def test_a_store_of_a_newer_release_is_not_read_and_not_changed(new: Owner, client: blocking.Redis) -> None:
    await new.put("a")
    client.hset(new.keys.meta, "schema", 2)
    before = everything(client, new.prefix)
    with pytest.raises(SchemaTooNew, match=r"has schema 2 and this release knows 1: run the release that wrote it"):
        await new.store.load()
    assert everything(client, new.prefix) == before


async def test_a_long_commit_keeps_the_lease_for_as_long_as_it_may_take_and_a_short_one_leaves_it(
    new: Owner, client: blocking.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It may take minutes, so that what this machine does beside the test makes no difference.
    monkeypatch.setattr(script_connection, "_SECONDS_PER_PIECE", 2.0)
    long = [replace(plan(f"{number}"), meta={"text": "x" * 2**20}) for number in range(8)]
    minute, pieces = 60_000, 16 * 2**20 // script_connection._BYTES_PER_PIECE
    assert int(client.pexpire(new.keys.lease, minute))
    await new.put("short")
    assert 0 < int(client.pttl(new.keys.lease)) <= minute
    await new.commit(([PutItem(one, 5000 + number) for number, one in enumerate(long)], [ItemsAdded(tuple(long), 1)]))
    asked = 1000 * (LEASE_SECONDS + 2.0 * pieces)
    assert asked - minute < int(client.pttl(new.keys.lease)) <= asked
    client.delete(new.keys.lease)
    await new.commit(([PutItem(one, 9000 + number) for number, one in enumerate(long)], []))
    assert not client.exists(new.keys.lease), "nobody becomes the owner by a commit"
