"""How many replicas have to have a change before it counts as stored."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.store.connection import COMMAND_TIMEOUT, Busy, answered_within
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.script_connection import ScriptConnection

#: Seconds that a change may take to reach the replicas.
_SECONDS = 1.0


class TooFewReplicasError(RedisError):
    """A change is in the primary only, and would be lost with it."""


class Replicas:
    """Waits until enough replicas have what was written; with a number of 0 for nothing."""

    def __init__(self, number: int = 0) -> None:
        self._number = number

    async def have_commit(self, line: ScriptConnection, more_seconds: float) -> None:
        """Return once they have the last commit of a connection. Raises redis.RedisError, TooFewReplicasError."""
        if self._number:
            self._require(await line.confirmed_by(self._number, _SECONDS + more_seconds))

    async def have_all(self, redis: Redis, keys: Keys, epoch: int, busy: Busy) -> None:
        """Return once they have all that is in the primary. Raises redis.RedisError, TooFewReplicasError."""
        if not self._number:
            return
        async with answered_within(_SECONDS + COMMAND_TIMEOUT, busy), redis.pipeline(transaction=False) as pipe:
            # Replicas get changes in their order: what has this one has all before it.
            pipe.hset(keys.meta, "confirmed_by", epoch)
            pipe.execute_command("WAIT", self._number, round(_SECONDS * 1000))
            answers: list[Any] = await pipe.execute()
        try:
            self._require(int(answers[-1]))
        except TooFewReplicasError:
            # Another server may have become the primary, and this one may not know it.
            await redis.connection_pool.disconnect()
            raise

    def _require(self, confirmed: int) -> None:
        if confirmed < self._number:
            raise TooFewReplicasError(f"{confirmed} of {self._number} replicas have confirmed a change")
