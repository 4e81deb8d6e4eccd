"""One item from the queue to the history: get, wait, status and result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2, queue_pb2
from queueserver_client import AsyncClient, ExitStatus, ItemHandle, ItemNotFound, ItemState, Plan, ServiceUnavailable
from queueserver_rpc.status import Refusal

from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled

ITEM = item_pb2.Item(item_uid="u", name="count")
RUNNING = item_pb2.RunningItem(item=ITEM, execution_id="x", immediate=True)
RESULT = item_pb2.ItemResult(exit_status=item_pb2.EXIT_STATUS_ABORTED)
ENTRY = item_pb2.HistoryEntry(number=7, item=ITEM, result=RESULT, requeued_as_uid="v")
QUEUED = queue_items_pb2.WaitItemResponse(state=queue_pb2.ITEM_STATE_QUEUED, item=ITEM, index=3, revision=1)
RUNS = queue_items_pb2.WaitItemResponse(state=queue_pb2.ITEM_STATE_RUNNING, item=ITEM, running_item=RUNNING, revision=2)
FINISHED = queue_items_pb2.WaitItemResponse(
    state=queue_pb2.ITEM_STATE_FINISHED, item=ITEM, history_entry=ENTRY, revision=3
)
REMOVED = queue_items_pb2.WaitItemResponse(state=queue_pb2.ITEM_STATE_REMOVED, item=ITEM, revision=3)
NOT_FOUND = Refusal(grpc.StatusCode.NOT_FOUND, "ITEM_NOT_FOUND", "Not here.")


def script(*calls: Any) -> list[Any]:
    """Answers of WaitItem, call by call. A call that ends with None stays open."""

    def play(messages: Any) -> Any:
        async def stream(_: queue_items_pb2.WaitItemRequest) -> AsyncIterator[Any]:
            for message in messages:
                if message is None:
                    await until_cancelled()
                yield message

        return stream

    return [play(messages) for messages in calls]


@pytest.fixture
async def handle(manager: ScriptedManager, client: AsyncClient) -> ItemHandle:
    manager.answers["AddItem"] = queue_items_pb2.AddItemResponse(item=ITEM, index=3, queue_size=4, revision=1)
    return await client.queue.add(Plan("count"))


async def states(handle: ItemHandle, timeout: float = 10.0) -> list[ItemState]:
    async def follow() -> list[ItemState]:
        return [status.state async for status in handle.wait(reconnect_timeout=timeout)]

    return await asyncio.wait_for(follow(), 30.0)


async def test_get_tells_where_an_item_is_and_what_has_become_of_it(
    manager: ScriptedManager, handle: ItemHandle
) -> None:
    manager.answers["GetItem"] = [
        queue_items_pb2.GetItemResponse(
            state=queue_pb2.ITEM_STATE_HELD, item=item_pb2.Item(item_uid="u", held=True), index=0, revision=5
        ),
        queue_items_pb2.GetItemResponse(state=queue_pb2.ITEM_STATE_PAUSED, item=ITEM, running_item=RUNNING),
        queue_items_pb2.GetItemResponse(state=queue_pb2.ITEM_STATE_FINISHED, item=ITEM, history_entry=ENTRY),
    ]
    held, paused, finished = [await handle.status() for _ in range(3)]
    assert (held.state, held.index, held.item.held, held.revision, held.is_over) == (ItemState.HELD, 0, True, 5, False)
    assert paused.running is not None
    assert (paused.running.execution_id, paused.running.immediate, paused.index) == ("x", True, None)
    assert finished.history_entry is not None
    assert (finished.history_entry.result.exit_status, finished.is_over) == (ExitStatus.ABORTED, True)


async def test_wait_tells_each_state_and_ends_with_the_last(manager: ScriptedManager, handle: ItemHandle) -> None:
    manager.answers["WaitItem"] = script([QUEUED, RUNS, FINISHED])
    assert await states(handle) == [ItemState.QUEUED, ItemState.RUNNING, ItemState.FINISHED]
    assert manager.requests("WaitItem")[0].item_uid == "u"


async def test_wait_ends_when_the_item_is_removed(manager: ScriptedManager, handle: ItemHandle) -> None:
    manager.answers["WaitItem"] = script([QUEUED, REMOVED])
    assert await states(handle) == [ItemState.QUEUED, ItemState.REMOVED]


async def test_a_wait_goes_on_after_a_restart_and_repeats_nothing(manager: ScriptedManager, handle: ItemHandle) -> None:
    again = queue_items_pb2.WaitItemResponse(state=queue_pb2.ITEM_STATE_QUEUED, item=ITEM, index=3, revision=9)
    busy = Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY", "Starting.", retry_after=0.2)
    manager.answers["WaitItem"] = script([QUEUED, None], [busy], [again], [again, RUNS, FINISHED])
    found = []
    async for status in handle.wait():
        found.append(status.state)
        if status.state is ItemState.QUEUED:
            await manager.restart()
    assert found == [ItemState.QUEUED, ItemState.RUNNING, ItemState.FINISHED]
    assert len(manager.requests("WaitItem")) == 4


async def test_a_wait_gives_up_when_the_server_stays_away(manager: ScriptedManager, handle: ItemHandle) -> None:
    manager.answers["WaitItem"] = script([QUEUED, None])
    waiting = handle.wait(reconnect_timeout=0.5)
    await anext(waiting)
    await manager.stop()
    with pytest.raises(ServiceUnavailable):
        await asyncio.wait_for(anext(waiting), 30.0)


async def test_a_wait_for_an_item_that_is_nowhere_says_so(manager: ScriptedManager, handle: ItemHandle) -> None:
    manager.answers["WaitItem"] = NOT_FOUND
    with pytest.raises(ItemNotFound):
        await states(handle)


async def test_leaving_a_wait_ends_the_call(manager: ScriptedManager, handle: ItemHandle) -> None:
    ended = asyncio.Event()

    async def stream(_: queue_items_pb2.WaitItemRequest) -> AsyncIterator[queue_items_pb2.WaitItemResponse]:
        try:
            yield QUEUED
            await until_cancelled()
        finally:
            ended.set()

    manager.answers["WaitItem"] = stream
    waiting = handle.wait()
    await anext(waiting)
    await waiting.aclose()
    await asyncio.wait_for(ended.wait(), 10.0)


async def test_one_result_costs_one_small_stream_and_survives_a_restart(
    manager: ScriptedManager, handle: ItemHandle
) -> None:
    began = asyncio.Event()

    async def first(_: queue_items_pb2.WaitItemRequest) -> AsyncIterator[queue_items_pb2.WaitItemResponse]:
        yield QUEUED
        began.set()
        await until_cancelled()

    manager.answers["WaitItem"] = [first, *script([RUNS, FINISHED])]
    waiting = asyncio.create_task(handle.result())
    await asyncio.wait_for(began.wait(), 10.0)
    await manager.restart()
    assert (await asyncio.wait_for(waiting, 30.0)).requeued_as_uid == "v"
    assert manager.requests("WatchEvents") == []


async def test_a_result_waits_for_a_server_that_is_just_being_restarted(
    manager: ScriptedManager, handle: ItemHandle
) -> None:
    manager.answers["WaitItem"] = script([FINISHED])
    await manager.stop()
    waiting = asyncio.create_task(handle.result())
    await asyncio.wait([waiting], timeout=1.5)
    assert not waiting.done()
    await manager.restart()
    assert (await asyncio.wait_for(waiting, 30.0)).number == 7


@pytest.mark.parametrize("answer", [script([QUEUED, REMOVED])[0], NOT_FOUND])
async def test_an_item_that_was_removed_has_no_result(
    manager: ScriptedManager, handle: ItemHandle, answer: Any
) -> None:
    manager.answers["WaitItem"] = answer
    with pytest.raises(ItemNotFound, match="taken out of the queue"):
        await asyncio.wait_for(handle.result(), 10.0)
