from __future__ import annotations

import pytest
from queueserver_client import (
    AsyncClient,
    EventKind,
    HistoryCleared,
    HistoryEntry,
    Plan,
    Snapshot,
)

from tests.harness import expect
from tests.harness.wait import first


async def entries(client: AsyncClient) -> list[HistoryEntry]:
    return [entry async for entry in client.history.list()]


@pytest.fixture
async def six(shared_client: AsyncClient) -> list[HistoryEntry]:
    """A history of six entries."""
    await shared_client.queue.add_batch([Plan("one_run", str(number)) for number in range(6)])
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await shared_client.queue.start()
        await first(watch, expect.queue_stopped)
    return await entries(shared_client)


async def test_entries_are_numbered_without_holes_in_order_of_execution(six: list[HistoryEntry]) -> None:
    numbers = [entry.number for entry in six]
    assert numbers == list(range(numbers[0], numbers[0] + 6))
    assert [(entry.item.args or "")[0] for entry in six] == list("012345")
    for entry in six:
        assert entry.result.start_time is not None
        assert entry.result.stop_time is not None
        assert entry.result.start_time <= entry.result.stop_time
        assert entry.execution_id != entry.item.uid


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("size", [1, 2, 4, 5, 6, 7])
async def test_pages_join_to_the_whole(
    shared_client: AsyncClient, six: list[HistoryEntry], size: int, newest_first: bool
) -> None:
    found = [entry async for entry in shared_client.history.list(page_size=size, newest_first=newest_first)]
    assert found == (six[::-1] if newest_first else six)


@pytest.mark.parametrize(("keep", "left"), [(0, 0), (1, 1), (4, 4), (6, 6), (100, 6)])
async def test_the_newest_entries_can_be_kept(
    shared_client: AsyncClient, six: list[HistoryEntry], keep: int, left: int
) -> None:
    before = await shared_client.status()
    assert await shared_client.history.clear(keep_newest=keep) == 6 - left
    assert await entries(shared_client) == six[6 - left :]
    after = await shared_client.status()
    assert (after.revision - before.revision) == (left != 6)
    assert (after.plan_history_uid == before.plan_history_uid) == (left == 6)
    assert after.plan_queue_uid == before.plan_queue_uid


@pytest.mark.parametrize("index", [0, 2, 5])
async def test_everything_up_to_an_item_can_be_removed(
    shared_client: AsyncClient, six: list[HistoryEntry], index: int
) -> None:
    assert await shared_client.history.clear(up_to_uid=six[index].item.uid) == index + 1
    assert await entries(shared_client) == six[index + 1 :]
    assert await shared_client.history.clear(up_to_uid="nobody") == 0
    assert await entries(shared_client) == six[index + 1 :]


async def test_numbers_go_on_after_a_clear_and_the_event_tells_what_is_left(
    shared_client: AsyncClient, six: list[HistoryEntry]
) -> None:
    async with shared_client.watch([EventKind.HISTORY]) as watch:
        begin = await first(watch, lambda _: True)
        assert isinstance(begin, Snapshot)
        assert list(begin.history) == six
        await shared_client.history.clear(keep_newest=2)
        cleared = await first(watch, lambda _: True)
        assert isinstance(cleared, HistoryCleared)
        assert (cleared.removed, cleared.first_number) == (4, six[4].number)
        assert await shared_client.history.clear() == 2
        cleared = await first(watch, lambda _: True)
        assert isinstance(cleared, HistoryCleared)
        assert (cleared.removed, cleared.first_number) == (2, 0)
        handle = await shared_client.queue.add(Plan("one_run"))
        await shared_client.queue.start()
        assert (await handle.result()).number == six[-1].number + 1


@pytest.mark.parametrize(("limit", "shown"), [(0, 6), (2, 2), (100, 6)])
async def test_the_snapshot_carries_as_much_of_the_history_as_asked(
    shared_client: AsyncClient, six: list[HistoryEntry], limit: int, shown: int
) -> None:
    async with shared_client.watch([EventKind.HISTORY], history_limit=limit) as watch:
        begin = await first(watch, lambda _: True)
    assert isinstance(begin, Snapshot)
    assert list(begin.history) == six[6 - shown :]
