"""One life: what GetItem and WaitItem tell of an item from the queue to the history."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from queueserver_client import (
    AsyncClient,
    Event,
    EventKind,
    ExitStatus,
    ItemHandle,
    ItemNotFound,
    ItemState,
    ItemStatus,
    ManagerState,
    Plan,
    Snapshot,
    StatusChanged,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, paused, queue, until_state
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first

QUEUED, RUNNING, PAUSED = ItemState.QUEUED, ItemState.RUNNING, ItemState.PAUSED


class Follower:
    """Whoever follows an item: keeps what it was told, and can wait for a state."""

    def __init__(self, handle: ItemHandle) -> None:
        self.told: list[ItemStatus] = []
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._follow(handle))

    async def _follow(self, handle: ItemHandle) -> None:
        async with aclosing(handle.wait()) as states:
            async for status in states:
                async with self._news:
                    self.told.append(status)
                    self._news.notify_all()

    async def saw(self, state: ItemState) -> ItemStatus:
        """Wait until the last thing told is this state."""
        async with self._news:
            await bounded(self._news.wait_for(lambda: bool(self.told) and self.told[-1].state is state))
        return self.told[-1]

    async def ended(self) -> list[ItemState]:
        """Wait until nothing more is told; answers the states, each once for as long as it lasted."""
        await bounded(self._task)
        states = [status.state for status in self.told]
        return [state for state, before in zip(states, [None, *states], strict=False) if state is not before]


async def test_an_item_can_be_followed_from_the_queue_over_a_pause_to_the_history(
    shared_client: AsyncClient, gate: Gate
) -> None:
    ahead, handle = await begun(shared_client, Plan("stepping", gate.path), Plan("one_run"))
    follower, later = Follower(ahead), Follower(handle)
    assert (await later.saw(QUEUED)).index == 0
    status = await ahead.status()
    assert (status.state, status.index, status.history_entry) == (RUNNING, None, None)
    assert status.running is not None
    assert (status.running.item.uid, status.running.immediate) == (ahead.uid, False)
    await follower.saw(RUNNING)
    await shared_client.run_engine.pause(immediate=True)
    await follower.saw(PAUSED)
    assert (await ahead.status()).state is PAUSED
    await shared_client.run_engine.resume()
    await follower.saw(RUNNING)
    gate.open()
    assert await follower.ended() == [RUNNING, PAUSED, RUNNING, ItemState.FINISHED]
    assert await later.ended() == [QUEUED, RUNNING, ItemState.FINISHED]
    for one, told in ((ahead, follower), (handle, later)):
        found = await one.status()
        assert (found.state, found.history_entry) == (ItemState.FINISHED, told.told[-1].history_entry)
        assert found.history_entry is not None
        assert found.history_entry.result.exit_status is ExitStatus.COMPLETED


@pytest.mark.parametrize("way", ["remove", "remove_batch", "clear", "replace"])
async def test_whoever_follows_an_item_learns_that_it_was_removed(shared_client: AsyncClient, way: str) -> None:
    handle = await shared_client.queue.add(Plan("one_run"))
    follower = Follower(handle)
    await follower.saw(QUEUED)
    if way == "remove":
        await handle.remove()
    elif way == "remove_batch":
        await shared_client.queue.remove_batch([handle.uid])
    elif way == "clear":
        await shared_client.queue.clear()
    else:
        await shared_client.queue.update(handle.uid, Plan("nothing"), new_uid=True)
    assert await follower.ended() == [QUEUED, ItemState.REMOVED]
    with pytest.raises(ItemNotFound):
        await handle.status()


async def test_an_item_that_was_put_back_is_finished_and_names_its_next_attempt(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.add(Plan("broken"))
    follower = Follower(handle)
    await follower.saw(QUEUED)
    await shared_client.queue.start()
    assert (await follower.ended())[-1] is ItemState.FINISHED
    entry = follower.told[-1].history_entry
    assert entry is not None
    retry = await shared_client.queue.get(entry.requeued_as_uid)
    assert (retry.state, retry.index, retry.item.attempt) == (QUEUED, 0, 2)
    assert retry.item.retry_of_uid == handle.uid


async def test_an_item_can_be_followed_over_kills_of_the_manager_in_each_state(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle = await parts_client.queue.add(Plan("stepping", gate.path))
    behind = await parts_client.queue.add(Plan("nothing"))
    follower = Follower(handle)
    await follower.saw(QUEUED)
    with parts.manager_killed():
        pass
    assert (await handle.status()).index == 0
    await parts_client.queue.start()
    await follower.saw(RUNNING)
    with parts.manager_killed():
        pass
    assert (await handle.status()).state is RUNNING
    await parts_client.run_engine.pause(immediate=True)
    await follower.saw(PAUSED)
    with parts.manager_killed():
        pass
    await parts_client.run_engine.resume()
    gate.open()
    assert (await follower.ended())[-1] is ItemState.FINISHED
    await bounded(behind.result())
    with parts.manager_killed():
        pass
    found = await handle.status()
    assert (found.state, found.history_entry) == (ItemState.FINISHED, follower.told[-1].history_entry)
    # One who comes late is told the end at once.
    assert await Follower(handle).ended() == [ItemState.FINISHED]


async def test_an_item_that_is_not_there_can_be_neither_got_nor_followed(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.execute(Plan("one_run"))
    await bounded(handle.result())
    await shared_client.history.clear()
    for uid in ("no such item", handle.uid):
        with pytest.raises(ItemNotFound):
            await shared_client.queue.get(uid)
        with pytest.raises(ItemNotFound):
            await bounded(anext(shared_client.queue.wait(uid)))


@pytest.mark.parametrize("how", ["killed", "destroyed"])
async def test_an_item_that_is_paused_when_the_environment_goes_away_is_told_to_be_finished_and_nothing_else(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate, how: str
) -> None:
    (handle,) = await paused(shared_client, Plan("stepping", gate.path))
    follower = Follower(handle)
    await follower.saw(PAUSED)
    if how == "killed":
        shared_stack.kill("environment")
    else:
        await shared_client.environment.destroy()
    assert await follower.ended() == [PAUSED, ItemState.FINISHED]
    (retry,) = await queue(shared_client)
    assert retry.retry_of_uid == handle.uid


async def test_an_item_that_is_aborted_at_once_is_not_told_to_be_paused(shared_client: AsyncClient, gate: Gate) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    follower = Follower(handle)
    await follower.saw(RUNNING)
    async with shared_client.watch([EventKind.STATUS, EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await shared_client.run_engine.abort_now()
        told: list[Event | Snapshot] = []

        def is_over(event: Event | Snapshot) -> bool:
            told.append(event)
            return expect.queue_stopped(event)

        await first(watch, is_over)
    assert await follower.ended() == [RUNNING, ItemState.FINISHED]
    states = [event.status.manager_state for event in told if isinstance(event, StatusChanged)]
    assert ManagerState.EXECUTING_QUEUE in states
    assert ManagerState.PAUSED not in states


async def test_the_item_of_an_index_is_that_of_the_queue_and_not_the_running_one(
    shared_client: AsyncClient, gate: Gate
) -> None:
    running, *waiting = await begun(shared_client, Plan("stepping", gate.path), *[Plan("nothing")] * 3)
    found = [(await shared_client.queue.get(place)).item.uid for place in (0, 1, -1, "front", "back")]
    uids = [handle.uid for handle in waiting]
    assert found == [uids[0], uids[1], uids[2], uids[0], uids[2]]
    gate.open()
    await bounded(waiting[-1].result())
    assert (await running.status()).state is ItemState.FINISHED
    await until_state(shared_client, ManagerState.IDLE)
