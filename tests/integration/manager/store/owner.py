"""An owner of a store in a real Redis, and ways to look at what is in there."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import redis as blocking
from queueserver.manager.v1 import event_pb2 as pb
from queueserver_long_work.work import at_once
from queueserver_manager.domain.changes import Change, PutItem
from queueserver_manager.domain.events import Event, announcements_of
from queueserver_manager.domain.inventory import Inventory, Plan
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue.item import Item, ItemKind
from queueserver_manager.domain.record import Record
from queueserver_manager.store.connection import connect
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.lease import Lease
from queueserver_manager.store.port import Entry
from queueserver_manager.store.redis import RedisStore
from queueserver_manager.store.replicas import Replicas
from queueserver_manager.wire.events import event_bytes

NOW = 1_700_000_000.25


def plan(uid: str) -> Item:
    return Item(uid, ItemKind.PLAN, "count", "jane", "primary", NOW, [["det1"]], {"num": 5, "delay": 0.5})


def decode_inventory(data: bytes) -> Inventory:
    """A stand-in for the description of plans: one plan named by the content."""
    return Inventory({data.decode(): Plan(data.decode(), ())}, {}, data)


class Owner:
    """A store in one term, its working copy, and how to commit to it."""

    def __init__(self, redis: Any, prefix: str, epoch: int, replicas: Replicas | None = None) -> None:
        self.redis, self.prefix, self.epoch = redis, prefix, epoch
        self.keys = Keys(prefix)
        self.store = RedisStore(redis, prefix, epoch, decode_inventory, replicas=replicas)
        self.record = Record()

    def another_store(self, log: Bound, redis: Any = None) -> RedisStore:
        """A store of the same term whose log is bounded otherwise, or that has other connections."""
        return RedisStore(redis or self.redis, self.prefix, self.epoch, decode_inventory, log=log)

    async def commit(self, *decisions: tuple[Sequence[Change], Sequence[Event]]) -> None:
        """Apply decisions to the working copy and commit them in one step, as the ledger does."""
        before = after = self.record.revisions
        entries = []
        for changes, events in decisions:
            revision = after.last + 1
            entry = Entry(revision, changes, announcements_of(revision, NOW, events))
            after = after.after(entry.revision, changes)
            entries.append(entry)
        await self.store.commit(before, after, entries)
        for entry in entries:
            for change in entry.changes:
                self.record.apply(change)
        self.record.revisions = after

    async def events(self, after: int, up_to: int) -> list[pb.WatchEvent]:
        """Events of the log."""
        return [pb.WatchEvent.FromString(event.wire) for event in await self.store.events_between(after, up_to)]

    async def put(self, *uids: str) -> None:
        """One decision that adds items to the back."""
        start = len(self.record.queue) * 1000
        await self.commit(([PutItem(plan(uid), start + 1000 * i) for i, uid in enumerate(uids, 1)], []))


@asynccontextmanager
async def owner(
    url: str, prefix: str = "", replicas: int = 0, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[Owner]:
    """Become the owner of a store (a new one, without a prefix), and load it."""
    prefix = prefix or f"test-{secrets.token_hex(6)}"
    redis = connect(url, prefix)
    try:
        term = await Lease(redis, prefix, "me", "here:1").acquire()
        assert term.epoch
        owning = Owner(redis, prefix, term.epoch, Replicas(replicas, now))
        try:
            owning.record = await owning.store.load()
            yield owning
        finally:
            await owning.store.close()
    finally:
        await redis.aclose()


def told(revision: int, *events: Event) -> list[pb.WatchEvent]:
    """What watchers get of the events of a change."""
    return [pb.WatchEvent.FromString(at_once(event_bytes(one))) for one in announcements_of(revision, NOW, events)]


def everything(client: blocking.Redis, prefix: str) -> dict[bytes, bytes]:
    """What Redis holds under a prefix, key by key."""
    keys: Iterable[bytes] = client.keys(f"{Keys(prefix).base}:*")  # type: ignore[assignment] # typed for both kinds of client
    return {key: client.dump(key) for key in keys}  # type: ignore[misc] # as above


def state(record: Record) -> tuple[object, ...]:
    """Everything in a record, to be compared."""
    queue, history = record.queue, record.history
    return (
        [(item, queue.rank_of(item.uid)) for item in queue],
        record.running,
        record.queue_activity,
        (history.first_number, history.next_number, history.slice(0, len(history))),
        record.inventory,
        record.permissions,
        record.lock,
        record.revisions,
        record.store_id,
    )
