"""A Manager in the test's own process, so that a test can put something into it; its Redis is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from queueserver_client import AsyncClient
from queueserver_manager.app import Manager
from queueserver_manager.settings import parse

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded


@asynccontextmanager
async def manager_here(redis: RedisProcess, directory: Path) -> AsyncIterator[AsyncClient]:
    """A client of a Manager in this process, which owns the queue and whose Worker is never there."""
    worker = f"unix:{directory / 'worker.sock'}"
    manager = Manager(parse(["--listen", "127.0.0.1:0", "--redis", redis.url, "--worker", worker]))
    running = asyncio.create_task(manager.run())
    try:
        # A Manager listens before it waits for anything, so it does after one turn.
        listening = asyncio.Event()
        asyncio.get_running_loop().call_soon(listening.set)
        await listening.wait()
        async with AsyncClient(manager._address) as connected:
            await bounded(connected.queue.set_mode(loop=True))
            yield connected
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
