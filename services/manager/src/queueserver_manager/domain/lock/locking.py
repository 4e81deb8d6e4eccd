"""What happens to the lock: who may set, renew, release and clear it, and who gets it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from queueserver_manager.domain.changes import Change, Decision, SetLock, SettleClearOrder
from queueserver_manager.domain.events import LockChange, LockChanged
from queueserver_manager.domain.lock.lock import GRACE, Claim, Lock, LockKey, LockRequest
from queueserver_manager.domain.lock.lock_errors import (
    Locked,
    LockKeyInvalid,
    LockRequestNotFound,
    LockRequestWaits,
    NotLocked,
)
from queueserver_manager.domain.record import Record


@dataclass(frozen=True, slots=True)
class LockStanding:
    """The lock after a decision. ``revision`` is that of its last change, 0 if there was none; None: this decision."""

    lock: Lock | None
    emergency_key_is_set: bool
    revision: int | None = None
    #: Of a request for the lock: it was granted at once.
    granted: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a new lock or request unique."""

    uid: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class ClearOrder:
    """The lock with this identity is to be cleared, as ordered by a person with access to the store."""

    order_id: str
    lock_uid: str


def standing_of(record: Record) -> LockStanding:
    """The lock as it is."""
    return LockStanding(record.lock, record.emergency_key is not None, record.revisions.lock)


def acquire(record: Record, claim: Claim, key: LockKey, identity: Identity) -> Decision[LockStanding]:
    """Lock, or replace what is locked with its key. Raises Locked."""
    held = record.lock
    if held is not None and not key.fits(held.key):
        raise Locked(held, emergency_key_is_set=record.emergency_key is not None)
    if held is None:
        lock = Lock(identity.uid, claim, _lease_end(claim), key=key.digest(identity.salt))
    else:
        lock = replace(held, claim=claim, lease_end=_lease_end(claim))
    return _changed(record, LockChange.ACQUIRED, lock, claim.user)


def release(record: Record, key: LockKey, user: str, now: float) -> Decision[LockStanding]:
    """End the lock; released with its own key, it passes to the client that asks for it. Raises LockKeyInvalid."""
    held = record.lock
    if held is None:
        return Decision(standing_of(record))
    if key.fits(held.key):
        return _end(record, held, LockChange.RELEASED, user, now)
    if not key.fits(record.emergency_key):
        raise LockKeyInvalid(held, emergency_key_is_set=record.emergency_key is not None)
    return _changed(record, LockChange.RELEASED_BY_EMERGENCY_KEY, None, user, request=held.request)


def renew(record: Record, key: LockKey, user: str, now: float) -> Decision[LockStanding]:
    """Restart the lease. Raises NotLocked, LockKeyInvalid."""
    held = _held(record, key)
    if not held.claim.lease:
        return Decision(standing_of(record))
    return _changed(record, LockChange.RENEWED, replace(held, lease_end=now + held.claim.lease), user)


def ask(record: Record, claim: Claim, key: LockKey, identity: Identity, wait: float) -> Decision[LockStanding]:
    """Ask for the lock, or take it if it is free. Raises LockRequestWaits."""
    held = record.lock
    if held is None or key.fits(held.key):
        decision = acquire(record, claim, key, identity)
        return Decision(replace(decision.result, granted=True), decision.changes, decision.events)
    if held.request is not None and not key.fits(held.request.key):
        raise LockRequestWaits(held, emergency_key_is_set=record.emergency_key is not None)
    request = LockRequest(identity.uid, claim, claim.time + wait, key.digest(identity.salt))
    lock = replace(held, request=request)
    return _changed(record, LockChange.REQUESTED, lock, claim.user, request=request)


@dataclass(frozen=True, slots=True)
class Answer:
    """The holder's reply to a request; an empty uid means the one that is waiting."""

    granted: bool
    note: str
    request_uid: str = ""


