"""Wrong positions, pages and fields: the right code, a reason, a sentence; and nothing changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import (
    environment_service_pb2,
    error_details_pb2,
    history_service_pb2,
    inventory_service_pb2,
    queue_execution_pb2,
    queue_items_pb2,
    queue_pb2,
    status_pb2,
    task_service_pb2,
)
from queueserver_client import AsyncClient, Plan

from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded

OUT_OF_RANGE = grpc.StatusCode.OUT_OF_RANGE
NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
ITEM = item_pb2.ItemSpec(name="one_run")
BEYOND = [3, -4, 2**31 - 1, -(2**31)]


@pytest.fixture
async def unchanged(shared_client: AsyncClient, raw: Stubs) -> AsyncIterator[None]:
    """Three items are in the queue; around the test nothing changes."""
    await shared_client.queue.add_batch([Plan("one_run", label) for label in "abc"])
    before = await raw.queue.ListItems(queue_items_pb2.ListItemsRequest())
    yield
    assert await raw.queue.ListItems(queue_items_pb2.ListItemsRequest()) == before


@pytest.mark.parametrize("index", BEYOND)
@pytest.mark.parametrize("method", ["GetItem", "RemoveItem", "source", "destination"])
async def test_an_index_beyond_the_ends_is_refused(raw: Stubs, unchanged: None, method: str, index: int) -> None:
    del unchanged
    requests: dict[str, Any] = {
        "GetItem": queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(index=index)),
        "RemoveItem": queue_items_pb2.RemoveItemRequest(address=queue_pb2.ItemAddress(index=index)),
        "source": queue_items_pb2.MoveItemRequest(
            source=queue_pb2.ItemAddress(index=index), destination=queue_pb2.QueuePosition(front=True)
        ),
        "destination": queue_items_pb2.MoveItemRequest(
            source=queue_pb2.ItemAddress(index=0), destination=queue_pb2.QueuePosition(index=index)
        ),
    }
    call = getattr(raw.queue, method if method.endswith("Item") else "MoveItem")
    refusal = await refused(call(requests[method]))
    assert (refusal.code, refusal.domain, refusal.reason) == (OUT_OF_RANGE, "qserver", "POSITION_OUT_OF_RANGE")
    assert "indices -3 to 2" in refusal.message


def _unknown_uid_requests() -> dict[str, Any]:
    nobody = {
        "before_uid": queue_pb2.QueuePosition(before_uid="nobody"),
        "after_uid": queue_pb2.QueuePosition(after_uid="nobody"),
    }
    found: dict[str, Any] = {
        "GetItem": queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(uid="nobody")),
        "RemoveItem": queue_items_pb2.RemoveItemRequest(address=queue_pb2.ItemAddress(uid="nobody")),
        "MoveItem source": queue_items_pb2.MoveItemRequest(
            source=queue_pb2.ItemAddress(uid="nobody"), destination=queue_pb2.QueuePosition(front=True)
        ),
        "GetItem without a uid": queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(uid="")),
    }
    for name, place in nobody.items():
        found[f"AddItem {name}"] = queue_items_pb2.AddItemRequest(item=ITEM, position=place)
        found[f"AddItems {name}"] = queue_items_pb2.AddItemsRequest(items=[ITEM, ITEM], position=place)
        found[f"MoveItem {name}"] = queue_items_pb2.MoveItemRequest(
            source=queue_pb2.ItemAddress(index=0), destination=place
        )
    return found


@pytest.mark.parametrize("case", _unknown_uid_requests())
async def test_a_uid_that_is_not_in_the_queue_is_refused(raw: Stubs, unchanged: None, case: str) -> None:
    del unchanged
    refusal = await refused(getattr(raw.queue, case.split(maxsplit=1)[0])(_unknown_uid_requests()[case]))
    assert (refusal.code, refusal.reason) == (NOT_FOUND, "ITEM_NOT_FOUND")
    assert "list the queue" in refusal.message


@pytest.mark.parametrize(
    ("request_", "missing"),
    [
        (queue_items_pb2.MoveItemRequest(), ["source", "destination"]),
        (queue_items_pb2.MoveItemRequest(source=queue_pb2.ItemAddress(index=0)), ["destination"]),
        (queue_items_pb2.MoveItemRequest(destination=queue_pb2.QueuePosition(index=0)), ["source"]),
        (
            queue_items_pb2.MoveItemRequest(source=queue_pb2.ItemAddress(), destination=queue_pb2.QueuePosition()),
            ["source", "destination"],
        ),
    ],
)
async def test_a_move_needs_both_ends(
    raw: Stubs, unchanged: None, request_: queue_items_pb2.MoveItemRequest, missing: list[str]
) -> None:
    del unchanged
    refusal = await refused(raw.queue.MoveItem(request_))
    assert (refusal.code, refusal.reason) == (INVALID, "POSITION_MISSING")
    assert list(refusal.violations) == missing
    assert "source and a destination" in refusal.message


@pytest.mark.parametrize("destination", [None, queue_pb2.QueuePosition()])
async def test_a_move_of_a_batch_needs_a_destination(
    raw: Stubs, unchanged: None, destination: queue_pb2.QueuePosition | None
) -> None:
    del unchanged
    uids = [item.item_uid for item in (await raw.queue.ListItems(queue_items_pb2.ListItemsRequest())).items]
    for batch in (uids[:2], []):
        refusal = await refused(
            raw.queue.MoveItems(queue_items_pb2.MoveItemsRequest(item_uids=batch, destination=destination))
        )
        assert (refusal.code, refusal.reason) == (INVALID, "POSITION_MISSING")
        assert list(refusal.violations) == ["destination"]
        assert "destination" in refusal.message


async def test_an_item_is_checked_before_its_position(raw: Stubs, unchanged: None) -> None:
    del unchanged
    nowhere = queue_pb2.QueuePosition(before_uid="nobody")
    wrong = item_pb2.ItemSpec(name="no_such_plan")
    refusal = await refused(raw.queue.AddItem(queue_items_pb2.AddItemRequest(item=wrong, position=nowhere)))
    assert refusal.reason == "PLAN_NOT_FOUND"
    refusal = await refused(raw.queue.AddItems(queue_items_pb2.AddItemsRequest(items=[wrong], position=nowhere)))
    assert refusal.reason == "BATCH_REFUSED"


@pytest.mark.parametrize("method", ["GetItem", "RemoveItem", "MoveItem"])
async def test_an_empty_queue_has_no_item_to_address(raw: Stubs, shared_client: AsyncClient, method: str) -> None:
    revision = (await shared_client.status()).revision
    requests: dict[str, Any] = {
        "GetItem": queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(back=True)),
        "RemoveItem": queue_items_pb2.RemoveItemRequest(address=queue_pb2.ItemAddress(back=True)),
        "MoveItem": queue_items_pb2.MoveItemRequest(
            source=queue_pb2.ItemAddress(front=True), destination=queue_pb2.QueuePosition(back=True)
        ),
    }
    refusal = await refused(getattr(raw.queue, method)(requests[method]))
    assert (refusal.code, refusal.reason) == (OUT_OF_RANGE, "POSITION_OUT_OF_RANGE")
    assert "empty" in refusal.message
    assert (await shared_client.status()).revision == revision


def listing(raw: Stubs, which: str, **fields: Any) -> Any:
    calls: dict[str, Any] = {
        "items": (raw.queue.ListItems, queue_items_pb2.ListItemsRequest),
        "history": (raw.history.ListHistory, history_service_pb2.ListHistoryRequest),
        "plans": (raw.inventory.ListPlans, inventory_service_pb2.ListPlansRequest),
        "devices": (raw.inventory.ListDevices, inventory_service_pb2.ListDevicesRequest),
    }
    method, request = calls[which]
    return method(request(**fields))


LISTINGS = ["items", "history", "plans", "devices"]


@pytest.mark.parametrize("size", [-1, -(2**31)])
@pytest.mark.parametrize("which", LISTINGS)
async def test_a_negative_page_size_is_refused(raw: Stubs, unchanged: None, which: str, size: int) -> None:
    del unchanged
    refusal = await refused(listing(raw, which, page_size=size))
    assert (refusal.code, refusal.domain, refusal.reason) == (INVALID, "qserver", "FIELD_INVALID")
    assert list(refusal.violations) == ["page_size"]


@pytest.mark.parametrize(
    "token",
    ["garbage", "-", "1-", "-1", "x-2", "1", "1-2", "1-2-3", "٣-٤", "1" * 5000, "1" * 5000 + "-1", "\x00", "1e3", " 1"],
)
@pytest.mark.parametrize("which", LISTINGS)
async def test_a_page_token_that_is_none_is_refused(raw: Stubs, unchanged: None, which: str, token: str) -> None:
    del unchanged
    refusal = await refused(listing(raw, which, page_token=token))
    assert (refusal.code, refusal.domain, refusal.reason) == (INVALID, "qserver", "PAGE_TOKEN_INVALID")
    assert "without a token" in refusal.message


async def test_a_page_token_of_a_listing_that_is_no_longer_kept_is_refused_as_expired(
    raw: Stubs, unchanged: None
) -> None:
    del unchanged
    refusal = await refused(listing(raw, "items", page_token="queue-1-1"))
    assert (refusal.code, refusal.reason) == (OUT_OF_RANGE, "PAGE_TOKEN_EXPIRED")
    assert "begin it again without a token" in refusal.message


async def test_a_negative_number_of_entries_to_keep_is_refused(raw: Stubs, unchanged: None) -> None:
    del unchanged
    refusal = await refused(raw.history.ClearHistory(history_service_pb2.ClearHistoryRequest(keep_newest=-1)))
    assert (refusal.code, refusal.reason) == (INVALID, "FIELD_INVALID")
    assert list(refusal.violations) == ["keep_newest"]


async def test_an_environment_that_never_was_is_not_waited_for(raw: Stubs) -> None:
    request = environment_service_pb2.WaitEnvironmentRequest(environment_id="nobody")
    refusal = await refused(bounded(raw.environment.WaitEnvironment(request).read()))
    assert (refusal.code, refusal.reason) == (NOT_FOUND, "ENVIRONMENT_NOT_FOUND")


@pytest.mark.parametrize("method", ["StopQueue"])
async def test_a_queue_that_does_not_run_can_not_be_stopped(raw: Stubs, unchanged: None, method: str) -> None:
    del unchanged
    refusal = await refused(getattr(raw.queue, method)(queue_execution_pb2.StopQueueRequest()))
    assert (refusal.code, refusal.reason) == (PRECONDITION, "INVALID_STATE")
    state = refusal.detail(error_details_pb2.InvalidState)
    assert state.state == status_pb2.MANAGER_STATE_IDLE
    assert set(state.allowed_states) == {
        status_pb2.MANAGER_STATE_STARTING_QUEUE,
        status_pb2.MANAGER_STATE_EXECUTING_QUEUE,
    }
    assert "IDLE" in refusal.message


@pytest.mark.parametrize("key", ["qserver-user", "qserver-user-group"])
async def test_a_caller_with_an_endless_name_is_refused(raw: Stubs, unchanged: None, key: str) -> None:
    del unchanged
    refusal = await refused(raw.queue.AddItem(queue_items_pb2.AddItemRequest(item=ITEM), metadata=((key, "x" * 101),)))
    assert (refusal.code, refusal.reason) == (INVALID, "FIELD_INVALID")
    assert list(refusal.violations) == [key]


@pytest.mark.parametrize("place", ["front", "back"])
async def test_a_place_that_is_false_or_not_said_is_no_place(
    raw: Stubs, shared_client: AsyncClient, place: str
) -> None:
    handle = await shared_client.queue.add(Plan("one_run"))
    nowhere: list[dict[str, Any]] = [{place: False}, {}]
    for fields in nowhere:
        position, address = queue_pb2.QueuePosition(**fields), queue_pb2.ItemAddress(**fields)
        for call in (
            raw.queue.AddItem(queue_items_pb2.AddItemRequest(item=ITEM, position=position)),
            raw.queue.AddItems(queue_items_pb2.AddItemsRequest(items=[ITEM], position=position)),
            raw.queue.RemoveItem(queue_items_pb2.RemoveItemRequest(address=address)),
            raw.queue.GetItem(queue_items_pb2.GetItemRequest(address=address)),
        ):
            refusal = await refused(call)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert (await shared_client.status()).revision == handle.revision


DESTRUCTIVE: dict[str, tuple[Callable[[Stubs], Any], str]] = {
    "RemoveItem": (lambda raw: raw.queue.RemoveItem(queue_items_pb2.RemoveItemRequest()), "address"),
    "ClearQueue": (lambda raw: raw.queue.ClearQueue(queue_items_pb2.ClearQueueRequest()), "all"),
    "ClearHistory": (lambda raw: raw.history.ClearHistory(history_service_pb2.ClearHistoryRequest()), "all"),
    "ClearHistory, up to no item": (
        lambda raw: raw.history.ClearHistory(history_service_pb2.ClearHistoryRequest(up_to_item_uid="")),
        "up_to_item_uid",
    ),
    "ClearHistory, all: false": (
        lambda raw: raw.history.ClearHistory(history_service_pb2.ClearHistoryRequest(all=False)), "all"
    ),
    "SetAutostart": (lambda raw: raw.queue.SetAutostart(queue_execution_pb2.SetAutostartRequest()), "enabled"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "field"), DESTRUCTIVE.values(), ids=DESTRUCTIVE)
async def test_an_empty_request_removes_and_switches_nothing(
    raw: Stubs, shared_client: AsyncClient, call: Callable[[Stubs], Any], field: str
) -> None:
    handle = await shared_client.queue.add(Plan("one_run"))
    refusal = await refused(call(raw))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refusal.violations) == [field]
    assert (await shared_client.status()).revision == handle.revision


async def test_a_uid_that_is_not_given_is_required(raw: Stubs) -> None:
    wait_item = raw.queue.WaitItem(queue_items_pb2.WaitItemRequest())
    wait_task = raw.tasks.WaitTask(task_service_pb2.WaitTaskRequest())
    for call, field in (
        (bounded(wait_item.read()), "item_uid"),
        (bounded(wait_task.read()), "task_uid"),
        (bounded(raw.tasks.GetTask(task_service_pb2.GetTaskRequest())), "task_uid"),
    ):
        refusal = await refused(call)
        assert (refusal.code, refusal.reason, list(refusal.violations)) == (INVALID, "FIELD_INVALID", [field])
        assert "required" in refusal.message
