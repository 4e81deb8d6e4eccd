"""Results of many handles, which share one Watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import event_pb2, event_service_pb2, queue_items_pb2, queue_pb2
from queueserver_client import AsyncClient, ExitStatus, Item, ItemHandle, ItemNotFound, Plan
from queueserver_client.items import result_waiter
from queueserver_rpc.status import Refusal

from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled


@pytest.fixture(autouse=True)
def _no_single_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody shares the Watch from the first waiter on."""
    monkeypatch.setattr(result_waiter, "SINGLE_WAITS", 0)


NOT_FOUND = Refusal(grpc.StatusCode.NOT_FOUND, "ITEM_NOT_FOUND", "Not here.")


def item(uid: str) -> item_pb2.Item:
    return item_pb2.Item(item_uid=uid, name="count")


def entry(uid: str) -> item_pb2.HistoryEntry:
    result = item_pb2.ItemResult(exit_status=item_pb2.EXIT_STATUS_COMPLETED)
    return item_pb2.HistoryEntry(number=1, item=item(uid), result=result)


class Story:
    """What the server tells watchers: a snapshot, then what the test says."""

    def __init__(self, manager: ScriptedManager, **snapshot: Any) -> None:
        self._snapshot = event_service_pb2.WatchSnapshot(revision=1, complete=True, **snapshot)
        self._told: asyncio.Queue[event_pb2.WatchEvent] = asyncio.Queue()
        self.began = asyncio.Event()
        self.ended = asyncio.Event()
        manager.answers["WatchEvents"] = self._stream
        manager.answers["WaitItem"] = NOT_FOUND

    def tell(self, **event: Any) -> None:
        self._told.put_nowait(event_pb2.WatchEvent(revision=2, **event))

    async def _stream(
        self, _: event_service_pb2.WatchEventsRequest
    ) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        try:
            yield event_service_pb2.WatchEventsResponse(snapshot=self._snapshot, resume_token="t")
            self.began.set()
            while True:
                event = await self._told.get()
                yield event_service_pb2.WatchEventsResponse(
                    batch=event_service_pb2.EventBatch(events=[event]), resume_token="t"
                )
        finally:
            self.ended.set()


Add = Callable[[str], Any]


@pytest.fixture
def add(manager: ScriptedManager, client: AsyncClient) -> Add:
    async def added(uid: str) -> ItemHandle:
        manager.answers["AddItem"] = queue_items_pb2.AddItemResponse(item=item(uid), index=0, queue_size=1)
        return await client.queue.add(Plan("count"))

    return added


async def within(work: Any) -> Any:
    return await asyncio.wait_for(work, 10.0)


async def test_result_waits_for_the_entry_in_the_history(manager: ScriptedManager, add: Add) -> None:
    story = Story(manager, queue=[item("a")])
    waiting = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    story.tell(history_added=event_pb2.HistoryAdded(entry=entry("b")))
    story.tell(history_added=event_pb2.HistoryAdded(entry=entry("a")))
    found = await within(waiting)
    assert (found.item.uid, found.result.exit_status) == ("a", ExitStatus.COMPLETED)
    await within(story.ended.wait())


async def test_result_finds_an_item_that_ended_before_the_watch_began(manager: ScriptedManager, add: Add) -> None:
    Story(manager, history=[entry("a")])
    assert (await within((await add("a")).result())).item.uid == "a"


async def test_result_finds_an_entry_too_old_for_the_snapshot(manager: ScriptedManager, add: Add) -> None:
    Story(manager, history=[entry("z")])

    async def finished(_: queue_items_pb2.WaitItemRequest) -> AsyncIterator[queue_items_pb2.WaitItemResponse]:
        yield queue_items_pb2.WaitItemResponse(
            state=queue_pb2.ITEM_STATE_FINISHED, item=item("a"), history_entry=entry("a")
        )

    manager.answers["WaitItem"] = finished
    assert (await within((await add("a")).result())).item.uid == "a"


async def test_many_handles_share_one_watch(manager: ScriptedManager, add: Add) -> None:
    story = Story(manager, queue=[item("a"), item("b")])
    first = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    second = asyncio.create_task((await add("b")).result())
    again = asyncio.create_task((await add("a")).result())
    story.tell(history_added=event_pb2.HistoryAdded(entry=entry("b")))
    assert (await within(second)).item.uid == "b"
    story.tell(history_added=event_pb2.HistoryAdded(entry=entry("a")))
    assert (await within(first)) == (await within(again))
    assert len(manager.requests("WatchEvents")) == 1