def answer(record: Record, key: LockKey, said: Answer, user: str, now: float) -> Decision[LockStanding]:
    """Grant or refuse a request. Raises LockKeyInvalid, LockRequestNotFound."""
    if record.lock is None:
        raise LockRequestNotFound
    held = _held(record, key)
    request = held.request
    if request is None or said.request_uid not in {"", request.uid}:
        raise LockRequestNotFound
    if said.granted:
        return _hand_over(record, request, user, now, said.note)
    lock = replace(held, request=None)
    return _changed(record, LockChange.REQUEST_REFUSED, lock, user, request=request, answer_note=said.note)


def withdraw(record: Record, key: LockKey, user: str) -> Decision[LockStanding]:
    """Withdraw a request. Raises LockKeyInvalid, LockRequestNotFound."""
    held = record.lock
    if held is None or held.request is None:
        raise LockRequestNotFound
    if not key.fits(held.request.key):
        raise LockKeyInvalid(held, emergency_key_is_set=record.emergency_key is not None)
    lock = replace(held, request=None)
    return _changed(record, LockChange.REQUEST_WITHDRAWN, lock, user, request=held.request)


def end_lease(record: Record, lock: Lock, now: float) -> Decision[LockStanding]:
    """The lease of this lock is over, unless it was renewed meanwhile."""
    held = record.lock
    if held is None or (held.uid, held.lease_end) != (lock.uid, lock.lease_end):
        return Decision(standing_of(record))
    return _end(record, held, LockChange.EXPIRED, "", now)


def end_waiting(record: Record, request: LockRequest) -> Decision[LockStanding]:
    """A request has waited long enough, unless it was answered or repeated meanwhile."""
    held = record.lock
    if held is None or held.request != request:
        return Decision(standing_of(record))
    waiting_no_more = replace(held, request=None)
    return _changed(record, LockChange.REQUEST_EXPIRED, waiting_no_more, "", request=held.request)


def give_time(record: Record, now: float) -> Decision[LockStanding]:
    """The holder could not renew the lease for a while: extend it so that they can."""
    held, until = record.lock, now + GRACE
    if held is None or not held.lease_end or held.lease_end >= until:
        return Decision(standing_of(record))
    return _changed(record, LockChange.EXTENDED, replace(held, lease_end=until), "")


def clear(record: Record, order: ClearOrder) -> Decision[LockStanding]:
    """Carry out an order to clear the lock, and settle it; any other lock stays."""
    held = record.lock
    if held is None or held.uid != order.lock_uid:
        return Decision(standing_of(record), [SettleClearOrder(order.order_id, cleared=False)])
    settled = SettleClearOrder(order.order_id, cleared=True)
    return _changed(record, LockChange.CLEARED, None, "", request=held.request, more=(settled,))


def _held(record: Record, key: LockKey) -> Lock:
    if record.lock is None:
        raise NotLocked
    if not key.fits(record.lock.key):
        raise LockKeyInvalid(record.lock, emergency_key_is_set=record.emergency_key is not None)
    return record.lock


def _end(record: Record, held: Lock, change: LockChange, user: str, now: float) -> Decision[LockStanding]:
    """The lock ends, and passes to the client that asks for it."""
    if held.request is not None:
        return _hand_over(record, held.request, user, now)
    return _changed(record, change, None, user)


def _hand_over(
    record: Record, request: LockRequest, user: str, now: float, answer_note: str = ""
) -> Decision[LockStanding]:
    claim = replace(request.claim, time=now)
    lock = Lock(request.uid, claim, _lease_end(claim), key=request.key)
    return _changed(record, LockChange.TAKEN_OVER, lock, user, request=request, answer_note=answer_note)


def _lease_end(claim: Claim) -> float:
    return claim.time + claim.lease if claim.lease else 0.0


def _changed(
    record: Record,
    change: LockChange,
    lock: Lock | None,
    user: str,
    *,
    request: LockRequest | None = None,
    answer_note: str = "",
    more: tuple[Change, ...] = (),
) -> Decision[LockStanding]:
    is_set = record.emergency_key is not None
    event = LockChanged(
        change,
        lock.told() if lock is not None else None,
        record.lock.told() if record.lock is not None else None,
        user,
        answer_note,
        replace(request, key=None) if request is not None else None,
        emergency_key_is_set=is_set,
    )
    return Decision(LockStanding(lock, is_set), [SetLock(lock), *more], [event])
