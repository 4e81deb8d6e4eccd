"""The fields of an item: what is kept as given, what the server sets, and what it does not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_execution_pb2, queue_items_pb2, queue_pb2
from queueserver_client import AsyncClient, Item, ItemState, ItemType, ManagerState, Plan, QueueStopReason

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, history, queue, run_to_its_end, until_state
from tests.harness.raw import Stubs, connect, refused

FORGED = {
    "item_uid": "mine",
    "user": "root",
    "user_group": "root",
    "attempt": 7,
    "retry_of_uid": "other",
    "create_time": "2000-01-01T00:00:00Z",
    "held": True,
}


def message(**fields: Any) -> item_pb2.ItemSpec:
    return ParseDict(fields, item_pb2.ItemSpec())


def given(item: item_pb2.Item) -> item_pb2.ItemSpec:
    """What of an item was given by the client."""
    rest = item_pb2.ItemSpec.FromString(item.SerializeToString())
    rest.DiscardUnknownFields()
    return rest


async def stored(raw: Stubs) -> list[item_pb2.Item]:
    """The queue as it is listed."""
    return list((await raw.queue.ListItems(queue_items_pb2.ListItemsRequest())).items)


GIVEN: dict[str, dict[str, Any]] = {
    "only a name": {"name": "tell_types"},
    "empty arguments": {"name": "tell_types", "args": [], "kwargs": {}, "meta": {}, "properties": {}},
    "everything": {
        "name": "tell_types",
        "args": [1, None, "a", [True, {}]],
        "kwargs": {"x": 1.5, "y": {"z": []}},
        "meta": {"sample": {"name": "Fe"}},
        "properties": {"immediate_execution": True, "time_start": 1},
    },
    "an instruction with arguments": {
        "item_type": "ITEM_TYPE_INSTRUCTION",
        "name": "queue_stop",
        "args": [1],
        "kwargs": {"a": 2},
    },
}


@pytest.mark.parametrize("case", GIVEN)
async def test_what_was_given_is_kept_as_it_was_and_what_was_not_given_stays_absent(
    parts: Parts, parts_client: AsyncClient, case: str
) -> None:
    wanted = message(**{"item_type": "ITEM_TYPE_PLAN", **GIVEN[case]})
    async with connect(parts.address) as raw:
        answer = (await raw.queue.AddItem(queue_items_pb2.AddItemRequest(item=wanted))).item
        await raw.queue.AddItems(queue_items_pb2.AddItemsRequest(items=[wanted]))
        moved = await raw.queue.MoveItem(
            queue_items_pb2.MoveItemRequest(
                source=queue_pb2.ItemAddress(uid=answer.item_uid), destination=queue_pb2.QueuePosition(index=1)
            )
        )
        assert moved.item == answer
        before = await stored(raw)
    with parts.manager_killed():
        pass
    async with connect(parts.address) as raw:
        after = await stored(raw)
    assert after == before
    assert [given(item) for item in (answer, *after)] == [wanted] * 3
    del parts_client


async def test_a_submission_without_a_type_is_a_plan(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.add(Item("nothing", item_type=ItemType.UNSPECIFIED))
    (item,) = await queue(shared_client)
    assert (item.uid, item.item_type) == (handle.uid, ItemType.PLAN)


@pytest.mark.parametrize("method", ["AddItem", "AddItems", "UpdateItem", "ExecuteItem"])
async def test_nobody_can_say_what_the_server_sets(raw: Stubs, shared_client: AsyncClient, method: str) -> None:
    uid = (await shared_client.queue.add(Plan("nothing"))).uid
    before = await stored(raw)
    whole = ParseDict({"name": "one_run", **FORGED}, item_pb2.Item())
    forged = item_pb2.ItemSpec.FromString(whole.SerializeToString())
    calls: dict[str, Callable[[], Any]] = {
        "AddItem": lambda: raw.queue.AddItem(queue_items_pb2.AddItemRequest(item=forged)),
        "AddItems": lambda: raw.queue.AddItems(queue_items_pb2.AddItemsRequest(items=[forged])),
        "UpdateItem": lambda: raw.queue.UpdateItem(queue_items_pb2.UpdateItemRequest(item_uid=uid, item=forged)),
        "ExecuteItem": lambda: raw.queue.ExecuteItem(queue_execution_pb2.ExecuteItemRequest(item=forged)),
    }
    refusal = await refused(calls[method]())
    assert refusal.reason == "FIELD_UNKNOWN"
    assert await stored(raw) == before


async def test_fields_that_no_version_of_an_item_has_are_refused(raw: Stubs, shared_client: AsyncClient) -> None:
    unknown = b"\xfa\x3f\x05later"  # field 1023, a string
    wanted = message(name="tell_types", kwargs={"x": {"y": 1}}).SerializeToString() + unknown
    refusal = await refused(
        raw.queue.AddItem(queue_items_pb2.AddItemRequest(item=item_pb2.ItemSpec.FromString(wanted)))
    )
    assert (refusal.reason, list(refusal.violations)) == ("FIELD_UNKNOWN", ["item.1023"])
    assert await stored(raw) == []
    del shared_client


async def test_properties_that_look_like_the_servers_own_change_nothing_about_the_execution(
    shared_client: AsyncClient,
) -> None:
    forged = {"immediate_execution": True, "time_start": 1, "held": True}
    handle = await shared_client.queue.add(Item("broken", properties=forged))
    assert await run_to_its_end(shared_client) is QueueStopReason.FAILURE
    (entry,) = await history(shared_client)
    (retry,) = await queue(shared_client)
    assert (entry.item.uid, entry.item.properties) == (handle.uid, forged)
    assert (retry.uid, retry.properties, retry.held) == (entry.requeued_as_uid, forged, False)


async def test_an_item_that_was_put_back_is_linked_to_its_last_attempt_and_carries_no_result(
    shared_client: AsyncClient,
) -> None:
    handle = await shared_client.queue.add(Item("broken", meta={"a": 1}, properties={"b": [2]}))
    await run_to_its_end(shared_client)
    retry = await shared_client.queue.get("front")
    assert (retry.state, retry.history_entry) == (ItemState.QUEUED, None)
    assert (retry.item.retry_of_uid, retry.item.attempt) == (handle.uid, 2)
    assert (retry.item.meta, retry.item.properties) == ({"a": 1}, {"b": [2]})
    assert (retry.item.user, retry.item.user_group) == (handle.item.user, handle.item.user_group)


async def test_a_running_item_shows_when_it_was_claimed_beside_the_item_and_not_in_it(
    shared_client: AsyncClient, gate: Gate
) -> None:
    await begun(shared_client, Item("stepping", args=[gate.path], properties={"mine": 1}))
    page = await shared_client.queue.page()
    assert page.running_item is not None
    assert page.running_item.item.properties == {"mine": 1}
    created = page.running_item.item.create_time
    assert created is not None
    assert page.running_item.claim_time >= created
    assert page.running_item.immediate is False
    gate.open()
    await until_state(shared_client, ManagerState.IDLE)
    (entry,) = await history(shared_client)
    assert entry.item.properties == {"mine": 1}


async def test_arguments_of_an_instruction_are_ignored(shared_client: AsyncClient) -> None:
    stop = Item("queue_stop", args=[1], kwargs={"a": 2}, item_type=ItemType.INSTRUCTION)
    await shared_client.queue.add_batch([stop, Plan("nothing")])
    assert await run_to_its_end(shared_client) is QueueStopReason.INSTRUCTION
    assert [item.name for item in await queue(shared_client)] == ["nothing"]
