from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import event_service_pb2 as ev
from queueserver.manager.v1 import history_service_pb2 as hist
from queueserver.manager.v1 import queue_service_pb2 as pb
from queueserver_client import AsyncClient, ExitStatus, Item, ItemHandle, ItemNotFound, Plan
from queueserver_rpc.status import Refusal

from tests.unit.client.scripted_manager import ScriptedManager

NOT_FOUND = Refusal(grpc.StatusCode.NOT_FOUND, "ITEM_NOT_FOUND", "Not here.")


def item(uid: str) -> item_pb2.Item:
    return item_pb2.Item(item_uid=uid, name="count")


def entry(uid: str) -> item_pb2.HistoryEntry:
    result = item_pb2.ItemResult(exit_status=item_pb2.EXIT_STATUS_COMPLETED)
    return item_pb2.HistoryEntry(number=1, item=item(uid), result=result)


class Story:
    """What the server tells watchers: a snapshot, then what the test says."""

    def __init__(self, manager: ScriptedManager, **snapshot: Any) -> None:
        self._snapshot = ev.Snapshot(revision=1, complete=True, **snapshot)
        self._told: asyncio.Queue[ev.WatchEvent] = asyncio.Queue()
        self.began = asyncio.Event()
        self.ended = asyncio.Event()
        manager.answers["Watch"] = self._stream
        manager.answers["GetItem"] = NOT_FOUND
        manager.answers["ListHistory"] = hist.ListHistoryResponse()

    def tell(self, **event: Any) -> None:
        self._told.put_nowait(ev.WatchEvent(revision=2, **event))

    async def _stream(self, _: ev.WatchRequest) -> AsyncIterator[ev.WatchResponse]:
        try:
            yield ev.WatchResponse(snapshot=self._snapshot, resume_token="t")
            self.began.set()
            while True:
                event = await self._told.get()
                yield ev.WatchResponse(batch=ev.EventBatch(events=[event]), resume_token="t")
        finally:
            self.ended.set()


Add = Callable[[str], Any]


@pytest.fixture
def add(manager: ScriptedManager, client: AsyncClient) -> Add:
    async def added(uid: str) -> ItemHandle:
        manager.answers["AddItem"] = pb.AddItemResponse(item=item(uid), index=0, queue_size=1)
        return await client.queue.add(Plan("count"))

    return added


async def within(work: Any) -> Any:
    return await asyncio.wait_for(work, 10.0)


async def test_result_waits_for_the_entry_in_the_history(manager: ScriptedManager, add: Add) -> None:
    story = Story(manager, queue=[item("a")])
    waiting = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    story.tell(history_added=ev.HistoryAdded(entry=entry("b")))
    story.tell(history_added=ev.HistoryAdded(entry=entry("a")))
    found = await within(waiting)
    assert (found.item.uid, found.result.exit_status) == ("a", ExitStatus.COMPLETED)
    await within(story.ended.wait())


async def test_result_finds_an_item_that_ended_before_the_watch_began(manager: ScriptedManager, add: Add) -> None:
    Story(manager, history=[entry("a")])
    assert (await within((await add("a")).result())).item.uid == "a"


async def test_result_finds_an_entry_too_old_for_the_snapshot(manager: ScriptedManager, add: Add) -> None:
    Story(manager, history=[entry("z")])
    manager.answers["ListHistory"] = [
        hist.ListHistoryResponse(entries=[entry("z")], next_page_token="2"),
        hist.ListHistoryResponse(entries=[entry("a")]),
    ]
    assert (await within((await add("a")).result())).item.uid == "a"


async def test_many_handles_share_one_watch(manager: ScriptedManager, add: Add) -> None:
    story = Story(manager, queue=[item("a"), item("b")])
    first = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    second = asyncio.create_task((await add("b")).result())
    again = asyncio.create_task((await add("a")).result())
    story.tell(history_added=ev.HistoryAdded(entry=entry("b")))
    assert (await within(second)).item.uid == "b"
    story.tell(history_added=ev.HistoryAdded(entry=entry("a")))
    assert (await within(first)) == (await within(again))
    assert len(manager.requests("Watch")) == 1


async def test_an_item_newer_than_the_watch_has_told_is_waited_for(manager: ScriptedManager, add: Add) -> None:
    story = Story(manager, queue=[item("a")])
    first = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    asked = asyncio.Event()

    def still_there(_: pb.GetItemRequest) -> pb.GetItemResponse:
        asked.set()
        return pb.GetItemResponse(item=item("b"), index=0)

    manager.answers["GetItem"] = still_there
    second = asyncio.create_task((await add("b")).result())
    await within(asked.wait())
    story.tell(history_added=ev.HistoryAdded(entry=entry("b")))
    assert (await within(second)).item.uid == "b"
    first.cancel()
    await asyncio.wait([first])
    await within(story.ended.wait())


@pytest.mark.parametrize("event", ["item_removed", "queue_cleared"])
async def test_result_of_an_item_that_was_taken_out_says_so(manager: ScriptedManager, add: Add, event: str) -> None:
    story = Story(manager, queue=[item("a")])
    waiting = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    events = {"item_removed": ev.ItemRemoved(item_uid="a"), "queue_cleared": ev.QueueCleared(removed=1)}
    story.tell(**{event: events[event]})
    with pytest.raises(ItemNotFound, match="taken out of the queue"):
        await within(waiting)


async def test_clearing_the_queue_does_not_end_the_wait_for_the_running_item(
    manager: ScriptedManager, add: Add
) -> None:
    story = Story(manager, running_item=item_pb2.RunningItem(item=item("a")))
    waiting = asyncio.create_task((await add("a")).result())
    await within(story.began.wait())
    story.tell(queue_cleared=ev.QueueCleared(removed=1))
    story.tell(history_added=ev.HistoryAdded(entry=entry("a")))
    assert (await within(waiting)).item.uid == "a"


async def test_an_item_that_is_nowhere_has_no_result(manager: ScriptedManager, add: Add) -> None:
    Story(manager)
    with pytest.raises(ItemNotFound):
        await within((await add("a")).result())


async def test_an_instruction_has_no_result_to_wait_for(manager: ScriptedManager, client: AsyncClient) -> None:
    stored = item_pb2.Item(item_uid="i", name="queue_stop", item_type=item_pb2.ITEM_TYPE_INSTRUCTION)
    manager.answers["AddItem"] = pb.AddItemResponse(item=stored)
    handle = await client.queue.add(Item.queue_stop())
    with pytest.raises(ValueError, match="leaves no line in the history"):
        await handle.result()


async def test_a_watch_that_fails_is_told_to_all_who_wait(manager: ScriptedManager, add: Add) -> None:
    manager.answers["Watch"] = Refusal(grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN", "You may not watch.")
    with pytest.raises(Exception, match="You may not watch"):
        await within((await add("a")).result())
