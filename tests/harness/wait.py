"""Waiting in tests: on what a client's Watch tells, with a bound, and never by asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

#: Generous: it only decides how long a broken test takes to fail.
SECONDS = 30.0


async def first(events: AsyncIterable[T], wanted: Callable[[T], bool], within: float = SECONDS) -> T:
    """First of ``events`` that is ``wanted``; AssertionError with the others if it does not come in time."""
    others: list[T] = []

    async def look() -> T | None:
        async for event in events:
            if wanted(event):
                return event
            others.append(event)
        return None

    try:
        found = await asyncio.wait_for(look(), within)
    except asyncio.TimeoutError:
        found = None
    if found is None:
        raise AssertionError(f"what was waited for did not come within {within:.0f} s; instead came {others[-20:]}")
    return found


async def bounded(awaitable: Awaitable[T], within: float = SECONDS) -> T:
    """What ``awaitable`` gives; AssertionError if it takes too long."""
    try:
        return await asyncio.wait_for(awaitable, within)
    except asyncio.TimeoutError:
        raise AssertionError(f"it took longer than {within:.0f} s") from None
