"""LockService: convert, call, convert back."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any, TypeAlias

from google.protobuf.duration_pb2 import Duration
from queueserver.manager.v1 import lock_pb2
from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver.manager.v1.lock_service_pb2_grpc import LockServiceServicer

from queueserver_manager.domain.lock.lock import (
    DEFAULT_WAIT,
    MAX_SECONDS,
    MIN_SECONDS,
    SALT_BYTES,
    LockKey,
    held_text,
    key_from,
)
from queueserver_manager.domain.lock.locking import Answer, LockStanding
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.ownership_term import OwnershipTerm
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.guards import lock_key_of
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.replies import reply_to
from queueserver_manager.rpc.status_message import marker
from queueserver_manager.wire.locks import lock_to_proto

_Response: TypeAlias = (
    pb.AcquireLockResponse
    | pb.ReleaseLockResponse
    | pb.RenewLockResponse
    | pb.RequestLockResponse
    | pb.AnswerLockRequestResponse
    | pb.WithdrawLockRequestResponse
)
_GRANTED = {lock_pb2.LOCK_ANSWER_GRANT: True, lock_pb2.LOCK_ANSWER_REFUSE: False}


class LockServicer(LockServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def AcquireLock(self, request: pb.AcquireLockRequest, context: Any) -> Any:  # noqa: N802
        """Contract: LockService.AcquireLock."""
        term, caller = self._current_term.term(), caller_of(context)
        key, lease = _key(request, caller), _lease(request)
        claim = term.locking.claim(
            caller.user, note_of(request), environment=request.environment, queue=request.queue, lease=lease
        )
        reply = _reply(term, request, caller, key, pb.AcquireLockResponse)
        return await term.locking.acquire(claim, key, reply)

    async def ReleaseLock(self, request: pb.ReleaseLockRequest, context: Any) -> Any:  # noqa: N802
        """Contract: LockService.ReleaseLock."""
        term, caller = self._current_term.term(), caller_of(context)
        key = _key(request, caller)
        reply = _reply(term, request, caller, key, pb.ReleaseLockResponse)
        return await term.locking.release(key, caller.user, reply)

    async def GetLock(self, request: pb.GetLockRequest, context: Any) -> pb.GetLockResponse:  # noqa: N802
        """Contract: LockService.GetLock."""
        text = lock_key_of(request, caller_of(context))
        term = self._current_term.term()
        standing, revision = await term.locking.get()
        answer = pb.GetLockResponse(
            lock_info=lock_to_proto(standing.lock, emergency_key_is_set=standing.emergency_key_is_set),
            lock_info_uid=marker(term.ledger.summary.store_id, "lock", standing.revision or 0),
            revision=revision,
        )
        if text:
            lock = standing.lock
            answer.key_fits = lock is None or LockKey(text).fits(lock.key)
            if lock is not None and not answer.key_fits:
                answer.message = held_text(lock, emergency_key_is_set=standing.emergency_key_is_set)
        return answer

    async def RenewLock(self, request: pb.RenewLockRequest, context: Any) -> Any:  # noqa: N802
        """Contract: LockService.RenewLock."""
        term, caller = self._current_term.term(), caller_of(context)
        key = _key(request, caller)
        reply = _reply(term, request, caller, key, pb.RenewLockResponse)
        return await term.locking.renew(key, caller.user, reply)

    async def RequestLock(self, request: pb.RequestLockRequest, context: Any) -> Any:  # noqa: N802
        """Contract: LockService.RequestLock."""
        term, caller = self._current_term.term(), caller_of(context)
        key, lease = _key(request, caller), _lease(request)
        wait = _seconds(request.wait, "wait") if request.HasField("wait") else DEFAULT_WAIT
        claim = term.locking.claim(
            caller.user, note_of(request), environment=request.environment, queue=request.queue, lease=lease
        )
        reply = _reply(term, request, caller, key, pb.RequestLockResponse)
        return await term.locking.ask(claim, key, wait, reply)

    async def AnswerLockRequest(self, request: pb.AnswerLockRequestRequest, context: Any) -> Any:  # noqa: N802
        """Contract: LockService.AnswerLockRequest."""
        term, caller = self._current_term.term(), caller_of(context)
        key = _key(request, caller)
        granted = _GRANTED.get(request.answer)
        if granted is None:
            raise FieldInvalid("answer", "say what to answer: LOCK_ANSWER_GRANT or LOCK_ANSWER_REFUSE")
        said = Answer(granted, note_of(request), request.lock_request_uid)
        reply = _reply(term, request, caller, key, pb.AnswerLockRequestResponse)
        return await term.locking.answer(key, said, caller.user, reply)

    async def WithdrawLockRequest(self, request: pb.WithdrawLockRequestRequest, context: Any) -> Any:  # noqa: N802
        """Contract: LockService.WithdrawLockRequest."""
        term, caller = self._current_term.term(), caller_of(context)
        key = _key(request, caller)
        reply = _reply(term, request, caller, key, pb.WithdrawLockRequestResponse)
        return await term.locking.withdraw(key, caller.user, reply)


def _reply(
    term: OwnershipTerm, request: Any, caller: Caller, key: LockKey, response: type[_Response]
) -> ReplySpec[LockStanding]:
    """How the lock becomes a response."""
    store_id = term.ledger.summary.store_id

    def encode(standing: LockStanding, revision: int) -> bytes:
        answer = response(
            lock_info=lock_to_proto(standing.lock, emergency_key_is_set=standing.emergency_key_is_set),
            lock_info_uid=marker(store_id, "lock", revision if standing.revision is None else standing.revision),
            revision=revision,
        )
        if isinstance(answer, pb.RequestLockResponse):
            answer.granted = standing.granted
        return answer.SerializeToString()

    # The key is part of what is requested: another key makes it another request. What is kept of it with the
    # request reveals no more than what is kept with the lock.
    salt = hashlib.blake2b(store_id.encode(), digest_size=SALT_BYTES).digest()
    return reply_to(request, caller, encode, "lock", key.digest(salt).digest)


def _key(request: Any, caller: Caller) -> LockKey:
    return key_from(lock_key_of(request, caller))


def _lease(request: Any) -> float:
    """Seconds of the lease, 0 for none; also checks that something is to be locked. Raises FieldInvalid."""
    if not (request.environment or request.queue):
        raise FieldInvalid("environment", "say what to lock: environment, queue or both")
    return _seconds(request.lease, "lease") if request.HasField("lease") else 0.0


def _seconds(given: Duration, name: str) -> float:
    seconds = given.seconds + given.nanos / 1e9
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise FieldInvalid(name, f"must be {MIN_SECONDS:g} seconds or more, and at most {MAX_SECONDS / 3600:g} hours")
    return seconds


def _is_space(character: str) -> bool:
    """Spaces that are not control characters, of French and of Japanese, for example; joiners, of Persian and emoji."""
    return unicodedata.category(character) == "Zs" or character in "\u200c\u200d"


def note_of(request: Any, field: str = "note") -> str:
    """The note of a message that has one; ``field`` is its path. Raises FieldInvalid."""
    note: str = request.note
    unseen = next((one for one in note if not one.isprintable() and one not in "\n\t" and not _is_space(one)), "")
    if unseen:
        raise FieldInvalid(field, f"must not have control characters: leave out U+{ord(unseen):04X}")
    return note
