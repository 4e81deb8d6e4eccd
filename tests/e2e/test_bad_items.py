"""Wrong items: each gets the right code, a reason, a violation and a sentence; and nothing changes."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from queueserver.common.v1 import item_pb2
from queueserver.common.v1.error_reason_pb2 import ErrorReason
from queueserver.manager.v1 import error_details_pb2, history_service_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_client import AsyncClient, EventKind, ExitStatus, Plan

from tests.harness import expect
from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded, first

INVALID = grpc.StatusCode.INVALID_ARGUMENT
Item = item_pb2.ItemSpec


def item(**fields: Any) -> item_pb2.ItemSpec:
    return ParseDict(fields, Item())


def nested(depth: int, *, objects: bool = False) -> bytes:
    """A request to add a call with a list in a list in a list …, as bytes: libraries refuse to build it."""
    value = Value(number_value=1).SerializeToString()
    for _ in range(depth):
        inner = _field(1, _field(1, b"a") + _field(2, value)) if objects else _field(1, value)
        value = _field(5 if objects else 6, inner)
    call = _field(2, b"tell_types") + _field(3, _field(1, value))
    return _field(1, call)


def _field(number: int, content: bytes) -> bytes:
    size, length = len(content), b""
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


async def add_raw(stubs: Stubs, request: bytes) -> pb.AddItemResponse:
    call = stubs.channel.unary_unary("/queueserver.manager.v1.QueueService/AddItem")
    return pb.AddItemResponse.FromString(await call(request))


def with_number(number: float) -> item_pb2.ItemSpec:
    return Item(name="tell_types", kwargs=Struct(fields={"deep": Value(list_value=_list(1.0, number))}))


def _list(*numbers: float) -> ListValue:
    return ListValue(values=[Value(number_value=number) for number in numbers])


async def everything(client: AsyncClient, stubs: Stubs) -> tuple[Any, ...]:
    """All that a refused request must not change."""
    status = await client.status()
    queue = await stubs.queue.ListItems(pb.ListItemsRequest(page_size=1000))
    history = await stubs.history.ListHistory(history_service_pb2.ListHistoryRequest())
    return status.revision, status.plan_queue_uid, status.manager_state, status.environment, queue, history


@pytest.fixture
async def unchanged(shared_client: AsyncClient, raw: Stubs) -> AsyncIterator[None]:
    """Around the test nothing changes: neither the revision nor the queue nor the history."""
    await shared_client.queue.add_batch([Plan("one_run", "a"), Plan("one_run", "b")])
    before = await everything(shared_client, raw)
    yield
    assert await everything(shared_client, raw) == before


BAD_ITEMS: dict[str, tuple[item_pb2.ItemSpec, str, str, str]] = {
    "an unknown plan": (item(name="one_rum"), "PLAN_NOT_FOUND", "item.name", "did you mean 'one_run'"),
    "nothing like any plan": (item(name="zzzzzzzz"), "PLAN_NOT_FOUND", "item.name", "list the plans"),
    "a hidden plan": (item(name="_one_run"), "PLAN_NOT_FOUND", "item.name", "There is no plan"),
    "no name": (item(), "ITEM_INVALID", "item.name", "give the name of a plan"),
    "an endless name": (item(name="x" * 100_000), "ITEM_INVALID", "item.name", "longer than"),
    "an unknown instruction": (
        item(name="queue_go", item_type="ITEM_TYPE_INSTRUCTION"),
        "ITEM_INVALID",
        "item.name",
        "'queue_stop'",
    ),
    "an unknown type": (Item(name="one_run", item_type=77), "ITEM_INVALID", "item.item_type", "ITEM_TYPE_PLAN"),  # type: ignore[arg-type] # no type has this number
    "a wrong parameter": (
        item(name="read_once", args=[["det1"]], kwargs={"tines": 5}),
        "ITEM_INVALID",
        "item.kwargs.tines",
        "did you mean 'times'",
    ),
    "a missing parameter": (item(name="read_once"), "ITEM_INVALID", "item.kwargs.detectors", "required"),
    "too many parameters": (
        item(name="read_once", args=[["det1"], 1]),
        "ITEM_INVALID",
        "item.args[1]",
        "takes 1 positional",
    ),
    "a parameter given twice": (
        item(name="read_once", args=[["det1"]], kwargs={"detectors": ["det2"]}),
        "ITEM_INVALID",
        "item.kwargs.detectors",
        "twice",
    ),
    "text for a number": (
        item(name="read_once", args=[["det1"]], kwargs={"times": "5"}),
        "ITEM_INVALID",
        "item.kwargs.times",
        "a whole number",
    ),
    "a fraction for a whole number": (
        item(name="read_once", args=[["det1"]], kwargs={"times": 1.5}),
        "ITEM_INVALID",
        "item.kwargs.times",
        "not 1.5",
    ),
    "a truth value for a number": (
        item(name="read_once", args=[["det1"]], kwargs={"scale": True}),
        "ITEM_INVALID",
        "item.kwargs.scale",
        "a number",
    ),
    "a device for a list of devices": (
        item(name="read_once", args=["det1"]),
        "ITEM_INVALID",
        "item.args[0]",
        "a list",
    ),
    "an unknown device": (
        item(name="read_once", args=[["det1", "det3"]]),
        "ITEM_INVALID",
        "item.args[0][1]",
        "there is no 'det3' that you may use; did you mean",
    ),
    "a function that is not a plan": (
        item(name="give", args=["x"]),
        "PLAN_NOT_FOUND",
        "item.name",
        "There is a function give, but it is not a plan",
    ),
    "metadata with a name of the RunEngine's": (
        item(name="one_run", meta={"subs": 1, "sample": "gold"}),
        "ITEM_INVALID",
        "item.meta.subs",
        "the RunEngine needs this name for itself: choose another one",
    ),
    "an item of 1.5 MB": (
        item(name="one_run", kwargs={"label": "x" * 1_500_000}),
        "ITEM_TOO_LARGE",
        "item",
        "put large data where the plan can read it",
    ),
    "an item of 5 MB": (
        item(name="one_run", kwargs={"label": "x" * 5_000_000}),
        "REQUEST_TOO_LARGE",
        "",
        "put large data into a file and pass its name",
    ),
    "very many values": (
        item(name="tell_types", args=[[0] * 20_000]),
        "ITEM_TOO_LARGE",
        "item",
        "put large data where the plan or function can read it",
    ),
}


@pytest.mark.parametrize("wrong", BAD_ITEMS)
async def test_a_wrong_item_is_refused_with_the_way_out(raw: Stubs, unchanged: None, wrong: str) -> None:
    del unchanged
    bad, reason, field, phrase = BAD_ITEMS[wrong]
    refusal = await refused(raw.queue.AddItem(pb.AddItemRequest(item=bad)))
    code = grpc.StatusCode.NOT_FOUND if reason == "PLAN_NOT_FOUND" else INVALID
    assert (refusal.code, refusal.domain, refusal.reason) == (code, "qserver", reason)
    assert list(refusal.violations) == [field]
    assert phrase in f"{refusal.message} {refusal.violations[field]}"


@pytest.mark.parametrize(
    "number", [math.nan, math.inf, -math.inf, 2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**53), -(2.0**63)]
)
async def test_a_number_that_may_not_be_what_was_meant_is_refused(raw: Stubs, unchanged: None, number: float) -> None:
    del unchanged
    refusal = await refused(raw.queue.AddItem(pb.AddItemRequest(item=with_number(number))))
    assert (refusal.code, refusal.reason) == (INVALID, "NUMBER_NOT_EXACT")
    assert list(refusal.violations) == ["item.kwargs.deep[1]"]
    assert "pass" in refusal.message


@pytest.mark.parametrize("field", ["kwargs", "meta", "properties"])
async def test_a_value_of_no_kind_which_clients_could_not_print_is_refused(
    raw: Stubs, unchanged: None, field: str
) -> None:
    del unchanged
    bad = item(name="tell_types")
    getattr(bad, field)["deep"] = [None, 1]
    getattr(bad, field).fields["deep"].list_value.values[1].Clear()
    refusal = await refused(raw.queue.AddItem(pb.AddItemRequest(item=bad)))
    assert (refusal.code, refusal.reason) == (INVALID, "ITEM_INVALID")
    assert list(refusal.violations) == [f"item.{field}.deep[1]"]
    assert "null_value" in refusal.message


@pytest.mark.parametrize("objects", [False, True])
@pytest.mark.parametrize("depth", [30, 31, 32, 33, 47, 48, 49, 60, 200, 2000])
async def test_what_is_nested_too_deeply_is_refused(raw: Stubs, unchanged: None, depth: int, objects: bool) -> None:
    del unchanged
    refusal = await refused(add_raw(raw, nested(depth, objects=objects)))
    assert (refusal.code, refusal.domain) == (INVALID, "qserver")
    assert refusal.reason in ("ITEM_INVALID", "REQUEST_UNDECODABLE")
    assert "nested" in refusal.message


@pytest.mark.parametrize("objects", [False, True])
async def test_an_item_nested_as_deeply_as_is_accepted_can_be_listed_watched_and_run(
    raw: Stubs, shared_client: AsyncClient, objects: bool
) -> None:
    async with shared_client.watch([EventKind.QUEUE, EventKind.HISTORY]) as watch:
        await bounded(watch.__anext__())
        stored = (await add_raw(raw, nested(29, objects=objects))).item
        added: Any = await bounded(watch.__anext__())
        assert added.item.uid == stored.item_uid
        assert [found.uid async for found in shared_client.queue.list()] == [stored.item_uid]
        await shared_client.queue.start()
        event: Any = await first(watch, expect.in_history(stored.item_uid))
    assert event.entry.result.exit_status is ExitStatus.COMPLETED
    assert event.entry.item.args == added.item.args


@pytest.mark.parametrize("at", [0, 1, 4])
async def test_a_batch_with_one_wrong_item_is_refused_as_a_whole_and_names_it(
    raw: Stubs, unchanged: None, at: int
) -> None:
    del unchanged
    items = [item(name="one_run") for _ in range(5)]
    items[at] = item(name="read_once", args=[["det1"]], kwargs={"times": "many"})
    refusal = await refused(raw.queue.AddItems(pb.AddItemsRequest(items=items)))
    assert (refusal.code, refusal.reason) == (INVALID, "BATCH_REFUSED")
    (entry,) = refusal.detail(error_details_pb2.BatchRefused).items
    assert (entry.index, entry.reason) == (at, ErrorReason.ERROR_REASON_ITEM_INVALID)
    assert [violation.field for violation in entry.field_violations] == [f"items[{at}].kwargs.times"]
    assert f"items[{at}]" in refusal.message


async def test_a_batch_of_thousands_of_wrong_items_is_refused_with_an_answer_that_fits(
    raw: Stubs, unchanged: None
) -> None:
    del unchanged
    items = [item(name=f"plan number {number} " * 10) for number in range(5000)]
    refusal = await refused(raw.queue.AddItems(pb.AddItemsRequest(items=items)))
    assert (refusal.code, refusal.reason) == (INVALID, "BATCH_REFUSED")
    shown = [entry.index for entry in refusal.detail(error_details_pb2.BatchRefused).items]
    assert shown == list(range(len(shown)))
    assert shown
    assert "5000 of 5000 items are wrong" in refusal.message


async def test_a_batch_larger_than_a_batch_may_be_is_refused(raw: Stubs, unchanged: None) -> None:
    del unchanged
    items = [item(name="one_run")] * 50_001
    refusal = await refused(raw.queue.AddItems(pb.AddItemsRequest(items=items)))
    assert (refusal.code, refusal.reason) == (INVALID, "BATCH_TOO_LARGE")
    assert "send them in several requests" in refusal.message


async def test_an_empty_batch_succeeds_and_changes_nothing(raw: Stubs, unchanged: None) -> None:
    del unchanged
    answer = await raw.queue.AddItems(pb.AddItemsRequest())
    assert (list(answer.item_uids), answer.queue_size) == ([], 2)


async def test_text_that_is_not_utf_8_is_refused(raw: Stubs, unchanged: None) -> None:
    del unchanged
    refusal = await refused(add_raw(raw, b"\x0a\x05\x12\x03\xff\xfe\xfd"))
    assert (refusal.code, refusal.domain, refusal.reason) == (INVALID, "qserver", "REQUEST_UNDECODABLE")
    assert "UTF-8" in refusal.message
