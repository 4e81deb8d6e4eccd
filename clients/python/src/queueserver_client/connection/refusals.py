"""From the status of a failed call to the exception the user sees. The only reader of error details.

The class is chosen by the stable reason first and by the canonical code second; texts are never read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from queueserver.manager.v1 import error_details_pb2 as typed_pb2

from queueserver_client import errors, lock_errors
from queueserver_client.connection.refusal_details import Refusal, RefusedItem
from queueserver_client.errors import QueueServerError
from queueserver_client.models.lock import LockInfo
from queueserver_client.models.status import ManagerState
from queueserver_client.models.wire_enum import name_of_reason
from queueserver_client.violations import Violation

_TRAILER = "grpc-status-details-bin"
_M = TypeVar("_M", bound=Message)

#: Reasons that have their own class; those without one are reported by their status code.
BY_REASON: dict[str, type[QueueServerError]] = {
    "ANSWER_NOT_KEPT": errors.AnswerNotKept,
    "BATCH_REFUSED": errors.BatchRefused,
    "DEVICE_NOT_FOUND": errors.DeviceNotFound,
    "ENVIRONMENT_CLOSED": errors.EnvironmentClosed,
    "ENVIRONMENT_EXISTS": errors.EnvironmentExists,
    "FILE_INVALID": errors.FileInvalid,
    "FUNCTION_NOT_ALLOWED": errors.FunctionNotAllowed,
    "INVENTORY_EMPTY": errors.InventoryEmpty,
    "NOT_EMPTY": errors.NotEmpty,
    "ITEM_HELD": errors.ItemHeld,
    "ITEM_INVALID": errors.ItemInvalid,
    "ITEM_NOT_FOUND": errors.ItemNotFound,
    "ITEM_RUNNING": errors.ItemRunning,
    "ITEM_NOT_RUNNING": errors.ItemNotRunning,
    "ITEM_TOO_LARGE": errors.ItemInvalid,
    "LOCKED": lock_errors.Locked,
    "LOCK_KEY_INVALID": lock_errors.LockKeyInvalid,
    "LOCK_REQUEST_NOT_FOUND": lock_errors.LockRequestNotFound,
    "LOCK_REQUEST_WAITS": lock_errors.LockRequestWaits,
    "MESSAGE_TOO_LARGE": errors.InvalidRequest,
    "NOT_LOCKED": lock_errors.NotLocked,
    "NOT_OWNER": errors.NotOwner,
    "NUMBER_NOT_EXACT": errors.ItemInvalid,
    "PAGE_TOKEN_EXPIRED": errors.PageTokenExpired,
    "PERMISSIONS_INVALID": errors.PermissionsInvalid,
    "PLAN_NOT_FOUND": errors.PlanNotFound,
    "POSITION_OUT_OF_RANGE": errors.PositionOutOfRange,
    "QUESTION_NOT_FOUND": errors.QuestionNotFound,
    "QUEUE_FULL": errors.QueueFull,
    "QUEUE_RUNNING": errors.QueueRunning,
    "RELOAD_DISABLED": errors.ReloadDisabled,
    "REQUEST_ID_REUSED": errors.RequestIdReused,
    "RESUME_TOKEN_EXPIRED": errors.ResumeTokenExpired,
    "REVISION_MISMATCH": errors.RevisionMismatch,
    "RUN_ENGINE_BUSY": errors.RunEngineBusy,
    "RUN_ENGINE_MISSING": errors.RunEngineMissing,
    "RUN_ENGINE_PANICKED": errors.RunEnginePanicked,
    "SCRIPTS_DISABLED": errors.ScriptsDisabled,
    "TASK_NOT_FOUND": errors.TaskNotFound,
    "WATCHER_TOO_SLOW": errors.WatcherTooSlow,
}

BY_CODE: dict[grpc.StatusCode, type[QueueServerError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.OUT_OF_RANGE: errors.OutOfRange,
    grpc.StatusCode.FAILED_PRECONDITION: errors.InvalidState,
    grpc.StatusCode.ABORTED: errors.Conflict,
    grpc.StatusCode.ALREADY_EXISTS: errors.Conflict,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.LimitReached,
    # A server that stops cancels its calls.
    grpc.StatusCode.CANCELLED: errors.ServiceUnavailable,
    grpc.StatusCode.UNAVAILABLE: errors.ServiceUnavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.UNAUTHENTICATED: errors.AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: errors.AccessDenied,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotSupported,
    grpc.StatusCode.INTERNAL: errors.ServerFault,
    grpc.StatusCode.UNKNOWN: errors.ServerFault,
    grpc.StatusCode.DATA_LOSS: errors.ServerFault,
}

_TOO_LONG = "message larger than max"
_TOO_LONG_SENTENCE = (
    "The request or its answer is longer than a Queue Server's messages may be: do it in several requests."
)

#: Failures without a reason come from the connection, not from a Queue Server.
_BROKEN = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}


def may_pass(error: QueueServerError) -> bool:
    """Whether the same call may succeed a little later."""
    return isinstance(error, errors.ServiceUnavailable) or (not error.reason and error.code in _BROKEN)


def from_refusal(refusal: Refusal) -> QueueServerError:
    """The exception of the class that fits a refusal best."""
    chosen = BY_REASON.get(refusal.reason) or BY_CODE.get(refusal.code) or QueueServerError
    return chosen(refusal)


def read(error: grpc.aio.AioRpcError) -> Refusal:
    """Everything that a failed call says. Details that can't be decoded are left out, the code is always right."""
    status = _status(error)
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LONG in (error.details() or ""):
        # gRPC itself says so, on either side: the request never reached the service.
        return Refusal(code=error.code(), reason="MESSAGE_TOO_LARGE", message=_TOO_LONG_SENTENCE)
    message = status.message or error.details() or error.code().name
    info = _first(status.details, error_details_pb2.ErrorInfo)
    invalid = _first(status.details, typed_pb2.InvalidState)
    retry = _first(status.details, error_details_pb2.RetryInfo)
    bad_request = _first(status.details, error_details_pb2.BadRequest)
    batch = _first(status.details, typed_pb2.BatchRefused)
    owner = _first(status.details, typed_pb2.NotOwner)
    held = _first(status.details, typed_pb2.LockHeld)
    return Refusal(
        code=error.code(),
        reason=info.reason if info else "",
        message=message,
        violations=_violations(bad_request.field_violations if bad_request else ()),
        metadata=dict(info.metadata) if info else {},
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
        details=tuple(status.details),
        state=ManagerState.from_number(invalid.state if invalid else 0),
        allowed_states=tuple(map(ManagerState.from_number, invalid.allowed_states if invalid else ())),
        refused_items=_refused_items(batch),
        owner_address=owner.owner_address if owner else "",
        lock=LockInfo.from_refusal(held) if held else None,
    )


def _status(error: grpc.aio.AioRpcError) -> Any:
    for key, value in error.trailing_metadata() or ():
        if key == _TRAILER and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()


def _first(details: Iterable[Any], kind: type[_M]) -> _M | None:
    for packed in details:
        if packed.Is(kind.DESCRIPTOR):
            detail = kind()
            try:
                packed.Unpack(detail)
            except DecodeError:
                return None
            return detail
    return None


def _violations(entries: Iterable[Any]) -> tuple[Violation, ...]:
    return tuple(Violation(entry.field, entry.description) for entry in entries)


def _refused_items(batch: typed_pb2.BatchRefused | None) -> tuple[RefusedItem, ...]:
    if batch is None:
        return ()
    return tuple(
        RefusedItem(item.index, name_of_reason(item.reason), item.message, _violations(item.field_violations))
        for item in batch.items
    )
