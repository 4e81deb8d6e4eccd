"""A client that a network has cut off without a word: the server ends its calls, and with them what they hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver_rpc import server as server_module
from queueserver_rpc.server import SERVER_OPTIONS, Server

from tests.harness.silent_network import silent_network

_PING_EVERY, _ANSWER_WITHIN = 1, 10


class Endless(grpc.GenericRpcHandler):  # type: ignore[misc] # it has no types
    """A call that says one thing, and ends with its client."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def service(self, details: Any) -> grpc.RpcMethodHandler:
        """The same for every method."""
        del details
        return grpc.unary_stream_rpc_method_handler(self._stay)

    async def _stay(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        del request, context
        try:
            yield b"begun"
            await asyncio.Event().wait()
        finally:
            self.ended.set()


async def test_a_client_that_answers_no_ping_is_given_up_in_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**dict(SERVER_OPTIONS), "grpc.keepalive_time_ms": 1000 * _PING_EVERY}
    monkeypatch.setattr(server_module, "SERVER_OPTIONS", tuple(options.items()))
    call, server = Endless(), Server([])
    server.registry.add_generic_rpc_handlers([call])
    port = int(server.listen("127.0.0.1:0", insecure=False).rpartition(":")[2])
    await server.start()
    try:
        async with silent_network(port) as network, grpc.aio.insecure_channel(network.address) as channel:
            stream = channel.unary_stream("/any/Method")(b"")
            assert await stream.read() == b"begun"
            network.lose()
            await asyncio.wait_for(call.ended.wait(), 2 * (_PING_EVERY + _ANSWER_WITHIN))
    finally:
        await server.stop(0)
