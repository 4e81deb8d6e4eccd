"""The fields of an item: what is kept as given, what the server sets, and what it does not know."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_service_pb2 as pb
from queueserver_client import AsyncClient, Item, ItemState, ItemType, ManagerState, Plan, QueueStopReason

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, history, queue, run_to_its_end, until_state
from tests.harness.raw import Stubs, connect, refused

#: What the server fills in.
SET_BY_SERVER = ("item_uid", "user", "user_group", "attempt", "retry_of", "create_time", "held")
FORGED = {
    "item_uid": "mine",
    "user": "root",
    "user_group": "root",
    "attempt": 7,
    "retry_of": "other",
    "create_time": "2000-01-01T00:00:00Z",
    "held": True,
}


def message(**fields: Any) -> item_pb2.Item:
    return ParseDict(fields, item_pb2.Item())


def given(item: item_pb2.Item) -> item_pb2.Item:
    """What of an item was given by the client."""
    rest = item_pb2.Item()
    rest.CopyFrom(item)
    for name in SET_BY_SERVER:
        rest.ClearField(name)  # type: ignore[arg-type] # they are names of fields
    return rest


async def stored(raw: Stubs) -> list[item_pb2.Item]:
    """The queue as it is listed."""
    return list((await raw.queue.ListItems(pb.ListItemsRequest())).items)


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
        answer = (await raw.queue.AddItem(pb.AddItemRequest(item=wanted))).item
        await raw.queue.AddItems(pb.AddItemsRequest(items=[wanted]))
        moved = await raw.queue.MoveItem(
            pb.MoveItemRequest(source=pb.ItemAddress(uid=answer.item_uid), destination=pb.Position(index=1))
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
async def test_what_the_server_sets_is_ignored_in_a_submission(
    raw: Stubs, shared_client: AsyncClient, gate: Gate, method: str
) -> None:
    forged = message(name="gated_run", args=[gate.path], **FORGED)
    if method == "AddItem":
        item = (await raw.queue.AddItem(pb.AddItemRequest(item=forged))).item
    elif method == "AddItems":
        await raw.queue.AddItems(pb.AddItemsRequest(items=[forged]))
        (item,) = await stored(raw)
    elif method == "UpdateItem":
        forged.item_uid = (await shared_client.queue.add(Plan("nothing"))).uid
        item = (await raw.queue.UpdateItem(pb.UpdateItemRequest(item=forged))).item
    else:
        item = (await raw.queue.ExecuteItem(pb.ExecuteItemRequest(item=forged))).item
        gate.open()
        await until_state(shared_client, ManagerState.IDLE)
    assert item.item_uid != "mine"
    assert (item.user, item.user_group, item.attempt, item.retry_of) == ("anonymous", "admin", 1, "")
    assert (item.held, item.create_time.ToDatetime().year > 2000) == (False, True)


async def test_fields_that_no_version_of_an_item_has_are_refused(raw: Stubs, shared_client: AsyncClient) -> None:
    unknown = b"\xfa\x3f\x05later"  # field 1023, a string
    wanted = message(name="tell_types", kwargs={"x": {"y": 1}}).SerializeToString() + unknown
    refusal = await refused(raw.queue.AddItem(pb.AddItemRequest(item=item_pb2.Item.FromString(wanted))))
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
    assert (retry.uid, retry.properties, retry.held) == (entry.requeued_as, forged, False)


async def test_an_item_that_was_put_back_is_linked_to_its_last_attempt_and_carries_no_result(
    shared_client: AsyncClient,
) -> None:
    handle = await shared_client.queue.add(Item("broken", meta={"a": 1}, properties={"b": [2]}))
    await run_to_its_end(shared_client)
    retry = await shared_client.queue.get("front")
    assert (retry.state, retry.history_entry) == (ItemState.QUEUED, None)
    assert (retry.item.retry_of, retry.item.attempt) == (handle.uid, 2)
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
