"""Wrong positions, pages and fields: the right code, a reason, a sentence; and nothing changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from queueserver.common.v1 import error_details_pb2, item_pb2
from queueserver.manager.v1 import (
    environment_service_pb2,
    history_service_pb2,
    inventory_service_pb2,
)
from queueserver.manager.v1 import queue_service_pb2 as pb
from queueserver_client import AsyncClient, Plan

from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded

OUT_OF_RANGE = grpc.StatusCode.OUT_OF_RANGE
NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
ITEM = item_pb2.Item(name="one_run")
BEYOND = [3, -4, 2**31, -(2**31), 2**63 - 1, -(2**63)]


@pytest.fixture
async def unchanged(shared_client: AsyncClient, raw: Stubs) -> AsyncIterator[None]:
    """Three items are in the queue; around the test nothing changes."""
    await shared_client.queue.add_batch([Plan("one_run", label) for label in "abc"])
    before = await raw.queue.ListItems(pb.ListItemsRequest())
    yield
    assert await raw.queue.ListItems(pb.ListItemsRequest()) == before


@pytest.mark.parametrize("index", BEYOND)
@pytest.mark.parametrize("method", ["GetItem", "RemoveItem", "source", "destination"])
async def test_an_index_beyond_the_ends_is_refused(raw: Stubs, unchanged: None, method: str, index: int) -> None:
    del unchanged
    requests: dict[str, Any] = {
        "GetItem": pb.GetItemRequest(address=pb.ItemAddress(index=index)),
        "RemoveItem": pb.RemoveItemRequest(address=pb.ItemAddress(index=index)),
        "source": pb.MoveItemRequest(source=pb.ItemAddress(index=index), destination=pb.Position(front=Empty())),
        "destination": pb.MoveItemRequest(source=pb.ItemAddress(index=0), destination=pb.Position(index=index)),
    }
    call = getattr(raw.queue, method if method.endswith("Item") else "MoveItem")
    refusal = await refused(call(requests[method]))
    assert (refusal.code, refusal.domain, refusal.reason) == (OUT_OF_RANGE, "qserver", "POSITION_OUT_OF_RANGE")
    assert "indices -3 to 2" in refusal.message


def _unknown_uid_requests() -> dict[str, Any]:
    nobody = {"before_uid": pb.Position(before_uid="nobody"), "after_uid": pb.Position(after_uid="nobody")}
    found: dict[str, Any] = {
        "GetItem": pb.GetItemRequest(address=pb.ItemAddress(uid="nobody")),
        "RemoveItem": pb.RemoveItemRequest(address=pb.ItemAddress(uid="nobody")),
        "MoveItem source": pb.MoveItemRequest(
            source=pb.ItemAddress(uid="nobody"), destination=pb.Position(front=Empty())
        ),
        "GetItem without a uid": pb.GetItemRequest(address=pb.ItemAddress(uid="")),
    }
    for name, place in nobody.items():
        found[f"AddItem {name}"] = pb.AddItemRequest(item=ITEM, position=place)
        found[f"AddItems {name}"] = pb.AddItemsRequest(items=[ITEM, ITEM], position=place)
        found[f"MoveItem {name}"] = pb.MoveItemRequest(source=pb.ItemAddress(index=0), destination=place)
    return found


@pytest.mark.parametrize("case", _unknown_uid_requests())
async def test_a_uid_that_is_not_in_the_queue_is_refused(raw: Stubs, unchanged: None, case: str) -> None:
    del unchanged
    refusal = await refused(getattr(raw.queue, case.split(maxsplit=1)[0])(_unknown_uid_requests()[case]))
    assert (refusal.code, refusal.reason) == (NOT_FOUND, "ITEM_NOT_FOUND")
    assert "list the queue" in refusal.message


@pytest.mark.parametrize(
    "request_",
    [
        pb.MoveItemRequest(),
        pb.MoveItemRequest(source=pb.ItemAddress(index=0)),
        pb.MoveItemRequest(destination=pb.Position(index=0)),
        pb.MoveItemRequest(source=pb.ItemAddress(), destination=pb.Position()),
    ],
)
async def test_a_move_needs_both_ends(raw: Stubs, unchanged: None, request_: pb.MoveItemRequest) -> None:
    del unchanged
    refusal = await refused(raw.queue.MoveItem(request_))
    assert (refusal.code, refusal.reason) == (INVALID, "POSITION_MISSING")
    assert "source and a destination" in refusal.message


@pytest.mark.parametrize("destination", [None, pb.Position()])
async def test_a_move_of_a_batch_needs_a_destination(
    raw: Stubs, unchanged: None, destination: pb.Position | None
) -> None:
    del unchanged
    uids = [item.item_uid for item in (await raw.queue.ListItems(pb.ListItemsRequest())).items]
    for batch in (uids[:2], []):
        refusal = await refused(raw.queue.MoveItems(pb.MoveItemsRequest(item_uids=batch, destination=destination)))
        assert (refusal.code, refusal.reason) == (INVALID, "POSITION_MISSING")
        assert "destination" in refusal.message


async def test_an_item_is_checked_before_its_position(raw: Stubs, unchanged: None) -> None:
    del unchanged
    nowhere = pb.Position(before_uid="nobody")
    wrong = item_pb2.Item(name="no_such_plan")
    refusal = await refused(raw.queue.AddItem(pb.AddItemRequest(item=wrong, position=nowhere)))
    assert refusal.reason == "PLAN_NOT_FOUND"
    refusal = await refused(raw.queue.AddItems(pb.AddItemsRequest(items=[wrong], position=nowhere)))
    assert refusal.reason == "BATCH_REFUSED"


@pytest.mark.parametrize("method", ["GetItem", "RemoveItem", "MoveItem"])
async def test_an_empty_queue_has_no_item_to_address(raw: Stubs, shared_client: AsyncClient, method: str) -> None:
    revision = (await shared_client.status()).revision
    requests: dict[str, Any] = {
        "GetItem": pb.GetItemRequest(),
        "RemoveItem": pb.RemoveItemRequest(),
        "MoveItem": pb.MoveItemRequest(source=pb.ItemAddress(front=Empty()), destination=pb.Position(back=Empty())),
    }
    refusal = await refused(getattr(raw.queue, method)(requests[method]))
    assert (refusal.code, refusal.reason) == (OUT_OF_RANGE, "POSITION_OUT_OF_RANGE")
    assert "empty" in refusal.message
    assert (await shared_client.status()).revision == revision


def listing(raw: Stubs, which: str, **fields: Any) -> Any:
    calls: dict[str, Any] = {
        "items": (raw.queue.ListItems, pb.ListItemsRequest),
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
    "token", ["garbage", "-", "1-", "-1", "x-2", "1-2-3", "٣-٤", "1" * 5000, "1" * 5000 + "-1", "\x00", "1e3", " 1"]
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
    refusal = await refused(listing(raw, "items", page_token="1-1"))
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
    refusal = await refused(getattr(raw.queue, method)(pb.StopQueueRequest()))
    assert (refusal.code, refusal.reason) == (PRECONDITION, "INVALID_STATE")
    state = refusal.detail(error_details_pb2.InvalidState)
    assert state.state == "IDLE"
    assert sorted(state.allowed_states) == ["EXECUTING_QUEUE", "STARTING_QUEUE"]
    assert "IDLE" in refusal.message


@pytest.mark.parametrize("key", ["qserver-user", "qserver-user-group"])
async def test_a_caller_with_an_endless_name_is_refused(raw: Stubs, unchanged: None, key: str) -> None:
    del unchanged
    refusal = await refused(raw.queue.AddItem(pb.AddItemRequest(item=ITEM), metadata=((key, "x" * 101),)))
    assert (refusal.code, refusal.reason) == (INVALID, "FIELD_INVALID")
    assert list(refusal.violations) == [key]
