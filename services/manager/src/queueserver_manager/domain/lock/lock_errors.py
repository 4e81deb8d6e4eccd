"""What is refused because of the lock.

Refused
├── NotPermitted
│   └── LockKeyInvalid
├── NotFound
│   └── LockRequestNotFound
└── WrongState
    ├── Locked
    ├── NotLocked
    └── LockRequestWaits
"""

from __future__ import annotations

from queueserver_manager.domain.lock.lock import Lock, held_text
from queueserver_manager.domain.refusals.errors import NotFound, NotPermitted, WrongState


class Locked(WrongState):
    """What the request would change is locked, and its key does not match."""

    remedy_method = "LockService.RequestLock"
    remedy = (
        "Give the key of the lock, wait until it is released, or ask its holder for it with a request for the lock."
    )

    def __init__(self, lock: Lock, *, emergency_key_is_set: bool) -> None:
        super().__init__(held_text(lock, emergency_key_is_set=emergency_key_is_set))
        self.lock = lock.told()
        self.emergency_key_is_set = emergency_key_is_set


class LockKeyInvalid(NotPermitted):
    """The key is not that of the lock, or of the request."""

    remedy = "Give the right key; if it is lost, ask for the lock to be released with the emergency key or cleared."

    def __init__(self, lock: Lock, *, emergency_key_is_set: bool) -> None:
        super().__init__(held_text(lock, emergency_key_is_set=emergency_key_is_set))
        self.lock = lock.told()
        self.emergency_key_is_set = emergency_key_is_set


class NotLocked(WrongState):
    """Nothing is locked (any more)."""

    remedy_method = "LockService.AcquireLock"

    def __init__(self) -> None:
        super().__init__(
            "Nothing is locked: the lease has ended, or the lock was released or cleared; acquire it again."
        )


class LockRequestWaits(WrongState):
    """Another client asks for the lock already."""

    remedy = "Ask again when that request has ended."

    def __init__(self, lock: Lock, *, emergency_key_is_set: bool) -> None:
        user = lock.request.claim.user if lock.request is not None else ""
        super().__init__(f"{user} has already asked for the lock: ask again when that request has ended.")
        self.lock = lock.told()
        self.emergency_key_is_set = emergency_key_is_set


class LockRequestNotFound(NotFound):
    """No such request for the lock is waiting."""

    def __init__(self) -> None:
        super().__init__(
            "No such request for the lock is pending: it was granted or withdrawn, or has ended; look at the lock."
        )
