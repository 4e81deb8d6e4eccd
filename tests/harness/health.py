"""What grpc.health.v1 says of a Manager, now and when it changes."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.harness.wait import first

PACKAGE = "queueserver.manager.v1"
SERVICES = tuple(
    f"{PACKAGE}.{noun}Service"
    for noun in (
        *("Status", "Queue", "History", "Environment", "RunEngine", "Inventory", "Task", "Permission", "Planning"),
        "Event",
    )
)
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def serving(address: str) -> set[str]:
    """Services that say SERVING, by the noun; "" is the whole server. AssertionError for any other answer."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        found = set()
        for service in ("", *SERVICES):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            if answer.status not in (_SERVING, _NOT_SERVING):
                raise AssertionError(f"{service} is {answer.status}")
            if answer.status == _SERVING:
                found.add(service.removeprefix(f"{PACKAGE}.").removesuffix("Service"))
        return found


async def wait_until_serving(address: str, noun: str = "Queue", *, is_serving: bool = True) -> None:
    """Return when a service says that it is serving, or that it is not."""
    wanted = _SERVING if is_serving else _NOT_SERVING
    service = f"{PACKAGE}.{noun}Service" if noun else ""
    async with grpc.aio.insecure_channel(address) as channel:
        call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))
        await first(call, lambda answer: answer.status == wanted)
        call.cancel()
