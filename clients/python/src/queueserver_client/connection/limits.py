"""How long a caller waits for something that has no end of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import async_timeout
import grpc

from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import DeadlineExceeded

_T = TypeVar("_T")


async def awaited(work: Awaitable[_T], timeout: float | None, what: str) -> _T:
    """The result of ``work``. Raises DeadlineExceeded if it takes longer; only the waiting ends then."""
    try:
        async with async_timeout.timeout(timeout):
            return await work
    except DeadlineExceeded:
        raise  # it says itself what was too late
    except asyncio.TimeoutError:
        message = f"{what} has not ended within {timeout:g} seconds. It continues: wait again, or longer."
        raise DeadlineExceeded(Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "", message)) from None
