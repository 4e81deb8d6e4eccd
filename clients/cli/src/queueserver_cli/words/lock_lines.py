"""The lock as it is, in lines: who asks for it and how to answer, who holds it."""

from __future__ import annotations

from datetime import datetime

from queueserver_client import LockInfo

from queueserver_cli.words.lock_words import what_words


def request_line(lock: LockInfo) -> str:
    """Who asks for the lock, for its holder; empty if there is no request."""
    request = lock.request
    if request is None:
        return ""
    asked = f"{request.user} asks for the lock of {what_words(request)}{_noted(request.note)}"
    return f"{asked} (until {_clock(request.end_time)}). Answer: qserver lock grant, or lock refuse"


def holder_line(lock: LockInfo) -> str:
    """Who holds the lock; empty if nothing is locked."""
    if not lock.is_locked:
        return ""
    since = f" since {_clock(lock.time)}" if lock.time is not None else ""
    until = f", lease until {_clock(lock.lease_end_time)}" if lock.lease_end_time is not None else ""
    return f"Locked by {lock.user}: {what_words(lock)}{since}{until}{_noted(lock.note)}"


def _noted(note: str) -> str:
    return f": {note}" if note else ""


def _clock(time: datetime) -> str:
    return f"{time.astimezone():%H:%M:%S}"
