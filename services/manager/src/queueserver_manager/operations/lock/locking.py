"""Set, release, renew and read the lock, request it and reply to a request."""

from __future__ import annotations

from collections.abc import Callable

from queueserver_manager.domain.lock import locking
from queueserver_manager.domain.lock.lock import Claim, LockKey
from queueserver_manager.domain.lock.locking import Answer, Identity, LockStanding
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec


class LockOperations:
    """What clients may do with the lock. Every method raises the ledger's refusals besides its own."""

    def __init__(
        self, ledger: Ledger, now: Callable[[], float], new_id: Callable[[], str], new_salt: Callable[[], bytes]
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._new_id = new_id
        self._new_salt = new_salt

    def claim(self, user: str, note: str, *, environment: bool, queue: bool, lease: float) -> Claim:
        """What a client locks, or asks to lock, now."""
        return Claim(environment, queue, user, note, self._now(), lease)

    def _identity(self) -> Identity:
        return Identity(self._new_id(), self._new_salt())

    async def acquire(self, claim: Claim, key: LockKey, reply: ReplySpec[LockStanding]) -> bytes:
        """Lock, or replace what is locked with its key. Raises Locked."""
        identity = self._identity()
        return (await self._ledger.submit(lambda record: locking.acquire(record, claim, key, identity), reply)).answer

    async def release(self, key: LockKey, user: str, reply: ReplySpec[LockStanding]) -> bytes:
        """End the lock. Raises LockKeyInvalid."""
        now = self._now()
        return (await self._ledger.submit(lambda record: locking.release(record, key, user, now), reply)).answer

    async def get(self) -> tuple[LockStanding, int]:
        """The lock as it is, and the revision at which it was read."""
        return await self._ledger.read(lambda record: (locking.standing_of(record), record.revisions.last))

    async def renew(self, key: LockKey, user: str, reply: ReplySpec[LockStanding]) -> bytes:
        """Restart the lease. Raises NotLocked, LockKeyInvalid."""
        now = self._now()
        return (await self._ledger.submit(lambda record: locking.renew(record, key, user, now), reply)).answer

    async def ask(self, claim: Claim, key: LockKey, wait: float, reply: ReplySpec[LockStanding]) -> bytes:
        """Ask for the lock. Raises LockRequestWaits."""
        identity = self._identity()
        return (await self._ledger.submit(lambda record: locking.ask(record, claim, key, identity, wait), reply)).answer

    async def answer(self, key: LockKey, said: Answer, user: str, reply: ReplySpec[LockStanding]) -> bytes:
        """Grant or refuse a request. Raises LockKeyInvalid, LockRequestNotFound."""
        now = self._now()
        return (await self._ledger.submit(lambda record: locking.answer(record, key, said, user, now), reply)).answer

    async def withdraw(self, key: LockKey, user: str, reply: ReplySpec[LockStanding]) -> bytes:
        """Withdraw a request. Raises LockKeyInvalid, LockRequestNotFound."""
        return (await self._ledger.submit(lambda record: locking.withdraw(record, key, user), reply)).answer
