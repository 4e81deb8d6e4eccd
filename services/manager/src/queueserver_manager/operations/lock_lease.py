"""Ends by itself what is to end by itself: the lease of a lock, and the waiting of a request for it.

Guarantees: nothing ends before its time, nor while nobody could renew it. After this Manager has become the owner, and
after an outage of Redis, a lease lasts for another while first. Time for which this process stood still does not count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from queueserver_rpc.patience import Patience

from queueserver_manager.domain import locking
from queueserver_manager.domain.errors import Unavailable
from queueserver_manager.domain.lock import Lock
from queueserver_manager.operations.ledger import Ledger


class LockLease:
    """Watches over the lock during one term."""

    def __init__(self, ledger: Ledger, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._now = now
        self._patience: Patience | None = None
        #: The lock whose next end is waited for.
        self._watched: Lock | None = None
        #: The holder has had time to renew the lease since Redis takes changes.
        self._time_given = False
        self._jobs: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Redis takes changes (again): give the holder time to renew the lease, then watch."""
        try:
            await self._ledger.submit(lambda record: locking.give_time(record, self._now()))
        except Unavailable:
            # It is called again when Redis is back, or the term is over.
            return
        self._time_given = True
        self.look()

    def storage_changed(self) -> None:
        """Redis went away, or came back."""
        self._time_given = False
        self.look()
        if self._ledger.storage_up:
            self._start(self.begin())

    def look(self) -> None:
        """The lock may have changed."""
        lock = self._ledger.summary.lock if self._time_given else None
        if lock is self._watched:
            return
        self._watched = lock
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        if lock is not None and lock.next_end:
            left = max(0.0, lock.next_end - self._now())
            self._patience = Patience(left, lambda: self._start(self._end(lock)))

    async def _end(self, lock: Lock) -> None:
        try:
            await self._ledger.submit(lambda record: locking.end_by_itself(record, lock, self._now()))
        except Unavailable:
            return

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def close(self) -> None:
        """The term is over."""
        if self._patience is not None:
            self._patience.stop()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
