"""Ends the lease of a lock, and the waiting of a request for it, when their time is up.

Guarantees: nothing ends before its time, nor while it could not be renewed. After this Manager became the owner, and
after an outage of Redis, a lease first lasts for its whole length again. Time for which this process stood still does
not count, nor does a jump of the machine's clock while an end is awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from queueserver_long_work.patience import Patience

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.lock import locking
from queueserver_manager.domain.lock.lock import Lock, LockRequest
from queueserver_manager.domain.lock.locking import LockStanding
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import Unavailable
from queueserver_manager.operations.commit.ledger import Ledger


class _Wait:
    """Waits for one end at a time, by the clock of the event loop."""

    def __init__(self, start: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._start = start
        self._patience: Patience | None = None
        #: Identity of the awaited end.
        self._end: tuple[str, float] | None = None

    def until(self, end: tuple[str, float], seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run this work after this many seconds, unless that end is awaited already."""
        if end == self._end:
            return
        self.stop()
        self._end = end
        self._patience = Patience(max(0.0, seconds), lambda: self._start(work()))

    def stop(self) -> None:
        """There is nothing to wait for."""
        self._end = None
        if self._patience is not None:
            self._patience.stop()
            self._patience = None


class LockLease:
    """Watches over the lock during one term."""

    def __init__(self, ledger: Ledger, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._now = now
        self._lease = _Wait(self._start)
        self._waiting = _Wait(self._start)
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
        request = lock.request if lock is not None else None
        now = self._now()
        if lock is not None and lock.lease_end:
            self._lease.until((lock.uid, lock.lease_end), lock.lease_end - now, lambda: self._end_lease(lock))
        else:
            self._lease.stop()
        if request is not None:
            self._waiting.until((request.uid, request.end), request.end - now, lambda: self._end_waiting(request))
        else:
            self._waiting.stop()

    async def _end_lease(self, lock: Lock) -> None:
        await self._decide(lambda record: locking.end_lease(record, lock, self._now()))

    async def _end_waiting(self, request: LockRequest) -> None:
        await self._decide(lambda record: locking.end_waiting(record, request))

    async def _decide(self, decide: Callable[[Record], Decision[LockStanding]]) -> None:
        try:
            await self._ledger.submit(decide)
        except Unavailable:
            return

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def close(self) -> None:
        """The term is over."""
        self._lease.stop()
        self._waiting.stop()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
