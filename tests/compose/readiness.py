"""Waiting for a server whose port is there before it is: the engine opens the port, the Manager comes later."""

from __future__ import annotations

import async_timeout
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.harness.health import PACKAGE

#: Generous: images may have to be unpacked, on a machine that has much else to do.
_SECONDS = 120.0


async def until_serving(address: str, noun: str) -> None:
    """Return when a service of the Manager says that it can do its work."""
    request = health_pb2.HealthCheckRequest(service=f"{PACKAGE}.{noun}Service")
    async with async_timeout.timeout(_SECONDS), grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while not await _told_serving(stub, request):
            pass


async def _told_serving(stub: health_pb2_grpc.HealthStub, request: health_pb2.HealthCheckRequest) -> bool:
    """Watch until it serves; False if the connection ends before, for example that to a Manager that is killed."""
    call = stub.Watch(request, wait_for_ready=True)
    try:
        async for answer in call:
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return True
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
    finally:
        call.cancel()
    return False
