"""The lock in the words that users of the Queue Server know, and in those of a line."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queueserver_client import LockChanged, LockInfo, LockRequest


def lock_dict(lock: LockInfo) -> dict[str, Any]:
    """The lock under the names of the reference; a lease and a request only where there is one."""
    is_locked = lock.is_locked
    body: dict[str, Any] = {
        "environment": lock.environment,
        "queue": lock.queue,
        "user": lock.user if is_locked else None,
        "note": lock.note or None,
        "time": lock.time.timestamp() if lock.time is not None else None,
        "time_str": local_time(lock.time),
        "emergency_lock_key_is_set": lock.emergency_lock_key_set,
    }
    if lock.lease is not None:
        body["lease"] = lock.lease
    if lock.lease_end_time is not None:
        body |= {"lease_end": lock.lease_end_time.timestamp(), "lease_end_str": local_time(lock.lease_end_time)}
    if lock.request is not None:
        body["request"] = request_dict(lock.request)
    return body


def request_dict(request: LockRequest) -> dict[str, Any]:
    """A request for the lock."""
    return {
        "request_uid": request.uid,
        "environment": request.environment,
        "queue": request.queue,
        "user": request.user,
        "note": request.note or None,
        "time": request.time.timestamp(),
        "time_str": local_time(request.time),
        "end": request.end_time.timestamp(),
        "end_str": local_time(request.end_time),
    }


def local_time(time: datetime | None) -> str:
    """A time as users know it, in the zone of this machine; empty for none."""
    return time.astimezone().strftime("%m/%d/%Y %H:%M:%S") if time is not None else ""


def what_words(lock: LockInfo | LockRequest) -> str:
    """What is locked, or would be."""
    both = lock.environment and lock.queue
    return "environment and queue" if both else "environment" if lock.environment else "queue"


def change_words(event: LockChanged) -> str:
    """A change of the lock as a line."""
    words = _OF_LOCK.get(event.change.value)
    if words is not None:
        return words.format(what=what_words(event.lock), user=event.lock.user, by=event.user) + _noted(event.lock.note)
    request = event.request
    if request is None:
        now = f"{what_words(event.lock)} locked by {event.lock.user}" if event.lock.is_locked else "nothing is locked"
        return f"lock changed: {now}"
    if event.change.value == "requested":
        asked = f"{request.user} asks for the lock of {what_words(request)}{_noted(request.note)}"
        return f"{asked}. Answer: qserver lock grant, or qserver lock refuse"
    ended = _OF_REQUEST.get(event.change.value, "has ended")
    return f"the request of {request.user} for the lock {ended}{_noted(event.answer_note)}"


def _noted(note: str) -> str:
    return f": {note}" if note else ""


#: By the word of the change, so that the status need not load the events.
_OF_LOCK = {
    "acquired": "{what} locked by {user}",
    "released": "unlocked by {by}",
    "released_by_emergency_key": "unlocked by {by} with the emergency key",
    "expired": "unlocked: the lease of the lock has ended",
    "cleared": "unlocked with qserver-clear-lock",
    "renewed": "lock renewed by {user}",
    "extended": "lease of the lock extended: the server was away",
    "taken_over": "{what} locked by {user}, who had asked for it",
}
_OF_REQUEST = {
    "request_refused": "was refused",
    "request_withdrawn": "was withdrawn",
    "request_expired": "has ended: it was not answered",
}
