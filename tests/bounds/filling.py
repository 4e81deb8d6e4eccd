"""A store with as much in it as a Manager may hold, as another Manager would have left it."""

from __future__ import annotations

import uuid

from queueserver_manager.domain.queue.item import ExitStatus, HistoryEntry, Item, ItemKind, ItemResult, RunSummary
from queueserver_manager.store.codecs.codec import encode_entry, encode_item

from tests.harness.redis import RedisProcess

QUEUE, HISTORY = 100_000, 10_000
NOW = 1_700_000_000.0


def item(uid: str) -> Item:
    """A plan as people queue it."""
    return Item(
        uid=uid,
        kind=ItemKind.PLAN,
        name="count",
        user="jane",
        user_group="primary",
        created=NOW,
        args=[["det1", "det2"]],
        kwargs={"num": 5, "delay": 0.5, "md": {"sample": "Fe2O3", "proposal": 4711}},
    )


def fill_store(redis: RedisProcess) -> None:
    """Write a full queue and a full history."""
    uids = [str(uuid.UUID(int=number)) for number in range(QUEUE)]
    with redis.connect() as store:
        for start in range(0, QUEUE, 10_000):
            part = uids[start : start + 10_000]
            store.hset("{qs}:items", mapping={uid: encode_item(item(uid)) for uid in part})
            store.zadd("{qs}:order", {uid: (start + place) << 20 for place, uid in enumerate(part)})
        entries = {str(number): encode_entry(entry(number)) for number in range(1, HISTORY + 1)}
        store.hset("{qs}:history", mapping=entries)
        store.hset("{qs}:meta", mapping={"last_history_number": HISTORY, "revision": 0, "schema": 1})
        store.hset("{qs}:meta", "store_id", str(uuid.uuid4()))


def entry(number: int) -> HistoryEntry:
    """What has become of a plan that failed."""
    result = ItemResult(
        ExitStatus.FAILED,
        stop=NOW + 2,
        start=NOW + 1,
        message="the shutter is stuck",
        traceback='  File "plans.py", line 1, in scan\n' * 20,
        runs=(RunSummary(str(uuid.UUID(int=number)), number, False, "fail"),),
    )
    return HistoryEntry(number, item(f"done {number}"), f"execution {number}", result)
