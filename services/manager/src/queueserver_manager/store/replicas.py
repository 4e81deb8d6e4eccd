"""Which replicas have to have a change before it counts as stored.

Guarantees: what was confirmed is in every server that may become the primary, even if the old one lives on meanwhile.
So each replica that follows has to confirm, not only as many as were asked for. One that is promoted leaves at that
moment, and as long as that may be the reason, nothing is confirmed. Does not guarantee it if the others are not told of
the new primary within ``LEFT_SECONDS``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.store.connection import COMMAND_TIMEOUT, Busy, answered_within
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.script_connection import ScriptConnection, address_of

#: Seconds that a change may take to reach the replicas.
_SECONDS = 1.0
#: Seconds for which a replica that left may be the new primary, without the others being told.
LEFT_SECONDS = 10.0


class TooFewReplicasError(RedisError):
    """A change is in the primary only, or not in all servers that may become the primary."""


class Replicas:
    """Waits until enough replicas have what was written; with a number of 0 for nothing. Of one term."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        #: When each was seen to follow for the last time, by address; and those that are stored.
        self._seen: dict[str, float] = {}
        self._stored: frozenset[str] = frozenset()

    async def have_commit(self, line: ScriptConnection, redis: Redis, keys: Keys, more_seconds: float) -> None:
        """Return once they have the last commit of a connection. Raises redis.RedisError, TooFewReplicasError."""
        if not self._number:
            return
        wanted = self._wanted()
        role, confirmed = await line.confirmed_by(wanted, _SECONDS + more_seconds)
        self._see(role, line.server)
        if self._wanted() > wanted:
            _, confirmed = await line.confirmed_by(self._wanted(), _SECONDS + more_seconds)
        if self._stored != frozenset(self._seen):
            async with answered_within():
                await self._store(redis, keys)
        self._require(confirmed)

    async def have_all(self, redis: Redis, keys: Keys, epoch: int, busy: Busy) -> None:
        """Return once they have all that is in the primary. Raises redis.RedisError, TooFewReplicasError."""
        if not self._number:
            return
        async with answered_within(_SECONDS + COMMAND_TIMEOUT, busy), redis.client() as client:
            self._know(await client.hget(keys.meta, "replicas"))
            role: Any = await client.execute_command("ROLE")  # type: ignore[no-untyped-call] # it has no types
            self._see(role, address_of(client.connection))
            # Replicas get changes in their order: what has this one has all before it.
            await client.hset(keys.meta, "confirmed_by", str(epoch))
            await self._store(client, keys)
            confirmed = await client.wait(self._wanted(), round(_SECONDS * 1000))
        try:
            self._require(confirmed)
        except TooFewReplicasError:
            # Another server may have become the primary, and this one may not know it.
            await redis.connection_pool.disconnect()
            raise

    def _know(self, stored: bytes | str | None) -> None:
        """What the owner before us saw may have left just before our term."""
        now = time.monotonic()
        if not self._stored:
            self._seen = {**dict.fromkeys(json.loads(stored or b"[]"), now), **self._seen}

    def _see(self, role: Any, server: str) -> None:
        """Note who follows the server now, by its answer to ROLE, and forget those that left long ago."""
        now = time.monotonic()
        self._seen.update(dict.fromkeys(_followers(role), now))
        # A replica that became our primary does not follow itself.
        self._seen.pop(server, None)
        self._seen = {one: seen for one, seen in self._seen.items() if now - seen <= LEFT_SECONDS}

    async def _store(self, redis: Redis, keys: Keys) -> None:
        await redis.hset(keys.meta, "replicas", json.dumps(sorted(self._seen)))
        self._stored = frozenset(self._seen)

    def _wanted(self) -> int:
        return max(self._number, len(self._seen))

    def _require(self, confirmed: int) -> None:
        if confirmed < self._wanted():
            raise TooFewReplicasError(f"{confirmed} of {self._wanted()} replicas have confirmed a change")


def _followers(role: Any) -> Iterable[str]:
    kind, _, *rest = role
    for host, port, _ in rest[0] if kind == b"master" else ():
        yield f"{host.decode()}:{port.decode()}"
