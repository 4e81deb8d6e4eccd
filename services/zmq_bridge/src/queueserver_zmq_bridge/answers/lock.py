"""The lock: as the object that clients read, and as the text that a wrong key is answered with."""

from __future__ import annotations

import time
from typing import Any

from queueserver_client.models.lock import LockInfo


def lock_fields(lock: LockInfo) -> dict[str, Any]:
    """The object ``lock_info``."""
    is_locked = lock.environment or lock.queue
    return {
        "environment": lock.environment,
        "queue": lock.queue,
        "user": lock.user if is_locked else None,
        "note": (lock.note or None) if is_locked else None,
        "time": lock.time.timestamp() if is_locked and lock.time else None,
        "time_str": _local_time(lock) if is_locked else "",
        "emergency_lock_key_is_set": lock.emergency_lock_key_set,
    }


def describe_lock(lock: LockInfo) -> str:
    """Who locked what, in five lines."""
    return (
        f"RE Manager is locked by {lock.user} at {_local_time(lock)}\n"
        f"Environment is locked: {lock.environment}\n"
        f"Queue is locked:       {lock.queue}\n"
        f"Emergency lock key:    {'set' if lock.emergency_lock_key_set else 'not set'}\n"
        f"Note: {lock.note or '---'}"
    )


def _local_time(lock: LockInfo) -> str:
    return "" if lock.time is None else time.strftime("%m/%d/%Y %H:%M:%S", time.localtime(lock.time.timestamp()))
