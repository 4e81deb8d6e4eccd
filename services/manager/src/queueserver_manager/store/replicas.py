"""Which replicas have to have a change before it counts as stored.

Guarantees: what was confirmed is in every server that may become the primary, even if the old one lives on meanwhile.
So each replica that follows has to confirm, not only as many as were asked for. With Sentinels, none of them may have
begun a failover when the replicas have confirmed: a later failover chooses among servers that have the change.

Without Sentinels, or if the one that replaces it can't be asked: a replica that is promoted leaves at that moment, and
as long as that may be the reason, nothing is confirmed. That is no guarantee for a replica that joined and left between
two changes, and if the others are not told of the new primary within ``LEFT_SECONDS``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.store.connection import COMMAND_TIMEOUT, Busy, answered_within
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.primary.moving_primary import require_primary
from queueserver_manager.store.primary.sentinels import PrimaryInDoubtError
from queueserver_manager.store.script_connection import ScriptConnection, address_of

#: Seconds that a change may take to reach the replicas.
_SECONDS = 1.0
#: Seconds for which a replica that left may be the new primary, without the others being told.
LEFT_SECONDS = 10.0


class TooFewReplicasError(RedisError):
    """A change is in the primary only, or not in all servers that may become the primary."""


class Replicas:
    """Waits until enough replicas have what was written; with a number of 0 for nothing. Of one term."""

    def __init__(self, number: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._number = number
        self._now = now
        #: Those that follow or may be the new primary, by address: since when each is missing, None if it follows.
        self._away_since: dict[str, float | None] = {}
        #: Which of them are stored, for the next owner.
        self._stored: frozenset[str] = frozenset()

    async def have_commit(self, line: ScriptConnection, redis: Redis, keys: Keys, more_seconds: float) -> None:
        """Return once they have the last commit of a connection. Raises redis.RedisError."""
        if not self._number:
            return
        wanted = self._wanted()
        role, confirmed = await line.confirmed_by(wanted, _SECONDS + more_seconds)
        self._see(role, line.server)
        if self._stored != frozenset(self._away_since):
            await line.send("HSET", keys.meta, "replicas", self._addresses())
            self._stored = frozenset(self._away_since)
            wanted = -1
        if self._wanted() > wanted:
            _, confirmed = await line.confirmed_by(self._wanted(), _SECONDS + more_seconds)
        self._require(confirmed)
        await require_primary(redis, line.server)

    async def have_all(self, redis: Redis, keys: Keys, epoch: int, busy: Busy) -> None:
        """Return once they have all that is in the primary. Raises redis.RedisError."""
        if not self._number:
            return
        async with answered_within(_SECONDS + COMMAND_TIMEOUT, busy), redis.client() as client:
            self._know(await client.hget(keys.meta, "replicas"))
            role: Any = await client.execute_command("ROLE")  # type: ignore[no-untyped-call] # it has no types
            server = address_of(client.connection)
            self._see(role, server)
            # Replicas get changes in their order: what has this one has all before it.
            await client.hset(keys.meta, mapping={"confirmed_by": str(epoch), "replicas": self._addresses()})
            self._stored = frozenset(self._away_since)
            confirmed = await client.wait(self._wanted(), round(_SECONDS * 1000))
        try:
            self._require(confirmed)
            await require_primary(redis, server)
        except (TooFewReplicasError, PrimaryInDoubtError):
            # Another server may have become the primary, and this one may not know it.
            await redis.connection_pool.disconnect()
            raise

    def _know(self, stored: bytes | str | None) -> None:
        """What the owner before us saw may have left just before our term."""
        if not self._stored:
            self._away_since = {**dict.fromkeys(json.loads(stored or b"[]"), self._now()), **self._away_since}

    def _see(self, role: Any, server: str) -> None:
        """Note who follows the server now, by its answer to ROLE, and forget those that left long ago."""
        now, followers = self._now(), frozenset(_followers(role))
        # A replica that became our primary does not follow itself.
        known = {*self._away_since, *followers} - {server}
        since = {one: None if one in followers else self._away_since.get(one) or now for one in known}
        self._away_since = {one: left for one, left in since.items() if left is None or now - left <= LEFT_SECONDS}

    def _addresses(self) -> str:
        return json.dumps(sorted(self._away_since))

    def _wanted(self) -> int:
        return max(self._number, len(self._away_since))

    def _require(self, confirmed: int) -> None:
        if confirmed < self._wanted():
            raise TooFewReplicasError(f"{confirmed} of {self._wanted()} replicas have confirmed a change")


def _followers(role: Any) -> Iterable[str]:
    kind, _, *rest = role
    for host, port, _ in rest[0] if kind == b"master" else ():
        yield f"{host.decode()}:{port.decode()}"
