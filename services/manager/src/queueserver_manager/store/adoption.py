"""The keys of an older release: given their present names before the first term, in one step.

Guarantees: no Manager of the older release can write afterwards, and one that starts later ends with a sentence
instead of beginning with an empty queue. While one owns the queue, nothing is moved.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import resources

from redis.asyncio import Redis
from redis.exceptions import ClusterCrossSlotError, MovedError, NoPermissionError

from queueserver_manager.store.connection import Busy, answered_within
from queueserver_manager.store.keys import MOVED_SCHEMA, NAMES, Keys
from queueserver_manager.store.loading import StoreUnusable

#: The keys belong to other users, or to other nodes of a cluster.
_OUT_OF_REACH = (NoPermissionError, ClusterCrossSlotError, MovedError)
_log = logging.getLogger(__name__)


class TwoStores(StoreUnusable):
    """There is a store under the old names and one under the present names."""


@dataclass(frozen=True, slots=True)
class OldOwner:
    """A Manager of an older release that owns the queue, and for how many seconds."""

    address: str
    remaining: float
    epoch: int


class Adoption:
    """Moves what an older release stored under a prefix."""

    def __init__(self, redis: Redis, prefix: str, instance: str, busy: Busy | None = None) -> None:
        self._keys, self._old = Keys(prefix), Keys(prefix, tagged=False)
        self._instance = instance
        self._busy = busy
        self._script = redis.register_script(resources.files(__package__).joinpath("adopt.lua").read_bytes())
        self._is_needed = self._keys.base != self._old.base

    async def adopt(self, dead_epoch: int = 0) -> OldOwner | None:
        """Move what is there, unless the owner that is returned still works on it; that of ``dead_epoch`` has died.

        Raises redis.RedisError, TwoStores.
        """
        if not self._is_needed:
            return None
        keys, old = self._keys, self._old
        pairs = [
            name for one in (*sorted(NAMES - {"meta"}), "meta") for name in (getattr(old, one), getattr(keys, one))
        ]
        try:
            async with answered_within(busy=self._busy):
                said, *about = await self._script(
                    keys=[old.lease, old.meta, keys.meta, *pairs], args=[self._instance, MOVED_SCHEMA, dead_epoch or ""]
                )
        except _OUT_OF_REACH:
            # A Redis that keeps us from them kept an older release from writing them for us.
            self._is_needed = False
            _log.info(
                "Keys that begin with %s: are out of reach here: no store of an older release is looked for", old.base
            )
            return None
        if said == b"BOTH":
            raise TwoStores(
                f"Redis holds two stores: {keys.base}:… and, written by an older release, {old.base}:…. Nothing is "
                f"changed: delete all keys that begin with '{keys.base}:', or all that begin with '{old.base}:', to "
                "give up what is in them; then start again."
            )
        if said != b"HELD":
            return None
        address, milliseconds, epoch = about
        return OldOwner(address.decode(), max(0.0, int(milliseconds) / 1000), int(epoch))


async def keys_in_use(redis: Redis, prefix: str) -> Keys:
    """The names under which a server has its store now. Raises redis.RedisError."""
    keys, old = Keys(prefix), Keys(prefix, tagged=False)
    if keys.base == old.base:
        return keys
    try:
        async with answered_within():
            schema = await redis.hget(old.meta, "schema")
    except _OUT_OF_REACH:
        return keys
    return old if schema is not None and int(schema) < MOVED_SCHEMA else keys
