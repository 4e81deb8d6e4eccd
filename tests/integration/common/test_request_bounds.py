"""Requests of every size reach the handler as they were sent, and bytes that are not a request do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from queueserver.common.v1.item_pb2 import ItemSpec
from queueserver.manager.v1.queue_items_pb2 import AddItemsRequest, RemoveItemsRequest
from queueserver.manager.v1.queue_pb2 import QueuePosition
from queueserver_rpc.interceptors import RefusalInterceptor
from queueserver_rpc.server import Server

from tests.harness.unknown_fields import delimited

SECONDS = 20.0
TYPES = {"AddItems": AddItemsRequest, "RemoveItems": RemoveItemsRequest}


async def echo(request: Any, _: Any) -> Any:
    return request


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = Server(("test.Echo",), [RefusalInterceptor(lambda _: None)])
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(echo, kind.FromString, kind.SerializeToString)
        for name, kind in TYPES.items()
    }
    server.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    address = server.listen("127.0.0.1:0", insecure=False)
    await server.start()
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(address, options) as connected:
        yield connected
    await server.stop(0)


async def refused(channel: grpc.aio.Channel, method: str, data: bytes) -> tuple[str, status_pb2.Status]:
    """The reason, and the whole of the refusal."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await channel.unary_unary(f"/test.Echo/{method}")(data, timeout=SECONDS)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status: Any = rpc_status.from_call(refusal.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason, status


def field_violation(status: status_pb2.Status) -> error_details_pb2.BadRequest.FieldViolation:
    """The one wrong field of a refusal."""
    details = error_details_pb2.BadRequest()
    assert status.details[-1].Unpack(details)
    (violation,) = details.field_violations
    return violation


@pytest.mark.parametrize("length", [0, 1, 32 * 1024 - 20, 32 * 1024, 4_000_000])
async def test_a_request_of_any_length_reaches_the_handler(channel: grpc.aio.Channel, length: int) -> None:
    request = AddItemsRequest(items=[ItemSpec(name="x" * part) for part in (length // 2, length - length // 2)])
    request.request_id = "r"
    call = channel.unary_unary("/test.Echo/AddItems", AddItemsRequest.SerializeToString, AddItemsRequest.FromString)
    assert await call(request, timeout=SECONDS) == request


@pytest.mark.parametrize("length", [1, 500_000])
async def test_bytes_that_are_no_message_are_refused(channel: grpc.aio.Channel, length: int) -> None:
    reason, status = await refused(channel, "AddItems", b"\xff" * length)
    assert reason == "REQUEST_UNDECODABLE"
    assert "not a valid message" in status.message


async def test_a_request_beyond_its_bytes_is_refused_unread(channel: grpc.aio.Channel) -> None:
    reason, status = await refused(channel, "RemoveItems", b"\xff" * (1024 * 1024 + 1))
    assert reason == "REQUEST_TOO_LARGE"
    assert "1048577 bytes, and at most 1048576 are allowed" in status.message
    assert "several requests" in field_violation(status).description


@pytest.mark.parametrize("uid", ["", "u" * 36])
async def test_a_list_beyond_its_bound_is_refused(channel: grpc.aio.Channel, uid: str) -> None:
    most = RemoveItemsRequest(item_uids=[uid] * 10_000)
    call = channel.unary_unary("/test.Echo/RemoveItems")
    assert await call(most.SerializeToString(), timeout=SECONDS) == most.SerializeToString()
    most.item_uids.append(uid)
    reason, status = await refused(channel, "RemoveItems", most.SerializeToString())
    assert reason == "BATCH_TOO_LARGE"
    assert field_violation(status).field == "item_uids"
    assert "10000 elements" in field_violation(status).description


@pytest.mark.parametrize(
    ("request_", "field", "most"),
    [
        (RemoveItemsRequest(request_id="ü" * 501), "request_id", 1000),
        (RemoveItemsRequest(item_uids=["u", "u" * 1001]), "item_uids[1]", 1000),
        (AddItemsRequest(position=QueuePosition(before_uid="u" * 1001)), "position.before_uid", 1000),
    ],
)
async def test_a_text_beyond_its_bytes_is_refused(
    channel: grpc.aio.Channel, request_: Any, field: str, most: int
) -> None:
    method = type(request_).__name__.removesuffix("Request")
    reason, status = await refused(channel, method, request_.SerializeToString())
    assert reason == "FIELD_INVALID"
    violation = field_violation(status)
    assert (violation.field, violation.description) == (field, f"must have at most {most} bytes")


async def test_a_text_of_as_many_bytes_as_it_may_have_is_taken(channel: grpc.aio.Channel) -> None:
    request = RemoveItemsRequest(request_id="ü" * 500).SerializeToString()
    assert await channel.unary_unary("/test.Echo/RemoveItems")(request, timeout=SECONDS) == request


async def test_an_item_that_is_too_long_for_anything_is_not_decoded(channel: grpc.aio.Channel) -> None:
    short = delimited(1, delimited(2, b"count"))
    long = delimited(1, delimited(3, b"\x0a\x00" * 1_100_000))
    reason, status = await refused(channel, "AddItems", short * 3 + long + short)
    assert (reason, field_violation(status).field) == ("REQUEST_TOO_LARGE", "items[3]")
    assert "has 2200005 bytes, and at most 2097152 are allowed" in status.message
