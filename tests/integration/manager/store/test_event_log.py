"""The log of events: exactly what was asked for, or a clear no."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import redis as blocking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queueserver_manager.domain.changes import QueueActivity, SetQueueActivity
from queueserver_manager.domain.events import ItemsAdded, Kind, QueueStarted, QueueStopRequested
from queueserver_manager.domain.limits import Bound
from queueserver_manager.store import redis as store_module
from queueserver_manager.store.port import EventsGone

from tests.harness.redis import RedisProcess
from tests.integration.manager.store.owner import NOW, Owner, owner, plan, told
from tests.unit.manager.store.codecs import older_events

CHANGE = SetQueueActivity(QueueActivity(active=True))


async def note(owning: Owner, count: int) -> None:
    """Changes with two events each, in one commit."""
    last = owning.record.revisions.last
    await owning.commit(
        *(
            ([CHANGE], [QueueStarted(f"{number}"), QueueStopRequested(f"{number}")])
            for number in range(last + 1, last + 1 + count)
        )
    )


async def between(owning: Owner, after: int, up_to: int) -> list[int]:
    found = await owning.events(after, up_to)
    assert all(getattr(event, event.WhichOneof("event") or "").user == f"{event.revision}" for event in found)
    names = ["queue_started", "queue_stop_requested"] * (len(found) // 2)
    assert [event.WhichOneof("event") for event in found] == names
    return [event.revision for event in found[::2]]


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.integers(0, 12), st.integers(0, 12))
async def test_events_between_two_revisions_are_exactly_those(
    shared_redis: RedisProcess, after: int, up_to: int
) -> None:
    async with owner(shared_redis.url) as owning:
        await note(owning, 12)
        assert await between(owning, after, up_to) == list(range(after + 1, up_to + 1))


async def test_more_events_than_one_page_come_in_order(new: Owner) -> None:
    size = store_module._PAGE
    await note(new, 2 * size + 1)
    assert await between(new, 0, 2 * size + 1) == list(range(1, 2 * size + 2))
    assert await between(new, 5, size + 5) == list(range(6, size + 6))
    assert await between(new, size, 2 * size) == list(range(size + 1, 2 * size + 1))


async def test_events_that_were_trimmed_are_said_to_be_gone(new: Owner, client: blocking.Redis) -> None:
    await note(new, 20)
    client.xtrim(new.keys.events, maxlen=5, approximate=False)
    for after in (0, 10, 14):
        with pytest.raises(EventsGone):
            await new.store.events_between(after, 20)
    assert await between(new, 15, 20) == [16, 17, 18, 19, 20]
    assert await between(new, 20, 20) == []


async def test_events_of_an_emptied_log_are_said_to_be_gone(new: Owner, client: blocking.Redis) -> None:
    await note(new, 3)
    client.delete(new.keys.events)
    with pytest.raises(EventsGone):
        await new.store.events_between(1, 3)


def kept_in(owning: Owner, client: blocking.Redis) -> dict[int, int]:
    """Bytes of the content of each change in the log, by revision; together they are what is counted."""
    entries: Any = client.xrange(owning.keys.events)
    sizes = {int(entry_id.split(b"-")[0]): len(fields[b"e"]) for entry_id, fields in entries}
    counted: Any = client.hget(owning.keys.meta, "events_bytes")
    assert int(counted or 0) == sum(sizes.values())
    return sizes


async def test_the_log_keeps_as_many_changes_as_it_should(new: Owner, client: blocking.Redis) -> None:
    new.store = new.another_store(Bound(200, 10**9))
    for _ in range(4):
        await note(new, 150)
    assert list(kept_in(new, client)) == list(range(401, 601))
    assert await between(new, 400, 600) == list(range(401, 601))
    with pytest.raises(EventsGone):
        await new.store.events_between(399, 600)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=4), max_size=8), st.integers(1, 9), st.integers(1, 1500)
)
async def test_the_log_keeps_the_newest_changes_that_have_room_and_all_of_the_newest_commit(
    shared_redis: RedisProcess, commits: list[list[int]], most: int, room: int
) -> None:
    async with owner(shared_redis.url) as owning:
        owning.store = owning.another_store(Bound(most, room))
        with shared_redis.connect() as client:
            for commit in commits:
                before = kept_in(owning, client)
                await owning.commit(*(([CHANGE], [QueueStarted("x" * length)]) for length in commit))
                kept, last = kept_in(owning, client), owning.record.revisions.last
                assert list(kept) == list(range(last + 1 - len(kept), last + 1))
                assert len(kept) >= len(commit)
                assert len(kept) == len(commit) or (len(kept) <= most and sum(kept.values()) <= room)
                gone = before.keys() - kept.keys()
                assert not gone or len(kept) >= most or sum(kept.values()) + before[max(gone)] > room


async def test_a_log_that_was_not_counted_is_counted_once(new: Owner, client: blocking.Redis) -> None:
    await note(new, 40)
    client.hdel(new.keys.meta, "events_bytes")
    await note(new, 1)
    assert list(kept_in(new, client)) == list(range(1, 42))


async def test_what_another_hand_took_out_of_the_log_does_no_harm(new: Owner, client: blocking.Redis) -> None:
    await note(new, 20)
    client.delete(new.keys.events)
    await note(new, 1)
    assert list(kept_in(new, client)) == [21]


async def test_a_change_without_an_event_leaves_no_hole(new: Owner) -> None:
    await new.commit(([CHANGE], []))
    await note(new, 1)
    found = await new.store.events_between(0, 2)
    assert [announcement.revision for announcement in found] == [2, 2]


async def test_a_log_that_an_older_release_began_is_read_and_continued(new: Owner, client: blocking.Redis) -> None:
    held = plan("a")
    events = ([ItemsAdded((held,), 0), QueueStarted("jane")], [QueueStopRequested("anna")])
    for revision, some in enumerate(events, 1):
        client.xadd(new.keys.events, {"e": older_events.encode_events(NOW, some)}, id=f"{revision}-0")
    new.record.revisions = replace(new.record.revisions, last=2)
    client.hset(new.keys.meta, "revision", 2)
    await note(new, 1)
    stored = await new.store.events_between(0, 3)
    assert [(one.revision, one.place, one.kind) for one in stored] == [
        *((1, 0, Kind.QUEUE), (1, 1, Kind.QUEUE), (2, 0, Kind.QUEUE), (3, 0, Kind.QUEUE), (3, 1, Kind.QUEUE))
    ]
    new_ones = told(3, QueueStarted("3"), QueueStopRequested("3"))
    assert await new.events(0, 3) == told(1, *events[0]) + told(2, *events[1]) + new_ones
