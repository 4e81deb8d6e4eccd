"""A heartbeat of Redis, and what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from queueserver_manager.domain.storage import Fault
from queueserver_manager.store.connection import Busy
from queueserver_manager.store.heartbeat import Heartbeat
from redis.asyncio import Redis

from tests.harness.wait import bounded

CONNECTIONS = 3


class Heard:
    """What a heartbeat tells."""

    def __init__(self) -> None:
        self.told: list[Fault | None] = []
        self.given_up: list[Fault] = []
        self._changed = asyncio.Event()

    def hear(self, silence: Fault | None) -> None:
        """It tells what is heard."""
        if not self.told or silence != self.told[-1]:
            self.told.append(silence)
            self._changed.set()

    async def next(self) -> Fault | None:
        """What it tells next."""
        await bounded(self._changed.wait())
        self._changed.clear()
        return self.told[-1]


@asynccontextmanager
async def heartbeat(redis: Redis, busy: Busy | None = None) -> AsyncIterator[Heard]:
    """The heartbeat of a Redis, from when it was heard for the first time."""
    heard = Heard()
    beating = asyncio.create_task(Heartbeat(redis, heard.hear, heard.given_up.append, CONNECTIONS, busy).run())
    try:
        assert await heard.next() is None
        yield heard
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await redis.aclose()
