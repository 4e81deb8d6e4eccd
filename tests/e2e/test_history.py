from __future__ import annotations

from datetime import datetime, timezone

import pytest
from queueserver_client import (
    AsyncClient,
    DocumentEmitted,
    EventKind,
    ExitStatus,
    FailureCause,
    HistoryCleared,
    HistoryEntry,
    Item,
    ItemNotFound,
    ManagerState,
    Plan,
    RevisionMismatch,
    Snapshot,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.progress import run_to_its_end, until_state
from tests.harness.wait import bounded, first


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
    for unknown in ("nobody", six[index].item.uid):
        with pytest.raises(ItemNotFound, match="list the history"):
            await shared_client.history.clear(up_to_uid=unknown)
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


async def test_an_entry_lists_the_runs_that_the_plan_opened_with_their_scan_ids(
    shared_client: AsyncClient, gate: Gate
) -> None:
    gate.open()
    async with shared_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        handle = await shared_client.queue.execute(Plan("second_run_stepping", gate.path))
        told = [await first(watch, expect.document("start")) for _ in range(2)]
    documents = [event.document.document for event in told if isinstance(event, DocumentEmitted)]
    starts = [(document["uid"], document["scan_id"]) for document in documents]
    result = (await bounded(handle.result())).result
    assert [(run.uid, run.scan_id) for run in result.runs] == starts
    assert starts[1][1] == starts[0][1] + 1
    assert [(run.is_open, run.exit_status) for run in result.runs] == [(False, "success")] * 2
    await until_state(shared_client, ManagerState.IDLE)


async def test_an_entry_of_a_plan_that_completed_has_times_and_no_message(shared_client: AsyncClient) -> None:
    before = datetime.now(timezone.utc)
    handle = await shared_client.queue.execute(Plan("nothing"))
    entry = await bounded(handle.result())
    result, after = entry.result, datetime.now(timezone.utc)
    assert result.start_time is not None
    assert result.stop_time is not None
    assert before <= result.start_time <= result.stop_time <= after
    assert (result.exit_status, result.failure_cause) == (ExitStatus.COMPLETED, FailureCause.UNSPECIFIED)
    assert (result.message, result.traceback, result.runs) == ("", "", ())
    assert entry.item == handle.item
    await until_state(shared_client, ManagerState.IDLE)


async def test_an_entry_of_a_plan_that_raised_has_a_short_message_and_the_traceback(
    shared_client: AsyncClient,
) -> None:
    handle = await shared_client.queue.execute(Plan("broken"))
    result = (await bounded(handle.result())).result
    assert (result.exit_status, result.failure_cause) == (ExitStatus.FAILED, FailureCause.PLAN_ERROR)
    assert result.message.startswith("Plan failed: ")
    assert "the shutter is stuck" in result.message
    assert "\n" not in result.message
    assert "in broken" in result.traceback
    assert result.traceback.rstrip().endswith("RuntimeError: the shutter is stuck")
    assert [run.exit_status for run in result.runs] == ["fail"]
    await until_state(shared_client, ManagerState.IDLE)


async def test_each_attempt_has_an_entry_of_its_own_and_instructions_have_none(shared_client: AsyncClient) -> None:
    await shared_client.queue.add_batch([Plan("broken"), Item.queue_stop()])
    for _ in range(3):
        await run_to_its_end(shared_client)
    await shared_client.queue.remove("front")
    await run_to_its_end(shared_client)
    found = await entries(shared_client)
    assert [entry.item.attempt for entry in found] == [1, 2, 3]
    assert [entry.item.retry_of_uid for entry in found] == ["", found[0].item.uid, found[1].item.uid]
    assert len({entry.item.uid for entry in found}) == len({entry.execution_id for entry in found}) == 3


async def test_clearing_an_empty_history_succeeds_and_changes_nothing(shared_client: AsyncClient) -> None:
    before = await shared_client.status()
    assert await shared_client.history.clear() == 0
    assert await shared_client.history.clear(keep_newest=0) == 0
    after = await shared_client.status()
    assert (after.revision, after.plan_history_uid) == (before.revision, before.plan_history_uid)


async def test_a_removal_of_entries_that_expects_another_revision_of_the_history_is_refused(
    shared_client: AsyncClient, six: list[HistoryEntry]
) -> None:
    seen = (await shared_client.history.page(page_size=1)).revision
    await bounded((await shared_client.queue.execute(Plan("nothing"))).result())
    await until_state(shared_client, ManagerState.IDLE)
    before = await shared_client.status()
    with pytest.raises(RevisionMismatch, match="The history changed at revision") as caught:
        await shared_client.history.clear(up_to_uid=six[5].item.uid, expected_revision=seen)
    assert caught.value.history_revision is not None
    assert caught.value.history_revision > seen
    assert len(await entries(shared_client)) == 7
    assert (await shared_client.status()).revision == before.revision
    await shared_client.queue.set_mode(loop=True)
    assert await shared_client.history.clear(keep_newest=1, expected_revision=before.revision) == 6