async def test_a_crowd_shares_the_watch_while_the_first_few_follow_their_own(
    manager: ScriptedManager, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_waiter, "SINGLE_WAITS", 2)
    story = Story(manager, queue=[item(str(number)) for number in range(20)])

    async def queued(request: queue_items_pb2.WaitItemRequest) -> AsyncIterator[queue_items_pb2.WaitItemResponse]:
        yield queue_items_pb2.WaitItemResponse(state=queue_pb2.ITEM_STATE_QUEUED, item=item(request.item_uid), index=0)
        await within(story.began.wait())
        ended = entry(request.item_uid)
        yield queue_items_pb2.WaitItemResponse(
            state=queue_pb2.ITEM_STATE_FINISHED, item=ended.item, history_entry=ended
        )

    manager.answers["WaitItem"] = queued
    handles = [await add(str(number)) for number in range(20)]
    waiting = [asyncio.create_task(handle.result()) for handle in handles]
    await within(story.began.wait())
    for number in range(20):
        story.tell(history_added=event_pb2.HistoryAdded(entry=entry(str(number))))
    assert [(await within(task)).item.uid for task in waiting] == [str(number) for number in range(20)]
    assert [request.item_uid for request in manager.requests("WaitItem")] == ["0", "1"]
    assert len(manager.requests("WatchEvents")) == 1


async def test_an_item_newer_than_the_watch_has_told_is_waited_for(manager: ScriptedManager, add: Add) -> None:
    story = Story(manager, queue=[item("a")])
    first = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    asked = asyncio.Event()

    async def still_there(_: queue_items_pb2.WaitItemRequest) -> AsyncIterator[queue_items_pb2.WaitItemResponse]:
        asked.set()
        yield queue_items_pb2.WaitItemResponse(state=queue_pb2.ITEM_STATE_QUEUED, item=item("b"), index=0)
        await until_cancelled()

    manager.answers["WaitItem"] = still_there
    second = asyncio.create_task((await add("b")).result())
    await within(asked.wait())
    story.tell(history_added=event_pb2.HistoryAdded(entry=entry("b")))
    assert (await within(second)).item.uid == "b"
    first.cancel()
    await asyncio.wait([first])
    await within(story.ended.wait())


@pytest.mark.parametrize("event", ["item_removed", "queue_cleared", "item_updated"])
async def test_result_of_an_item_that_was_taken_out_says_so(manager: ScriptedManager, add: Add, event: str) -> None:
    story = Story(manager, queue=[item("a")])
    waiting = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    events: dict[str, Any] = {
        "item_removed": event_pb2.ItemRemoved(item_uid="a"),
        "queue_cleared": event_pb2.QueueCleared(removed_count=1),
        "item_updated": event_pb2.ItemUpdated(item_uid="a", item=item("b")),
    }
    story.tell(**{event: events[event]})
    with pytest.raises(ItemNotFound, match="taken out of the queue"):
        await within(waiting)


async def test_clearing_the_queue_does_not_end_the_wait_for_the_running_item(
    manager: ScriptedManager, add: Add
) -> None:
    story = Story(manager, running_item=item_pb2.RunningItem(item=item("a")))
    waiting = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    story.tell(queue_cleared=event_pb2.QueueCleared(removed_count=1))
    story.tell(history_added=event_pb2.HistoryAdded(entry=entry("a")))
    assert (await within(waiting)).item.uid == "a"


async def test_an_item_that_is_nowhere_has_no_result(manager: ScriptedManager, add: Add) -> None:
    Story(manager)
    with pytest.raises(ItemNotFound):
        await within((await add("a")).result())


async def test_an_instruction_has_no_result_to_wait_for(manager: ScriptedManager, client: AsyncClient) -> None:
    stored = item_pb2.Item(item_uid="i", name="queue_stop", item_type=item_pb2.ITEM_TYPE_INSTRUCTION)
    manager.answers["AddItem"] = queue_items_pb2.AddItemResponse(item=stored)
    handle = await client.queue.add(Item.queue_stop())
    with pytest.raises(ValueError, match="leaves no line in the history"):
        await handle.result()


async def test_a_watch_that_fails_is_told_to_all_who_wait(manager: ScriptedManager, add: Add) -> None:
    manager.answers["WatchEvents"] = Refusal(grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN", "You may not watch.")
    with pytest.raises(Exception, match="You may not watch"):
        await within((await add("a")).result())
