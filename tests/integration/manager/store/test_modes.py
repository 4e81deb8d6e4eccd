"""Mode, autostart, answered requests, held and immediate items: stored as decided, loaded as stored."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import redis as blocking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queueserver_manager.domain import changes as ch
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.queue.item import RunningItem
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.requests import AnsweredRequest
from queueserver_manager.store.port import Entry, OwnershipLost
from queueserver_manager.store.redis import RedisStore

from tests.harness.redis import RedisProcess
from tests.integration.manager.store.owner import NOW, Owner, decode_inventory, owner, plan, told

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
answered = st.builds(
    AnsweredRequest, texts, texts, st.binary(max_size=30), st.floats(0, 4e9, allow_nan=False, allow_infinity=False)
)


def request(request_id: str, time: float = NOW, answer: bytes = b"done") -> AnsweredRequest:
    return AnsweredRequest(request_id, "fingerprint", answer, time)


async def test_an_empty_store_has_the_plain_mode_no_autostart_and_no_answers(new: Owner) -> None:
    loaded = await new.store.load()
    assert (loaded.mode, loaded.autostart, loaded.requests) == (QueueMode(), False, {})


@pytest.mark.parametrize("policy", InterruptedPolicy)
@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("ignore_failures", [False, True])
async def test_a_mode_is_loaded_and_told_as_it_was_set(
    new: Owner, loop: bool, ignore_failures: bool, policy: InterruptedPolicy
) -> None:
    mode = QueueMode(loop, ignore_failures, policy)
    await new.commit(([ch.SetMode(QueueMode(loop=not loop))], []), ([ch.SetMode(mode)], [ev.QueueModeChanged(mode)]))
    assert (await new.store.load()).mode == mode
    assert await new.events(0, 2) == told(2, ev.QueueModeChanged(mode))


async def test_autostart_is_loaded_as_it_was_switched_last(new: Owner, client: blocking.Redis) -> None:
    for enabled in (True, True, False, False, True):
        await new.commit(([ch.SetAutostart(enabled)], [ev.AutostartChanged(enabled)]))
        assert (await new.store.load()).autostart is enabled
        assert bool(client.exists(new.keys.autostart)) is enabled


async def test_the_worker_that_was_met_last_is_remembered(new: Owner) -> None:
    assert (await new.store.load()).worker_boot_id == ""
    for boot_id in ("first", "second"):
        await new.commit(([ch.SetWorker(boot_id)], []))
        assert (await new.store.load()).worker_boot_id == boot_id


async def test_neither_mode_nor_autostart_nor_answers_count_as_a_change_of_the_queue(new: Owner) -> None:
    await new.put("a")
    await new.commit(
        ([ch.SetMode(QueueMode(loop=True))], []),
        ([ch.SetAutostart(enabled=True)], []),
        ([ch.RememberRequest(request("id"))], []),
        ([ch.ForgetRequests(("id",))], []),
    )
    loaded = await new.store.load()
    assert (loaded.revisions.last, loaded.revisions.queue) == (5, 1)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(answered, max_size=6, unique_by=lambda one: one.request_id))
async def test_answers_are_loaded_byte_by_byte_the_oldest_first(
    shared_redis: RedisProcess, requests: list[AnsweredRequest]
) -> None:
    async with owner(shared_redis.url) as owning:
        await owning.commit(*(([ch.RememberRequest(one)], []) for one in requests))
        loaded = await owning.store.load()
        assert loaded.requests == owning.record.requests
        times = [one.time for one in loaded.requests.values()]
        assert times == sorted(times)


async def test_answers_that_were_let_go_are_gone(new: Owner, client: blocking.Redis) -> None:
    await new.commit(*(([ch.RememberRequest(request(f"{number}", NOW + number))], []) for number in range(5)))
    await new.commit(([ch.RememberRequest(request("new", NOW + 9)), ch.ForgetRequests(("0", "1", "2"))], []))
    assert list((await new.store.load()).requests) == ["3", "4", "new"]
    assert client.hlen(new.keys.requests) == 3


async def test_an_answer_stands_in_the_store_with_its_change_or_not_at_all(new: Owner) -> None:
    former = RedisStore(new.redis, new.prefix, new.epoch - 1, decode_inventory)
    changes: list[ch.Change] = [ch.PutItem(plan("a"), 1), ch.RememberRequest(request("id"))]
    after = new.record.revisions.after(1, changes)
    try:
        with pytest.raises(OwnershipLost):
            await former.commit(new.record.revisions, after, [Entry(1, changes, [])])
    finally:
        await former.close()
    loaded = await new.store.load()
    assert (len(loaded.queue), loaded.requests) == (0, {})
    await new.commit((changes, []))
    loaded = await new.store.load()
    assert (len(loaded.queue), list(loaded.requests)) == (1, ["id"])


async def test_a_held_item_is_loaded_held_and_released_again(new: Owner) -> None:
    held = replace(plan("a"), held=True, attempt=2, retry_of_uid="z", encoded={})
    await new.commit(([ch.PutItem(held, 1000)], [ev.ItemsAdded((held,), 0)]))
    (loaded,) = (await new.store.load()).queue
    assert loaded == held
    free = held.released()
    await new.commit(([ch.PutItem(free, 2000)], [ev.ItemUpdated("a", free, 0)]))
    (loaded,) = (await new.store.load()).queue
    assert (loaded, loaded.held) == (free, False)
    expected = told(1, ev.ItemsAdded((held,), 0)) + told(2, ev.ItemUpdated("a", free, 0))
    assert await new.events(0, 2) == expected


@pytest.mark.parametrize("immediate", [False, True])
async def test_whether_the_running_item_is_executed_immediately_is_loaded(new: Owner, immediate: bool) -> None:
    running = RunningItem(plan("a"), "x-1", NOW, "boot", "environment", immediate)
    await new.commit(([ch.SetRunning(running)], [ev.ItemStarted(running)]))
    assert (await new.store.load()).running == running
    assert await new.events(0, 1) == told(1, ev.ItemStarted(running))


async def test_all_of_it_survives_a_crash_of_redis(redis_server: RedisProcess) -> None:
    mode = QueueMode(loop=True, interrupted=InterruptedPolicy.HOLD)
    kept = request("id", answer=b"\x00\n")
    changes: list[ch.Change] = [
        ch.SetMode(mode),
        ch.SetAutostart(enabled=True),
        ch.RememberRequest(kept),
    ]
    async with owner(redis_server.url) as before:
        await before.commit((changes, []))
        await asyncio.to_thread(redis_server.kill)
    redis_server.start()
    async with owner(redis_server.url, before.prefix) as after:
        assert (after.record.mode, after.record.autostart) == (mode, True)
        assert after.record.requests == {"id": kept}
