"""What grpc.health.v1 says of a Manager, now and when it changes."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from queueserver.manager.v1 import status_pb2, status_service_pb2
from queueserver.manager.v1.status_service_pb2_grpc import StatusServiceStub

from tests.harness.wait import SECONDS, first

PACKAGE = "queueserver.manager.v1"
SERVICES = tuple(
    f"{PACKAGE}.{noun}Service"
    for noun in (
        *("Status", "Queue", "History", "Environment", "RunEngine", "Inventory", "Task", "Permission", "Planning"),
        *("Lock", "Server", "Event"),
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


def wait_until_met(address: str) -> None:
    """Return when a Manager that owns the queue has met its Worker, and at once if another one owns the queue.

    It blocks, and needs no event loop. grpc.RpcError if that does not happen in time.
    """
    with grpc.insecure_channel(address) as channel:
        found = StatusServiceStub(channel).GetStatus(status_service_pb2.GetStatusRequest(), timeout=SECONDS)
        if found.status.role != status_pb2.MANAGER_ROLE_OWNER:
            return
        request = health_pb2.HealthCheckRequest(service=f"{PACKAGE}.EnvironmentService")
        call = health_pb2_grpc.HealthStub(channel).Watch(request, timeout=SECONDS)
        for answer in call:
            if answer.status == _SERVING:
                break
        call.cancel()
