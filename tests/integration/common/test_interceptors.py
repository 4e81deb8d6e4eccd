"""A handler that is interrupted: its caller is answered, unless it is the caller who left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2, status_pb2
from queueserver_rpc.interceptors import RefusalInterceptor
from queueserver_rpc.server import Server

SECONDS = 20.0


@dataclass
class Patient:
    """A service whose handlers wait for a future that somebody else may give up."""

    channel: grpc.aio.Channel
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    awaited: asyncio.Future[StringValue] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def one(self, _request: StringValue, _context: Any) -> StringValue:
        self.begun.set()
        try:
            return await self.awaited
        finally:
            self.ended.set()

    async def many(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        yield request
        yield await self.one(request, context)

    def call(self, name: str) -> Any:
        """Begin a call of ``One`` or ``Many``."""
        kind = self.channel.unary_unary if name == "One" else self.channel.unary_stream
        method = kind(f"/test.Patient/{name}", StringValue.SerializeToString, StringValue.FromString)
        return method(StringValue(value="x"), timeout=SECONDS)


@pytest.fixture
async def patient() -> AsyncIterator[Patient]:
    server = Server(("test.Patient",), [RefusalInterceptor(lambda _: None)])
    address = server.listen("127.0.0.1:0", insecure=False)
    async with grpc.aio.insecure_channel(address) as channel:
        service, codec = Patient(channel), (StringValue.FromString, StringValue.SerializeToString)
        handlers = {
            "One": grpc.unary_unary_rpc_method_handler(service.one, *codec),
            "Many": grpc.unary_stream_rpc_method_handler(service.many, *codec),
        }
        server.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Patient", handlers),))
        await server.start()
        yield service
    await server.stop(0)


async def outcome(call: Any, name: str) -> grpc.aio.AioRpcError:
    """The error with which a call ends."""
    ending = call if name == "One" else ended(call)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ending
    return caught.value


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, except by gRPC's poller, which serves all loops of a process, closed ones of other tests too."""
    return [record.getMessage() for record in caplog.records if "PollerCompletionQueue" not in record.getMessage()]


async def ended(answers: AsyncIterator[StringValue]) -> None:
    async for answer in answers:
        assert answer.value == "x"


@pytest.mark.parametrize("name", ["One", "Many"])
async def test_a_caller_whose_handler_was_interrupted_is_told_to_come_again(patient: Patient, name: str) -> None:
    call = patient.call(name)
    ending = asyncio.create_task(outcome(call, name))
    await asyncio.wait_for(patient.begun.wait(), SECONDS)
    patient.awaited.cancel()
    error = await ending
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])  # type: ignore[arg-type] # bytes: -bin
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert (status.details[0].Unpack(info), status.details[1].Unpack(retry)) == (True, True)
    assert (info.reason, info.metadata["fate"], retry.retry_delay.seconds) == ("INTERRUPTED", "unknown", 1)
    assert trailers["grpc-retry-pushback-ms"] == "1000"


@pytest.mark.parametrize("name", ["One", "Many"])
async def test_a_call_that_its_caller_cancelled_ends_quietly_and_the_service_goes_on(
    patient: Patient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    call = patient.call(name)
    if name == "Many":
        await call.read()
    await asyncio.wait_for(patient.begun.wait(), SECONDS)
    call.cancel()
    await asyncio.wait_for(patient.ended.wait(), SECONDS)
    patient.awaited = asyncio.get_running_loop().create_future()
    patient.awaited.set_result(StringValue(value="y"))
    assert (await patient.call("One")).value == "y"
    assert complaints(caplog) == []
