"""One table: each refusal of the domain with its reason in the contract. A test proves it total."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import Message
from queueserver.manager.v1 import error_details_pb2 as details_pb2
from queueserver_rpc.reasons import ErrorReason, Reason, refused
from queueserver_rpc.status import FATE_UNKNOWN, Refusal, Violation

from queueserver_manager.domain.lock import lock_errors
from queueserver_manager.domain.permissions import permission_errors
from queueserver_manager.domain.refusals import batch_errors, environment_errors, errors, import_errors, question_errors
from queueserver_manager.rpc.services import full_method
from queueserver_manager.wire.locks import lock_to_proto
from queueserver_manager.wire.states import MANAGER_STATES

_R = ErrorReason

TABLE: dict[type[errors.Refused], Reason] = {
    errors.FieldInvalid: _R.ERROR_REASON_FIELD_INVALID,
    errors.ItemInvalid: _R.ERROR_REASON_ITEM_INVALID,
    errors.NumberNotExact: _R.ERROR_REASON_NUMBER_NOT_EXACT,
    errors.ItemTooLarge: _R.ERROR_REASON_ITEM_TOO_LARGE,
    errors.ScriptTooLarge: _R.ERROR_REASON_SCRIPT_TOO_LARGE,
    batch_errors.BatchRefused: _R.ERROR_REASON_BATCH_REFUSED,
    batch_errors.ItemRepeated: _R.ERROR_REASON_ITEM_REPEATED,
    errors.PositionMissing: _R.ERROR_REASON_POSITION_MISSING,
    permission_errors.PermissionsInvalid: _R.ERROR_REASON_PERMISSIONS_INVALID,
    errors.RequestIdReused: _R.ERROR_REASON_REQUEST_ID_REUSED,
    errors.PageTokenInvalid: _R.ERROR_REASON_PAGE_TOKEN_INVALID,
    errors.ResumeTokenInvalid: _R.ERROR_REASON_RESUME_TOKEN_INVALID,
    errors.FunctionNotAllowed: _R.ERROR_REASON_FUNCTION_NOT_ALLOWED,
    permission_errors.GroupNotAccepted: _R.ERROR_REASON_GROUP_NOT_ACCEPTED,
    lock_errors.LockKeyInvalid: _R.ERROR_REASON_LOCK_KEY_INVALID,
    errors.PlanNotFound: _R.ERROR_REASON_PLAN_NOT_FOUND,
    errors.DeviceNotFound: _R.ERROR_REASON_DEVICE_NOT_FOUND,
    permission_errors.GroupNotFound: _R.ERROR_REASON_GROUP_NOT_FOUND,
    errors.ItemNotFound: _R.ERROR_REASON_ITEM_NOT_FOUND,
    errors.TaskNotFound: _R.ERROR_REASON_TASK_NOT_FOUND,
    question_errors.QuestionNotFound: _R.ERROR_REASON_QUESTION_NOT_FOUND,
    environment_errors.EnvironmentNotFound: _R.ERROR_REASON_ENVIRONMENT_NOT_FOUND,
    lock_errors.LockRequestNotFound: _R.ERROR_REASON_LOCK_REQUEST_NOT_FOUND,
    errors.PositionOutOfRange: _R.ERROR_REASON_POSITION_OUT_OF_RANGE,
    errors.PageTokenExpired: _R.ERROR_REASON_PAGE_TOKEN_EXPIRED,
    errors.ResumeTokenExpired: _R.ERROR_REASON_RESUME_TOKEN_EXPIRED,
    errors.InvalidState: _R.ERROR_REASON_INVALID_STATE,
    errors.QueueRunning: _R.ERROR_REASON_QUEUE_RUNNING,
    errors.ItemHeld: _R.ERROR_REASON_ITEM_HELD,
    errors.ItemRunning: _R.ERROR_REASON_ITEM_RUNNING,
    errors.ItemNotRunning: _R.ERROR_REASON_ITEM_NOT_RUNNING,
    import_errors.NotEmpty: _R.ERROR_REASON_NOT_EMPTY,
    errors.InventoryEmpty: _R.ERROR_REASON_INVENTORY_EMPTY,
    environment_errors.EnvironmentClosed: _R.ERROR_REASON_ENVIRONMENT_CLOSED,
    environment_errors.EnvironmentExists: _R.ERROR_REASON_ENVIRONMENT_EXISTS,
    lock_errors.Locked: _R.ERROR_REASON_LOCKED,
    lock_errors.NotLocked: _R.ERROR_REASON_NOT_LOCKED,
    lock_errors.LockRequestWaits: _R.ERROR_REASON_LOCK_REQUEST_WAITS,
    errors.ScriptsDisabled: _R.ERROR_REASON_SCRIPTS_DISABLED,
    permission_errors.ReloadDisabled: _R.ERROR_REASON_RELOAD_DISABLED,
    permission_errors.FileInvalid: _R.ERROR_REASON_FILE_INVALID,
    environment_errors.RunEngineMissing: _R.ERROR_REASON_RUN_ENGINE_MISSING,
    environment_errors.RunEngineBusy: _R.ERROR_REASON_RUN_ENGINE_BUSY,
    environment_errors.RunEnginePanicked: _R.ERROR_REASON_RUN_ENGINE_PANICKED,
    errors.AnswerNotKept: _R.ERROR_REASON_ANSWER_NOT_KEPT,
    errors.InventoryChanged: _R.ERROR_REASON_INVENTORY_CHANGED,
    errors.RevisionMismatch: _R.ERROR_REASON_REVISION_MISMATCH,
    errors.QueueFull: _R.ERROR_REASON_QUEUE_FULL,
    errors.TooManyTasks: _R.ERROR_REASON_TOO_MANY_TASKS,
    errors.WatcherTooSlow: _R.ERROR_REASON_WATCHER_TOO_SLOW,
    errors.NotOwner: _R.ERROR_REASON_NOT_OWNER,
    errors.ServerStopping: _R.ERROR_REASON_SERVER_STOPPING,
    errors.NotReady: _R.ERROR_REASON_NOT_READY,
    errors.StorageUnavailable: _R.ERROR_REASON_STORAGE_UNAVAILABLE,
    errors.WorkerUnavailable: _R.ERROR_REASON_WORKER_UNAVAILABLE,
    errors.EnvironmentUnresponsive: _R.ERROR_REASON_ENVIRONMENT_UNRESPONSIVE,
}


def translate(error: Exception) -> Refusal | None:
    """What a client is told about an error; None if it is a defect and not a refusal."""
    if not isinstance(error, errors.Refused):
        return None
    return refused(
        TABLE[type(error)],
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
    if isinstance(error, errors.ItemNotRunning):
        return {"item_uid": error.item_uid}
    if isinstance(error, question_errors.QuestionNotFound):
        return {"question_id": error.question_id} if error.question_id else {}
    remedy = {"remedy_method": full_method(error.remedy_method)} if error.remedy_method else {}
    if isinstance(error, (environment_errors.EnvironmentExists, environment_errors.EnvironmentClosed, *_LOCK_HELD)):
        return {"remedy": error.remedy, **remedy}
    return remedy


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
        entry = message.items.add(index=item.index, reason=TABLE[type(item.error)], message=item.error.message[:200])
        for violation in item.error.violations[:3]:
            entry.field_violations.add(field=violation.field[:100], description=violation.description[:200])
        if message.ByteSize() > _MAX_DETAIL_BYTES and len(message.items) > 1:
            del message.items[-1]
            break
    return message


def _lock_held(error: lock_errors.Locked | lock_errors.LockKeyInvalid | lock_errors.LockRequestWaits) -> Message:
    info = lock_to_proto(error.lock, emergency_key_is_set=error.emergency_key_is_set)
    return details_pb2.LockHeld(
        environment=info.environment,
        queue=info.queue,
        user=info.user,
        note=info.note,
        time=info.time,
        lease_end_time=info.lease_end_time if info.HasField("lease_end_time") else None,
        emergency_lock_key_set=info.emergency_lock_key_set,
    )


_LOCK_HELD = (lock_errors.Locked, lock_errors.LockKeyInvalid, lock_errors.LockRequestWaits)
#: Room for the refused items of a batch; see queueserver_rpc.status.
_MAX_DETAIL_BYTES = 1800
_DETAILS: dict[type[errors.Refused], Callable[..., Message]] = {
    errors.InvalidState: _invalid_state,
    errors.QueueRunning: _invalid_state,
    errors.NotOwner: _not_owner,
    batch_errors.BatchRefused: _batch_refused,
    **dict.fromkeys(_LOCK_HELD, _lock_held),
}
