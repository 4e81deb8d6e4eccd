"""The log of events: exactly what was asked for, or a clear no."""

from __future__ import annotations

import pytest
import redis as blocking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queueserver_manager.domain.changes import Execution, SetExecution
from queueserver_manager.domain.events import QueueStarted, QueueStopRequested
from queueserver_manager.store import redis as store_module
from queueserver_manager.store.port import EventsGone

from tests.harness.redis import RedisProcess
from tests.integration.store.owner import Owner, owner

CHANGE = SetExecution(Execution(active=True))


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
    found = await owning.store.events_between(after, up_to)
    assert all(announcement.event.user == f"{announcement.revision}" for announcement in found)  # type: ignore[union-attr] # only events with a user
    assert [type(announcement.event) for announcement in found] == [QueueStarted, QueueStopRequested] * (
        len(found) // 2
    )
    return [announcement.revision for announcement in found[::2]]


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


async def test_the_log_keeps_about_as_many_changes_as_it_should(
    new: Owner, client: blocking.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "EVENT_LOG_LENGTH", 200)
    for _ in range(10):
        await note(new, 200)
    kept = client.xlen(new.keys.events)
    assert 200 <= kept < 600, "Redis trims whole nodes of the stream"
    assert await between(new, 1800, 2000) == list(range(1801, 2001))
    with pytest.raises(EventsGone):
        await new.store.events_between(0, 2000)


async def test_a_change_without_an_event_leaves_no_hole(new: Owner) -> None:
    await new.commit(([CHANGE], []))
    await note(new, 1)
    found = await new.store.events_between(0, 2)
    assert [announcement.revision for announcement in found] == [2, 2]
