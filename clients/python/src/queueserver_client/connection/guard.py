"""What a connection asks before each change while its client holds the lock."""

from __future__ import annotations

from typing import Protocol

from queueserver_client.errors import QueueServerError
from queueserver_client.models.lock import LockInfo


class Guard(Protocol):
    """Knows whether the lock that a client holds is still its own."""

    async def require_lock(self) -> None:
        """Raise LockLost if the lock is no longer held."""

    def lost_to(self, lock: LockInfo) -> QueueServerError:
        """Note that the server refused a change because of this lock; returns the error to raise."""
