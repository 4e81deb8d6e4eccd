"""Requests of every size reach the handler as they were sent, and bytes that are no request do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from queueserver_rpc.interceptors import RefusalInterceptor
from queueserver_rpc.server import Server

SECONDS = 20.0
METHOD = "/test.Echo/Echo"


async def echo(request: StringValue, _: Any) -> StringValue:
    return request


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = Server(("test.Echo",), [RefusalInterceptor(lambda _: None)])
    handler = grpc.unary_unary_rpc_method_handler(echo, StringValue.FromString, StringValue.SerializeToString)
    server.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {"Echo": handler}),))
    address = server.listen("127.0.0.1:0", insecure=False)
    await server.start()
    async with grpc.aio.insecure_channel(address) as connected:
        yield connected
    await server.stop(0)


@pytest.mark.parametrize("length", [0, 1, 256 * 1024 - 10, 256 * 1024, 3_000_000])
async def test_a_request_of_any_length_reaches_the_handler(channel: grpc.aio.Channel, length: int) -> None:
    call = channel.unary_unary(METHOD, StringValue.SerializeToString, StringValue.FromString)
    answer = await call(StringValue(value="x" * length), timeout=SECONDS)
    assert answer.value == "x" * length


@pytest.mark.parametrize("length", [1, 500_000])
async def test_bytes_that_are_no_message_are_refused(channel: grpc.aio.Channel, length: int) -> None:
    call = channel.unary_unary(METHOD)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(b"\xff" * length, timeout=SECONDS)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "not a valid message" in (refused.value.details() or "")
