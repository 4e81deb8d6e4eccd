"""The lock as messages of the contract, without its keys."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from queueserver.manager.v1 import event_pb2, lock_pb2

from queueserver_manager.domain.events import LockChange, LockChanged
from queueserver_manager.domain.lock.lock import Claim, Lock, LockRequest
from queueserver_manager.wire.items import set_time

_CHANGES = {change: lock_pb2.LockChange.Value(f"LOCK_CHANGE_{change.name}") for change in LockChange}


def lock_to_proto(lock: Lock | None, *, emergency_key_is_set: bool) -> lock_pb2.LockInfo:
    """The lock, or that nothing is locked."""
    message = lock_pb2.LockInfo(emergency_lock_key_set=emergency_key_is_set)
    if lock is None:
        return message
    _fill(message, lock.claim)
    if lock.lease_end:
        set_time(message.lease_end_time, lock.lease_end)
    if lock.request is not None:
        message.request.CopyFrom(_request_to_proto(lock.request))
    return message


def _request_to_proto(request: LockRequest) -> lock_pb2.LockRequest:
    message = lock_pb2.LockRequest(lock_request_uid=request.uid)
    _fill(message, request.claim)
    set_time(message.end_time, request.end)
    return message


def _fill(message: lock_pb2.LockInfo | lock_pb2.LockRequest, claim: Claim) -> None:
    message.environment = claim.environment
    message.queue = claim.queue
    message.user = claim.user
    message.note = claim.note
    set_time(message.time, claim.time)
    if claim.lease:
        message.lease.CopyFrom(duration(claim.lease))


def lock_changed_to_proto(event: LockChanged) -> event_pb2.LockChanged:
    """A change of the lock."""
    is_set = event.emergency_key_is_set
    message = event_pb2.LockChanged(
        change=_CHANGES[event.change],
        lock_info=lock_to_proto(event.lock, emergency_key_is_set=is_set),
        user=event.user,
        answer_note=event.answer_note,
    )
    if event.previous is not None:
        message.previous_lock_info.CopyFrom(lock_to_proto(event.previous, emergency_key_is_set=is_set))
    if event.request is not None:
        message.request.CopyFrom(_request_to_proto(event.request))
    return message


def duration(seconds: float) -> Duration:
    """Seconds as a Duration."""
    message = Duration()
    message.FromNanoseconds(round(seconds * 1e9))
    return message
