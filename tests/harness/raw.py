"""The generated stubs, for requests that our own client would refuse to send, and what a refusal says in full."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from queueserver.manager.v1.environment_service_pb2_grpc import EnvironmentServiceStub
from queueserver.manager.v1.event_service_pb2_grpc import EventServiceStub
from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceStub
from queueserver.manager.v1.inventory_service_pb2_grpc import InventoryServiceStub
from queueserver.manager.v1.lock_service_pb2_grpc import LockServiceStub
from queueserver.manager.v1.permission_service_pb2_grpc import PermissionServiceStub
from queueserver.manager.v1.planning_service_pb2_grpc import PlanningServiceStub
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceStub
from queueserver.manager.v1.run_engine_service_pb2_grpc import RunEngineServiceStub
from queueserver.manager.v1.server_service_pb2_grpc import ServerServiceStub
from queueserver.manager.v1.status_service_pb2_grpc import StatusServiceStub
from queueserver.manager.v1.task_service_pb2_grpc import TaskServiceStub

from tests.harness.declared import DeclaredReasons

_OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True)
class Stubs:
    """One stub for each service of a Manager, on a channel without retries."""

    channel: grpc.aio.Channel
    status: Any
    queue: Any
    history: Any
    environment: Any
    server: Any
    inventory: Any
    events: Any
    run_engine: Any
    tasks: Any
    permissions: Any
    planning: Any
    lock: Any


@dataclass(frozen=True)
class Refused:
    """A refusal as it came over the wire."""

    code: grpc.StatusCode
    domain: str
    reason: str
    message: str
    #: Description by path of the field.
    violations: dict[str, str]
    details: tuple[Any, ...]
    #: Milliseconds after which gRPC's own retries of a client that has configured them come again; None if never.
    pushback: int | None = None

    def detail(self, kind: Any) -> Any:
        """The detail of a type. AssertionError if there is none."""
        for packed in self.details:
            if packed.Is(kind.DESCRIPTOR):
                found = kind()
                packed.Unpack(found)
                return found
        raise AssertionError(f"the refusal {self.reason} has no {kind.DESCRIPTOR.full_name}")


@contextlib.asynccontextmanager
async def connect(address: str) -> AsyncIterator[Stubs]:
    """Stubs of the Manager at an address."""
    async with grpc.aio.insecure_channel(address, options=_OPTIONS, interceptors=[DeclaredReasons()]) as channel:
        yield Stubs(
            channel,
            StatusServiceStub(channel),
            QueueServiceStub(channel),
            HistoryServiceStub(channel),
            EnvironmentServiceStub(channel),
            ServerServiceStub(channel),
            InventoryServiceStub(channel),
            EventServiceStub(channel),
            RunEngineServiceStub(channel),
            TaskServiceStub(channel),
            PermissionServiceStub(channel),
            PlanningServiceStub(channel),
            LockServiceStub(channel),
        )


async def refused(call: Awaitable[Any]) -> Refused:
    """The refusal of a call. AssertionError if it was not refused, or without an ErrorInfo."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error)
    raise AssertionError(f"the call was not refused; it answered {str(answer)[:500]}")


def read_refusal(error: grpc.aio.AioRpcError) -> Refused:
    """Take a refusal apart. AssertionError if it carries no ErrorInfo."""
    status = rpc_status.from_call(error)
    if status is None:
        raise AssertionError(f"a refusal without details: {error.code()} {error.details()}")
    plain = Refused(error.code(), "", "", status.message, {}, tuple(status.details))
    info = plain.detail(error_details_pb2.ErrorInfo)
    violations: dict[str, str] = {}
    if any(packed.Is(error_details_pb2.BadRequest.DESCRIPTOR) for packed in status.details):
        bad = plain.detail(error_details_pb2.BadRequest)
        violations = {violation.field: violation.description for violation in bad.field_violations}
        assert_told(bad.field_violations[0].description, plain.message)
    pushback = dict(error.trailing_metadata() or ()).get("grpc-retry-pushback-ms")
    after = int(pushback) if pushback is not None else None
    return Refused(plain.code, info.domain, info.reason, plain.message, violations, plain.details, after)


def assert_told(description: str, message: str) -> None:
    """What is wrong with the first field is said in the message, so that nobody has to read it twice."""
    is_cut = message.endswith("…") or description.endswith("…")
    assert is_cut or description.rstrip("?.") in message, (description, message)
