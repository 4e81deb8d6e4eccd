"""What this Manager knows to be stored, from one of its terms to the next: a Redis may come back without some of it."""

from __future__ import annotations

import logging
from typing import Protocol

from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.store.redis import RedisStore

_log = logging.getLogger(__name__)


class Stored(Protocol):
    """Which store, and its revisions."""

    @property
    def store_id(self) -> str:
        """Its identity."""

    @property
    def revisions(self) -> Revisions:
        """As they were committed."""


class KnownStore:
    """The last change that was stored, as far as this process knows."""

    def __init__(self) -> None:
        self._store_id, self._revision = "", 0

    def note(self, stored: Stored) -> None:
        """A term has ended."""
        self._store_id, self._revision = stored.store_id, stored.revisions.last

    async def load(self, store: RedisStore) -> tuple[Record, bool]:
        """The record, and whether changes were lost. Raises StoreDown, StoreUnusable.

        Then it is a store of another identity: who watched its changes must not take later ones for those.
        """
        record = await store.load()
        if record.store_id != self._store_id or record.revisions.last >= self._revision:
            return record, False
        _log.error(
            "Redis has lost changes: it is at revision %d, and %d was stored. The queue is stopped and autostart is "
            "off: compare queue and history with what was done, then start the queue (docs/how-to/redis.md).",
            *(record.revisions.last, self._revision),
        )
        await store.renew_identity()
        return await store.load(), True
