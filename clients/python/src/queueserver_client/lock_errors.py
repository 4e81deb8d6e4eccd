"""What can go wrong with the lock. Part of the tree of :mod:`queueserver_client.errors`."""

# ruff: noqa: N818 - named as their users write them after "except"
from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import AccessDenied, InvalidState, NotFound, QueueServerError
from queueserver_client.models.lock import LockInfo

if TYPE_CHECKING:
    from queueserver_client.errors import QueueServerError as _Base
else:
    _Base = object


class _TellsLock(_Base):
    """What a refusal says about the lock that blocks the call."""

    @property
    def lock(self) -> LockInfo:
        """The lock: what is locked, by whom, since when."""
        return self.refusal.lock or LockInfo()

    @property
    def holder(self) -> str:
        """Name of the user who locked."""
        return self.lock.user

    @property
    def note(self) -> str:
        """What that user said about it; empty if nothing."""
        return self.lock.note

    @property
    def since(self) -> datetime | None:
        """When it was locked."""
        return self.lock.time

    def __str__(self) -> str:
        remedy = self.metadata.get("remedy")
        return f"{self.message}\n{remedy}" if remedy else self.message


class Locked(_TellsLock, InvalidState):
    """What was to be changed is locked, and the call had no key or another one."""


class LockKeyInvalid(_TellsLock, AccessDenied):
    """The key is not that of the lock, for example because it has another holder by now."""


class NotLocked(InvalidState):
    """Nothing is locked, so there is nothing to renew: the lock was released, or its lease ended."""


class LockRequestWaits(_TellsLock, InvalidState):
    """Another user asks for the lock already."""


class LockRequestNotFound(NotFound):
    """No client asks for the lock (any more), or a different one does."""


class LockRefused(_TellsLock, InvalidState):
    """The lock was requested and not granted: the holder refused, or the time was over."""


class LockLost(QueueServerError):
    """The lock that was held is no longer this client's: it was taken over, its lease ended, or it was cleared."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        #: The lock as it is now.
        self.lock = refusal.lock or LockInfo()
