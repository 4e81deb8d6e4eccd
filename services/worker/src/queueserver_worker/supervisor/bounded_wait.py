"""Waiting for an event, for a bounded time."""

from __future__ import annotations

import asyncio
import contextlib

from async_timeout import timeout


async def wait_at_most(seconds: float, event: asyncio.Event) -> None:
    """Wait until an event is set, or this time is over."""
    with contextlib.suppress(asyncio.TimeoutError):
        async with timeout(seconds):
            await event.wait()
