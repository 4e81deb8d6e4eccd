"""Work of our own that Redis has to store, however long it is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from queueserver_manager.domain.refusals.errors import StorageUnavailable
from queueserver_manager.operations.commit.ledger import Ledger

T = TypeVar("T")


async def until_stored(ledger: Ledger, attempt: Callable[[], Awaitable[T]]) -> T:
    """Attempt it, and again each time Redis is back, until it succeeds. Raises NotReady when the term has ended."""
    while True:
        try:
            return await attempt()
        except StorageUnavailable:
            await ledger.storage_back.wait()
