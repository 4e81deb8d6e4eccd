"""Whether a service refuses for no other reasons than the contract says beside the method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from queueserver.common.v1 import error_reason_pb2, method_pb2
from queueserver.manager.v1 import queue_service_pb2

#: Reasons that every method may have, and those that it has because of a field of its request.
COMMON = frozenset(
    (
        *("FIELD_INVALID", "FIELD_UNKNOWN", "REQUEST_UNDECODABLE", "REQUEST_TOO_LARGE", "BATCH_TOO_LARGE"),
        *("NOT_OWNER", "NOT_READY", "SERVER_STOPPING", "STORAGE_UNAVAILABLE", "INTERRUPTED", "INTERNAL"),
    )
)
BY_FIELD = {
    "request_id": frozenset({"REQUEST_ID_REUSED", "ANSWER_NOT_KEPT"}),
    "expected_revision": frozenset({"REVISION_MISMATCH"}),
    "lock_key": frozenset({"LOCKED"}),
    "page_token": frozenset({"PAGE_TOKEN_INVALID"}),
}
_PREFIX = "ERROR_REASON_"
#: Its file has no messages, so nothing else loads it.
_QUEUE_SERVICE = queue_service_pb2.DESCRIPTOR


def own_reasons(method: Any) -> frozenset[str]:
    """Reasons that are said beside a method (its descriptor)."""
    rules = method.GetOptions().Extensions[method_pb2.rules]
    return frozenset(error_reason_pb2.ErrorReason.Name(reason).removeprefix(_PREFIX) for reason in rules.reasons)


def declared_reasons(method: Any) -> frozenset[str]:
    """All reasons for which a method (its descriptor) may be refused."""
    by_field = (reasons for name, reasons in BY_FIELD.items() if name in method.input_type.fields_by_name)
    return COMMON.union(own_reasons(method), *by_field)


class DeclaredReasons(grpc.aio.UnaryUnaryClientInterceptor):
    """Lets each call pass, and fails those that are refused for another reason."""

    async def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Wait for the end of a call and look at it. AssertionError if the contract does not say its reason."""
        call = await continuation(details, request)
        try:
            await call
        except grpc.aio.AioRpcError as error:
            path = details.method if isinstance(details.method, str) else details.method.decode()
            assert_declared(path, error)
        return call


def assert_declared(path: str, error: grpc.aio.AioRpcError) -> None:
    """A refusal has a reason that the contract says; what gRPC refuses by itself has none."""
    status = rpc_status.from_call(error)
    if status is None or not path.startswith("/queueserver."):
        return
    info = error_details_pb2.ErrorInfo()
    if status.details and status.details[0].Unpack(info):
        method = descriptor_pool.Default().FindMethodByName(path.removeprefix("/").replace("/", "."))
        assert info.reason in declared_reasons(method), f"{path} is refused with {info.reason}, which it does not say"
