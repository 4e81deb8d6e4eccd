"""Replacing an item of the queue: its whole content, its owner, perhaps its uid, and never its place."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_client import AsyncClient, Item, ItemNotFound, ItemType, ManagerState, Plan

from tests.harness.progress import queue, until_state
from tests.harness.raw import Stubs, refused

FULL = Item("tell_types", args=[1], kwargs={"a": 2}, meta={"b": 3}, properties={"c": 4})


async def test_an_update_replaces_the_whole_content_and_merges_nothing(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.add(FULL)
    await shared_client.queue.update(handle.uid, Item("tell_types"))
    (item,) = await queue(shared_client)
    assert (item.uid, item.args, item.kwargs, item.meta, item.properties) == (handle.uid, None, None, None, None)


async def test_a_plan_can_become_an_instruction_and_a_plan_again(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.add(FULL)
    await shared_client.queue.update(handle.uid, Item.queue_stop())
    (item,) = await queue(shared_client)
    assert (item.uid, item.item_type, item.name) == (handle.uid, ItemType.INSTRUCTION, "queue_stop")
    await shared_client.queue.update(handle.uid, FULL)
    (item,) = await queue(shared_client)
    assert (item.uid, item.item_type, item.kwargs) == (handle.uid, ItemType.PLAN, {"a": 2})


async def test_whoever_updates_an_item_owns_it_also_if_nothing_else_changes(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.add(FULL)
    before = await shared_client.status()
    async with AsyncClient(shared_client.address, user="maria") as other:
        updated = await other.queue.update(handle.uid, FULL)
        again = await other.queue.update(handle.uid, FULL)
    (item,) = await queue(shared_client)
    assert (handle.item.user, item.user) != ("maria", handle.item.user)
    assert (item.uid, item.user) == (handle.uid, "maria")
    assert (updated.revision, again.revision) == (before.revision + 1, before.revision + 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [(1, True), (0, False), (True, 1), ([0], [False]), ({"x": 1}, {"x": True}), ([1, [2]], [True, [2]]), (None, 0)],
)
@pytest.mark.parametrize("field", ["args", "kwargs", "meta", "properties"])
async def test_a_number_and_a_truth_value_are_not_the_same_content(
    shared_client: AsyncClient, field: str, old: Any, new: Any
) -> None:
    def item(value: Any) -> Item:
        content: Any = {field: [value] if field == "args" else {"key": value}}
        return Item("tell_types", **content)

    handle = await shared_client.queue.add(item(old))
    updated = await shared_client.queue.update(handle.uid, item(new))
    assert updated.revision == handle.revision + 1
    (found,) = await queue(shared_client)
    assert repr(getattr(found, field)) == repr(getattr(item(new), field))


async def test_an_update_that_only_orders_names_anew_changes_nothing(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.add(Item("tell_types", kwargs={"a": 1, "b": {"c": 2, "d": 3}}))
    same = await shared_client.queue.update(handle.uid, Item("tell_types", kwargs={"b": {"d": 3, "c": 2}, "a": 1}))
    assert same.revision == handle.revision


@pytest.mark.parametrize("new_uid", [False, True])
async def test_a_new_attempt_stays_one_however_it_is_edited(shared_client: AsyncClient, new_uid: bool) -> None:
    first = await shared_client.queue.add(Plan("broken"))
    await shared_client.queue.start()
    await until_state(shared_client, ManagerState.IDLE)
    (retry,) = await queue(shared_client)
    updated = await shared_client.queue.update(retry.uid, Plan("one_run"), new_uid=new_uid)
    await shared_client.queue.add(Plan("one_run"))
    await shared_client.queue.move(updated.uid, "back")
    await shared_client.queue.move_batch([updated.uid], "front")
    item = (await queue(shared_client))[0]
    assert (retry.attempt, retry.retry_of_uid) == (2, first.uid)
    assert (item.name, item.uid == retry.uid) == ("one_run", not new_uid)
    assert (updated.item.attempt, item.attempt, item.retry_of_uid) == (2, 2, first.uid)


async def test_only_what_is_in_the_queue_can_be_updated(raw: Stubs, shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.execute(Plan("one_run"))
    await handle.result()
    await until_state(shared_client, ManagerState.IDLE)
    before = await shared_client.status()
    for uid in ("no such item", handle.uid):
        with pytest.raises(ItemNotFound, match="list the queue"):
            await shared_client.queue.update(uid, Plan("nothing"))
    refusal = await refused(raw.queue.UpdateItem(pb.UpdateItemRequest(item=item_pb2.ItemSpec(name="nothing"))))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refusal.violations) == ["item_uid"]
    assert (await shared_client.status()).revision == before.revision
