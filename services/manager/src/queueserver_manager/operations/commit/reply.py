"""The response to a request that changes something, made in the same step as the change.

So the response can be stored with the change, and a client that repeats the request gets the very same one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from queueserver_long_work.time_slice import in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.lock.lock import Guard, Lock
from queueserver_manager.domain.lock.lock_errors import Locked
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import AnswerNotKept, RequestIdReused, RevisionMismatch
from queueserver_manager.domain.requests import AnsweredRequest

T = TypeVar("T")
#: From a result and its revision to the serialized response; in steps where that takes long.
Encode = Callable[[T, int], bytes | Work[bytes]]


@dataclass(frozen=True, slots=True)
class ReplySpec(Generic[T]):
    """How a result becomes a response, and under which id that response is kept (empty: it is not)."""

    #: From the result and its revision to the serialized response.
    encode: Encode[T]
    request_id: str = ""
    #: Of method, caller and content: tells a repetition from another request with the same id.
    fingerprint: str = ""
    #: Revision since which ``part`` (a field of Revisions) must not have changed; 0 for any.
    expected_revision: int = 0
    #: Respond as if it were done, and change nothing.
    validate_only: bool = False
    part: str = "queue"
    #: Who asks; empty for work of our own.
    user: str = ""
    #: What the lock may protect of the request's changes, with the key that came along; None if no lock matters.
    guard: Guard | None = None

    def known(self, record: Record) -> bytes | None:
        """The first response, if this request was answered before. Raises RequestIdReused, AnswerNotKept."""
        request = record.requests.get(self.request_id) if self.request_id else None
        if request is None:
            return None
        if request.fingerprint != self.fingerprint:
            raise RequestIdReused
        if request.answer is None:
            raise AnswerNotKept
        return request.answer

    def check(self, record: Record) -> None:
        """Refuse if it is locked, or if a part changed since the expected revision. Raises Locked, RevisionMismatch."""
        self.check_lock(record.lock, emergency_key_is_set=record.emergency_key is not None)
        present: int = getattr(record.revisions, self.part)
        if self.expected_revision and present > self.expected_revision:
            raise RevisionMismatch(self.expected_revision, present, self.part)

    def check_lock(self, lock: Lock | None, *, emergency_key_is_set: bool) -> None:
        """Refuse if what the request changes is locked, and its key does not match. Raises Locked."""
        if lock is not None and self.guard is not None and not self.guard.lets_pass(lock):
            raise Locked(lock, emergency_key_is_set=emergency_key_is_set)

    async def answer(self, result: T, revision: int) -> bytes:
        """The serialized response."""
        encoded = self.encode(result, revision)
        return await in_time_slices(encoded) if isinstance(encoded, Generator) else encoded

    def answered(self, answer: bytes, now: float) -> AnsweredRequest:
        """What is kept of it."""
        return AnsweredRequest(self.request_id, self.fingerprint, answer, now)


#: For work of our own, whose response no client needs.
NO_REPLY: ReplySpec[Any] = ReplySpec(lambda _result, _revision: b"")
