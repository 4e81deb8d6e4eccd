"""Where the Managers store: one Redis, or three of them with Sentinels."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Protocol

import redis

from tests.harness.process import ProcessError, TestProcess
from tests.harness.redis import RedisProcess
from tests.harness.redis_group import Sentinels

#: Seconds until the replicas must follow the primary again, for one attempt to confirm that, and before the next one.
_WHOLE, _ATTEMPT, _PAUSE = 120.0, 20.0, 0.1


class Store(Protocol):
    """What faults of everything at once need of it."""

    @property
    def url(self) -> str:
        """Where Managers find it."""

    def processes(self) -> dict[str, TestProcess]:
        """Its processes that hold data, by name."""

    def settle(self) -> None:
        """Return when it can lose any one of its parts."""

    def come_back(self) -> None:
        """Start all its processes again, which were killed; returns when they listen."""

    def close(self) -> None:
        """End it."""


class OneRedis:
    """A single redis-server."""

    def __init__(self, server: RedisProcess) -> None:
        self.redis = server
        self.url = server.url

    def processes(self) -> dict[str, TestProcess]:
        """Its processes that hold data, by name."""
        return {"redis": self.redis.process}

    def settle(self) -> None:
        """There is nothing to wait for."""

    def come_back(self) -> None:
        """Start it again."""
        self.redis.kill()
        self.redis.start()

    def close(self) -> None:
        """End it."""
        self.redis.close()


class RedisGroup:
    """A primary, two replicas, three Sentinels."""

    def __init__(self, directory: Path) -> None:
        self.group = Sentinels(directory, failover_milliseconds=1000)
        self.url = self.group.url
        self._never = threading.Event()

    def processes(self) -> dict[str, TestProcess]:
        """Its processes that hold data, by name."""
        return {f"redis {number}": server.process for number, server in enumerate(self.group.servers)}

    def settle(self) -> None:
        """Return when the Sentinels agree on a primary, and both replicas follow it. Raises ProcessError."""
        deadline = time.monotonic() + _WHOLE
        while not self._is_whole():
            if time.monotonic() > deadline:
                raise ProcessError(f"two replicas do not follow a primary after {_WHOLE:.0f} s")
            self._never.wait(_PAUSE)

    def _is_whole(self) -> bool:
        try:
            with self.group.primary().connect() as primary:
                primary.set("settled", "yes")
                followed = int(primary.execute_command("WAIT", 2, round(_ATTEMPT * 1000))) == 2
            return followed and self.group.agreed()
        except redis.RedisError:
            return False

    def come_back(self) -> None:
        """Start all servers again."""
        for server in self.group.servers:
            server.restart()

    def close(self) -> None:
        """End it."""
        self.group.close()
