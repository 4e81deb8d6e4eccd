"""Faults of a Redis primary with replicas: Sentinels replace it, and it comes back."""

from __future__ import annotations

import redis

from tests.chaos.faults.chance import Chance, Fault, stopped
from tests.chaos.stores import RedisGroup

#: Seconds: shorter and longer than the Sentinels need to take the primary for dead and to replace it.
_SHORT, _LONG = 0.3, 6.0


class RedisGroupFaults:
    """One at a time: the next one waits until the group is whole, so that one of its servers may fail."""

    def __init__(self, store: RedisGroup, chance: Chance) -> None:
        self._store = store
        self._group = store.group
        self._chance = chance
        self.kinds: dict[Fault, int] = {
            self._kill_primary: 4,
            self._stop_primary: 3,
            self._fail_over: 3,
            self._kill_replica: 1,
            self._stop_replica: 1,
        }

    def _kill_primary(self) -> str:
        self._store.settle()
        before = self._group.primary()
        before.process.kill()
        seconds = self._chance.for_a_while(_SHORT, _LONG)
        before.restart()
        return f"kill -9 the primary, back after {seconds:.2f} s, {self._what_came_of(before.port)}"

    def _stop_primary(self) -> str:
        self._store.settle()
        before = self._group.primary()
        with stopped(before.process.pid):
            seconds = self._chance.for_a_while(_SHORT, _LONG)
        return f"SIGSTOP the primary for {seconds:.2f} s, {self._what_came_of(before.port)}"

    def _fail_over(self) -> str:
        self._store.settle()
        try:
            self._group.fail_over()
        except redis.ResponseError as error:
            return f"SENTINEL FAILOVER, refused: {error}"
        return "SENTINEL FAILOVER"

    def _replica(self) -> int:
        primary = self._group.primary().port
        replicas = [number for number, server in enumerate(self._group.servers) if server.port != primary]
        return self._chance.one_of(replicas)

    def _kill_replica(self) -> str:
        self._store.settle()
        server = self._group.servers[self._replica()]
        server.process.kill()
        seconds = self._chance.for_a_while()
        server.restart()
        return f"kill -9 a replica, back after {seconds:.2f} s"

    def _stop_replica(self) -> str:
        self._store.settle()
        with stopped(self._group.servers[self._replica()].process.pid):
            seconds = self._chance.for_a_while()
        return f"SIGSTOP a replica for {seconds:.2f} s"

    def _what_came_of(self, port: int) -> str:
        return "still the primary" if self._group.primary().port == port else "replaced"
