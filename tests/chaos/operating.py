"""The person who keeps the queue running: opens the environment and starts the queue whenever they have stopped."""

from __future__ import annotations

import asyncio
import contextlib

from queueserver_client import AsyncClient, QueueServerError

#: Seconds between two looks at the server, and for a call.
_PAUSE, _TIMEOUT = 0.2, 8.0


async def keep_running(address: str, enough: asyncio.Event) -> None:
    """Open and start until it is enough."""
    async with AsyncClient(address, user="operator", timeout=_TIMEOUT) as client:
        while not enough.is_set():
            # It may be away, or busy with what was asked for already: the next look shows.
            with contextlib.suppress(QueueServerError):
                await _mend(client)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(enough.wait(), _PAUSE)


async def _mend(client: AsyncClient) -> None:
    status = await client.status()
    if not status.environment_exists:
        await client.environment.open(wait=False)
    elif status.items_in_queue and status.running_item_uid is None:
        await client.queue.start()
