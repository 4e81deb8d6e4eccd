"""Who is the owner: a lease in Redis with a growing epoch.

Guarantees: each owner has a higher epoch than the one before, and every commit checks it, so a Manager that lost
its lease without noticing can't write any more. Does not guarantee that an owner knows at once that it lost it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources

from redis.asyncio import Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from queueserver_manager.store.adoption import Adoption
from queueserver_manager.store.connection import COMMAND_TIMEOUT, Busy, answered_within
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.port import OwnershipLost

#: Seconds that a lease lasts without renewal, between two renewals, and before the next attempt when one failed.
LEASE_SECONDS = 3.0
RENEWAL_SECONDS = 1.0
RETRY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class LeaseGrant:
    """Result of an attempt to own the queue: our epoch, or 0 and who owns it, in which term, for how many seconds."""

    epoch: int
    owner_address: str = ""
    remaining: float = 0.0
    owner_epoch: int = 0
    #: Where a standby connects to the owner; empty if the owner did not say.
    internal_address: str = ""
    #: Of the store that we own.
    revision: int = field(default=0, compare=False)


class Lease:
    """The lease as one Manager sees it. Methods raise redis.RedisError when Redis does not answer."""

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        instance: str,
        address: str,
        busy: Busy | None = None,
        *,
        internal_address: str = "",
    ) -> None:
        """``address`` is announced to clients, ``internal_address`` to a standby; ``busy`` is told of long commits."""
        self._busy = busy
        self._redis = redis
        self._keys = Keys(prefix)
        self._instance = instance
        self._address = address
        self._internal_address = internal_address or address
        self._adoption = Adoption(redis, prefix, instance, busy)
        self._script = redis.register_script(resources.files(__package__).joinpath("lease.lua").read_bytes())

    async def acquire(self, dead_epoch: int = 0) -> LeaseGrant:
        """Start a term, unless another instance has one: another one than that of ``dead_epoch``, whose owner died.

        Raises TwoStores.
        """
        old_owner = await self._adoption.adopt(dead_epoch)
        if old_owner is not None:
            return LeaseGrant(0, old_owner.address, old_owner.remaining, old_owner.epoch)
        return await self._claim("", dead_epoch)

    async def renew(self, epoch: int, stored: int = 0) -> bool:
        """Stay the owner; False if another Manager began a term.

        Raises OwnershipLost if the store is not even at the revision that was ``stored``: it is another Redis, which
        lacks changes.
        """
        grant = await self._claim(str(epoch))
        if grant.epoch == epoch and grant.revision < stored:
            raise OwnershipLost(f"Redis is at revision {grant.revision}, and {stored} was stored")
        return grant.epoch == epoch

    async def _claim(self, epoch: str, dead_epoch: int = 0) -> LeaseGrant:
        async with answered_within(busy=self._busy):
            answer = await self._script(
                keys=[self._keys.lease, self._keys.epoch, self._keys.meta],
                args=[
                    *(self._instance, self._address, int(LEASE_SECONDS * 1000), epoch),
                    *(dead_epoch or "", self._internal_address),
                ],
            )
        epoch_held, owner, milliseconds, owner_epoch, revision, internal = answer
        remaining = max(0.0, int(milliseconds) / 1000)
        return LeaseGrant(
            int(epoch_held), owner.decode(), remaining, int(owner_epoch), internal.decode(), revision=int(revision)
        )

    async def wait_until_free(self, remaining: float) -> None:
        """Return when the owner leaves in good order, or when its lease would have ended."""
        patience = max(0.05, min(remaining, LEASE_SECONDS))
        try:
            async with answered_within(patience + COMMAND_TIMEOUT):
                await self._redis.blpop([self._keys.lease_freed], timeout=patience)
        except RedisTimeoutError:
            return

    async def release(self, epoch: int) -> None:
        """Leave in good order and wake a standby. Errors don't matter: the lease ends by itself."""
        try:
            async with answered_within(), self._redis.pipeline(transaction=True) as pipe:
                if await self._redis.hget(self._keys.lease, "epoch") != str(epoch).encode():
                    return
                pipe.delete(self._keys.lease)
                pipe.delete(self._keys.lease_freed)
                pipe.rpush(self._keys.lease_freed, "free")
                pipe.pexpire(self._keys.lease_freed, 10_000)
                await pipe.execute()
        except RedisError:
            return
