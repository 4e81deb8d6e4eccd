"""Faults of a single Redis."""

from __future__ import annotations

from tests.chaos.faults.chance import Chance, Fault, stopped
from tests.chaos.stores import OneRedis
from tests.harness.full_disk import disk_full_for


class OneRedisFaults:
    """What is done to it."""

    def __init__(self, store: OneRedis, chance: Chance) -> None:
        self._redis = store.redis
        self._chance = chance
        self.kinds: dict[Fault, int] = {self._kill: 3, self._end: 1, self._stop: 2, self._fill_disk: 1}

    def _kill(self) -> str:
        self._redis.kill()
        seconds = self._chance.for_a_while()
        self._redis.start()
        return f"kill -9 redis, back after {seconds:.2f} s"

    def _end(self) -> str:
        self._redis.stop()
        self._redis.start()
        return "SIGTERM redis"

    def _stop(self) -> str:
        with stopped(self._redis.pid):
            seconds = self._chance.for_a_while()
        return f"SIGSTOP redis for {seconds:.2f} s"

    def _fill_disk(self) -> str:
        with disk_full_for(self._redis.pid):
            seconds = self._chance.for_a_while()
        if self._redis.running:
            return f"disk full for redis for {seconds:.2f} s"
        # With appendfsync always, it ends rather than to accept what it can't store.
        self._redis.kill()
        self._redis.start()
        return f"disk full for redis for {seconds:.2f} s, which redis left"
