"""One table: what the domain refuses, as status code and stable reason. A test proves it total."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc
from google.protobuf.message import Message
from queueserver.manager.v1 import error_details_pb2 as details_pb2
from queueserver_rpc.status import FATE_UNKNOWN, Refusal, Violation

from queueserver_manager.domain import batch_errors, errors, permission_errors, question_errors
from queueserver_manager.wire.states import MANAGER_STATES

_C = grpc.StatusCode

TABLE: dict[type[errors.Refused], tuple[grpc.StatusCode, str]] = {
    errors.FieldInvalid: (_C.INVALID_ARGUMENT, "FIELD_INVALID"),
    errors.ItemInvalid: (_C.INVALID_ARGUMENT, "ITEM_INVALID"),
    errors.PlanNotFound: (_C.INVALID_ARGUMENT, "PLAN_NOT_FOUND"),
    errors.NumberNotExact: (_C.INVALID_ARGUMENT, "NUMBER_NOT_EXACT"),
    errors.ItemTooLarge: (_C.INVALID_ARGUMENT, "ITEM_TOO_LARGE"),
    errors.ScriptTooLarge: (_C.INVALID_ARGUMENT, "SCRIPT_TOO_LARGE"),
    batch_errors.BatchRefused: (_C.INVALID_ARGUMENT, "BATCH_REFUSED"),
    batch_errors.ItemRepeated: (_C.INVALID_ARGUMENT, "ITEM_REPEATED"),
    errors.PositionMissing: (_C.INVALID_ARGUMENT, "POSITION_MISSING"),
    permission_errors.PermissionsInvalid: (_C.INVALID_ARGUMENT, "PERMISSIONS_INVALID"),
    errors.RequestIdReused: (_C.INVALID_ARGUMENT, "REQUEST_ID_REUSED"),
    errors.PageTokenInvalid: (_C.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"),
    errors.ResumeTokenInvalid: (_C.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID"),
    errors.FunctionNotAllowed: (_C.PERMISSION_DENIED, "FUNCTION_NOT_ALLOWED"),
    permission_errors.GroupNotAccepted: (_C.PERMISSION_DENIED, "GROUP_NOT_ACCEPTED"),
    permission_errors.GroupNotFound: (_C.NOT_FOUND, "GROUP_NOT_FOUND"),
    errors.ItemNotFound: (_C.NOT_FOUND, "ITEM_NOT_FOUND"),
    errors.TaskNotFound: (_C.NOT_FOUND, "TASK_NOT_FOUND"),
    question_errors.QuestionNotFound: (_C.NOT_FOUND, "QUESTION_NOT_FOUND"),
    errors.EnvironmentNotFound: (_C.NOT_FOUND, "ENVIRONMENT_NOT_FOUND"),
    errors.PositionOutOfRange: (_C.OUT_OF_RANGE, "POSITION_OUT_OF_RANGE"),
    errors.PageTokenExpired: (_C.OUT_OF_RANGE, "PAGE_TOKEN_EXPIRED"),
    errors.ResumeTokenExpired: (_C.OUT_OF_RANGE, "RESUME_TOKEN_EXPIRED"),
    errors.InvalidState: (_C.FAILED_PRECONDITION, "INVALID_STATE"),
    errors.QueueRunning: (_C.FAILED_PRECONDITION, "QUEUE_RUNNING"),
    errors.ItemHeld: (_C.FAILED_PRECONDITION, "ITEM_HELD"),
    errors.ItemRunning: (_C.FAILED_PRECONDITION, "ITEM_RUNNING"),
    errors.InventoryEmpty: (_C.FAILED_PRECONDITION, "INVENTORY_EMPTY"),
    errors.EnvironmentClosed: (_C.FAILED_PRECONDITION, "ENVIRONMENT_CLOSED"),
    errors.EnvironmentExists: (_C.FAILED_PRECONDITION, "ENVIRONMENT_EXISTS"),
    errors.ScriptsDisabled: (_C.FAILED_PRECONDITION, "SCRIPTS_DISABLED"),
    permission_errors.ReloadDisabled: (_C.FAILED_PRECONDITION, "RELOAD_DISABLED"),
    permission_errors.FileInvalid: (_C.FAILED_PRECONDITION, "FILE_INVALID"),
    errors.RunEngineMissing: (_C.FAILED_PRECONDITION, "RUN_ENGINE_MISSING"),
    errors.RunEngineBusy: (_C.FAILED_PRECONDITION, "RUN_ENGINE_BUSY"),
    errors.RunEnginePanicked: (_C.FAILED_PRECONDITION, "RUN_ENGINE_PANICKED"),
    errors.AnswerNotKept: (_C.ALREADY_EXISTS, "ANSWER_NOT_KEPT"),
    errors.InventoryChanged: (_C.ABORTED, "INVENTORY_CHANGED"),
    errors.RevisionMismatch: (_C.ABORTED, "REVISION_MISMATCH"),
    errors.QueueFull: (_C.RESOURCE_EXHAUSTED, "QUEUE_FULL"),
    errors.TooManyTasks: (_C.RESOURCE_EXHAUSTED, "TOO_MANY_TASKS"),
    errors.WatcherTooSlow: (_C.RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW"),
    errors.NotOwner: (_C.UNAVAILABLE, "NOT_OWNER"),
    errors.NotReady: (_C.UNAVAILABLE, "NOT_READY"),
    errors.StorageUnavailable: (_C.UNAVAILABLE, "STORAGE_UNAVAILABLE"),
    errors.WorkerUnavailable: (_C.UNAVAILABLE, "WORKER_UNAVAILABLE"),
    errors.EnvironmentUnresponsive: (_C.DEADLINE_EXCEEDED, "ENVIRONMENT_UNRESPONSIVE"),
}


def translate(error: Exception) -> Refusal | None:
    """What a client is told about an error; None if it is no refusal but a defect."""
    if not isinstance(error, errors.Refused):
        return None
    code, reason = TABLE[type(error)]
    return Refusal(
        code,
        reason,
        error.message,
        violations=[Violation(v.field, v.description) for v in error.violations],
        retry_after=error.retry_after if isinstance(error, errors.Unavailable) else None,
        metadata=_metadata(error),
        details=_details(error),
    )


def _metadata(error: errors.Refused) -> dict[str, str]:
    if isinstance(error, errors.RevisionMismatch):
        return {f"{error.part}_revision": str(error.present)}
    if isinstance(error, errors.StorageUnavailable) and not error.fate_known:
        return FATE_UNKNOWN
    if isinstance(error, question_errors.QuestionNotFound):
        return {"question_id": error.question_id} if error.question_id else {}
    if isinstance(error, (errors.EnvironmentExists, errors.EnvironmentClosed)):
        return {"remedy": error.remedy}
    return {}


def _details(error: errors.Refused) -> Sequence[Message]:
    make = _DETAILS.get(type(error))
    return [make(error)] if make else []


def _invalid_state(error: errors.InvalidState) -> Message:
    return details_pb2.InvalidState(
        state=MANAGER_STATES[error.state], allowed_states=[MANAGER_STATES[state] for state in error.allowed]
    )


def _not_owner(error: errors.NotOwner) -> Message:
    return details_pb2.NotOwner(owner_address=error.owner_address)


def _batch_refused(error: batch_errors.BatchRefused) -> Message:
    """The first refused items, as many as fit the trailers."""
    message = details_pb2.BatchRefused()
    for item in error.items:
        refused = message.items.add(
            index=item.index, reason=TABLE[type(item.error)][1], message=item.error.message[:200]
        )
        for violation in item.error.violations[:3]:
            refused.field_violations.add(field=violation.field[:100], description=violation.description[:200])
        if message.ByteSize() > _MAX_DETAIL_BYTES and len(message.items) > 1:
            del message.items[-1]
            break
    return message


#: Room for the refused items of a batch; see queueserver_rpc.status.
_MAX_DETAIL_BYTES = 1800
_DETAILS: dict[type[errors.Refused], Callable[..., Message]] = {
    errors.InvalidState: _invalid_state,
    errors.QueueRunning: _invalid_state,
    errors.NotOwner: _not_owner,
    batch_errors.BatchRefused: _batch_refused,
}
