"""A client that is told nothing takes messages of 4 MB: whatever is legal can be listed, watched and moved by it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import event_pb2 as e
from queueserver.manager.v1 import history_service_pb2, queue_items_pb2, queue_pb2, task_service_pb2
from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceStub
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceStub
from queueserver.manager.v1.task_service_pb2_grpc import TaskServiceStub
from queueserver_client import AsyncClient
from queueserver_manager.domain.queue.item import ExitStatus, HistoryEntry, Item, ItemKind, ItemResult, RunSummary
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.store.codecs.codec import encode_entry
from queueserver_rpc.message_sizes import PART_BYTES

from tests.harness.parts import Parts
from tests.harness.raw_watch import DURABLE, hear, messages, snapshot, up_to
from tests.harness.wait import bounded

#: Longest item that is accepted, and what the server adds to it at most.
ITEM_BYTES, ADDED_BYTES = 1024 * 1024, 4096
LONG_ITEMS = 8
VALUE_BYTES = 2 * 1024 * 1024


@pytest.fixture
async def queue(parts: Parts, parts_client: AsyncClient) -> AsyncIterator[Any]:
    """The stub of QueueService on a channel without options, of an empty queue."""
    del parts_client
    async with grpc.aio.insecure_channel(parts.address) as channel:
        yield QueueServiceStub(channel)


def item_of(size: int) -> item_pb2.ItemSpec:
    """An item of so many bytes."""
    item = item_pb2.ItemSpec(name="tell_types")
    text = item.args.values.add()
    text.string_value = "x" * (size - 30)
    text.string_value += "x" * (size - item.ByteSize())
    assert item.ByteSize() == size
    return item


async def all_uids(queue: Any) -> list[str]:
    """uids of the whole queue, page by page."""
    uids: list[str] = []
    token = ""
    while True:
        page = await queue.ListItems(queue_items_pb2.ListItemsRequest(page_token=token, page_size=10_000))
        assert page.ByteSize() <= PART_BYTES + ADDED_BYTES
        uids += [item.item_uid for item in page.items]
        token = page.next_page_token
        if not token:
            return uids


def uids_added(events: list[e.WatchEvent]) -> list[str]:
    """uids of the items that were added."""
    added = [item.item_uid for event in events for item in (*event.items_added.items, event.item_added.item)]
    return [uid for uid in added if uid]


async def test_a_queue_of_the_longest_items_is_listed_watched_moved_and_removed(parts: Parts, queue: Any) -> None:
    _, token = await snapshot(parts.address)
    for _ in range(LONG_ITEMS):
        await queue.AddItem(queue_items_pb2.AddItemRequest(item=item_of(ITEM_BYTES)))
    uids = await all_uids(queue)
    shown, _ = await snapshot(parts.address)
    assert [item.item_uid for part in shown for item in part.queue] == uids
    assert all(part.ByteSize() <= PART_BYTES + ADDED_BYTES for part in shown)
    heard = await hear(parts.address, token, lambda events: len(uids_added(events)) == LONG_ITEMS)
    assert uids_added(heard.events) == uids
    moved = await queue.MoveItems(
        queue_items_pb2.MoveItemsRequest(item_uids=uids[::-1], destination=queue_pb2.QueuePosition(front=True))
    )
    assert (len(moved.items), await all_uids(queue)) == (1, uids[::-1])
    removed = await queue.RemoveItems(queue_items_pb2.RemoveItemsRequest(item_uids=uids, strict=True))
    assert (removed.removed_count, removed.queue_size, len(removed.items)) == (LONG_ITEMS, 0, 1)
    after = await hear(parts.address, heard.token, up_to(removed.revision))
    assert len(after.events) == 1 + LONG_ITEMS


async def test_moving_the_longest_items_writes_hardly_anything_to_redis(parts: Parts, queue: Any) -> None:
    for _ in range(LONG_ITEMS):
        await queue.AddItem(queue_items_pb2.AddItemRequest(item=item_of(ITEM_BYTES)))
    uids = await all_uids(queue)
    with parts.redis.connect() as redis:
        before = redis.info("stats")["total_net_input_bytes"]
        await queue.MoveItems(
            queue_items_pb2.MoveItemsRequest(item_uids=uids[1:], destination=queue_pb2.QueuePosition(front=True))
        )
        await queue.MoveItem(
            queue_items_pb2.MoveItemRequest(
                source=queue_pb2.ItemAddress(uid=uids[0]), destination=queue_pb2.QueuePosition(front=True)
            )
        )
        assert redis.info("stats")["total_net_input_bytes"] - before < ITEM_BYTES
    assert await all_uids(queue) == uids
    with parts.manager_killed():
        pass
    assert await all_uids(queue) == uids


async def test_the_largest_batch_of_small_items_is_answered_and_told_in_messages_that_every_client_takes(
    parts: Parts, queue: Any
) -> None:
    _, token = await snapshot(parts.address)
    added = await queue.AddItems(queue_items_pb2.AddItemsRequest(items=[item_pb2.ItemSpec(name="nothing")] * 50_000))
    assert len(added.item_uids) == 50_000
    assert added.ByteSize() < 2 * PART_BYTES
    heard = await hear(parts.address, token, lambda events: len(uids_added(events)) == 50_000)
    assert uids_added(heard.events) == list(added.item_uids)
    assert {event.revision for event in heard.events} == {added.revision}
    assert len(heard.tokens) > 4
    shown, _ = await snapshot(parts.address)
    assert sum(len(part.queue) for part in shown) == 50_000
    assert len(await all_uids(queue)) == 50_000


async def test_what_a_client_missed_comes_in_messages_of_bounded_length_whatever_it_was(
    parts: Parts, queue: Any
) -> None:
    _, token = await snapshot(parts.address)
    sizes = [100, PART_BYTES // 2, 300_000, ITEM_BYTES, 100, ITEM_BYTES - 1, PART_BYTES // 4, 60_000]
    for size in sizes:
        await queue.AddItem(queue_items_pb2.AddItemRequest(item=item_of(size)))
    await queue.AddItems(queue_items_pb2.AddItemsRequest(items=[item_of(size) for size in sizes]))
    found, lengths = await backlog(parts.address, token, lambda events: len(uids_added(events)) == 2 * len(sizes))
    assert uids_added(found) == await all_uids(queue)
    assert max(lengths) <= PART_BYTES + ADDED_BYTES


def longest_entry() -> HistoryEntry:
    """An entry whose every part is as long as it may be."""
    runs = tuple(RunSummary(f"{number:087}", 2**53, False, "s" * 20) for number in range(6_700))
    result = ItemResult(
        ExitStatus.FAILED,
        stop=2.0,
        start=1.0,
        message="é" * 4_000,
        traceback="é" * 64_000,
        runs=runs,
        console="é" * 4_000,
        notices=("é" * 4_000,) * 10,
    )
    item = Item(
        uid="the longest",
        kind=ItemKind.PLAN,
        name="count",
        user="é" * 100,
        user_group="é" * 100,
        created=1.0,
        kwargs={"text": "x" * (ITEM_BYTES - 100)},
        problems=(Violation("x" * 200, "é" * 500),) * 10,
    )
    return HistoryEntry(1, item, "execution", result)


async def test_the_longest_entry_of_the_history_is_listed_got_waited_for_and_watched(
    parts: Parts, queue: Any, parts_client: AsyncClient
) -> None:
    await parts_client.history.clear()
    with parts.manager_killed(), parts.redis.connect() as redis:
        number = int(redis.hget("{qs}:meta", "last_history_number") or 0) + 1
        redis.hset("{qs}:history", str(number), encode_entry(replace(longest_entry(), number=number)))
        redis.hset("{qs}:meta", "last_history_number", number)
    async with grpc.aio.insecure_channel(parts.address) as channel:
        listed = await HistoryServiceStub(channel).ListHistory(history_service_pb2.ListHistoryRequest())
        got = await queue.GetItem(
            queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(uid="the longest")), wait_for_ready=True
        )
        stream = queue.WaitItem(queue_items_pb2.WaitItemRequest(item_uid="the longest"))
        waited = [message async for message in stream]
    shown, _ = await snapshot(parts.address)
    (entry,) = listed.entries
    assert entry.ByteSize() > 2 * ITEM_BYTES
    assert got.history_entry == waited[-1].history_entry == entry
    assert [one for part in shown for one in part.history] == [entry]


async def test_the_longest_return_value_is_got_and_waited_for(parts: Parts, parts_client: AsyncClient) -> None:
    script = await parts_client.tasks.upload_script("def long_text(length):\n    return 'x' * length")
    await bounded(script.result())
    task = await parts_client.tasks.execute("long_text", [VALUE_BYTES - 10])
    await bounded(task.result())
    async with grpc.aio.insecure_channel(parts.address) as channel:
        tasks = TaskServiceStub(channel)
        got = await tasks.GetTask(task_service_pb2.GetTaskRequest(task_uid=task.uid))
        waited = [message async for message in tasks.WaitTask(task_service_pb2.WaitTaskRequest(task_uid=task.uid))]
    assert got.status == waited[-1].status
    assert got.status.result.return_value.ByteSize() > VALUE_BYTES - 10


async def backlog(
    address: str, token: str, enough: Callable[[list[e.WatchEvent]], bool]
) -> tuple[list[e.WatchEvent], list[int]]:
    """Everything from a token on until it is enough, and how long each message was."""
    events: list[e.WatchEvent] = []
    lengths: list[int] = []
    stream = messages(address, DURABLE, token)
    async for message in stream:
        events += message.batch.events
        lengths.append(message.ByteSize())
        if enough(events):
            break
    await stream.aclose()  # type: ignore[attr-defined] # it is a generator
    return events, lengths
