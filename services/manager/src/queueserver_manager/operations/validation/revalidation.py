"""Checks the queue again whenever plans, devices or permissions have changed, in the background and in time slices.

Also when that may have been missed: at the start, when Redis is back, and when items that were checked before
a change enter the queue after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from queueserver_long_work.time_slice import TimeSlice

from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.refusals.errors import NotReady, StorageUnavailable, Violation
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.revalidation import flag_items, problems_of
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.until_stored import until_stored

#: Findings that are stored in one step, and bytes of their items, which are written again: a few milliseconds.
_STEP, _STEP_BYTES = 200, 256 * 1024
_log = logging.getLogger(__name__)
_Findings = list[tuple[Item, tuple[Violation, ...]]]


class QueueCheck:
    """One check at a time; a change during it restarts it."""

    def __init__(self, ledger: Ledger, allowed_for: Callable[[str], AllowedInventory]) -> None:
        self._ledger = ledger
        self._allowed_for = allowed_for
        self._job: asyncio.Task[None] | None = None
        self._single: set[asyncio.Task[None]] = set()
        self._again = False

    def look(self) -> None:
        """Plans, devices or permissions changed."""
        if self._job is not None:
            self._again = True
            return
        self._job = asyncio.get_running_loop().create_task(self._run())
        self._job.add_done_callback(self._done)

    def look_at(self, item: Item) -> None:
        """One item came back into the queue, and was not in it when the others were checked."""
        problems = problems_of(item, self._allowed_for)
        if problems != item.problems:
            job = asyncio.get_running_loop().create_task(self._flag_one(item, problems))
            self._single.add(job)
            job.add_done_callback(self._single.discard)

    async def settled(self) -> None:
        """Wait until no check is running."""
        while jobs := [*self._single, *([self._job] if self._job is not None else [])]:
            await asyncio.wait(jobs)

    async def close(self) -> None:
        """Stop checking."""
        for job in self._single:
            job.cancel()
        if self._job is not None:
            self._job.cancel()
        await self.settled()

    def _done(self, job: asyncio.Task[None]) -> None:
        self._job = None
        if not job.cancelled() and job.exception() is not None:
            _log.error("the queue could not be checked", exc_info=job.exception())
        elif self._again and not job.cancelled():
            # Requested after the last pass and before this.
            self.look()

    async def _run(self) -> None:
        with suppress(NotReady):
            await until_stored(self._ledger, self._pass)
            while self._again:
                await until_stored(self._ledger, self._pass)

    async def _pass(self) -> None:
        self._again = False
        await self._check(await self._ledger.read(lambda record: record.queue.snapshot()))

    async def _check(self, items: Iterable[Item]) -> None:
        time_slice, size = TimeSlice(), 0
        findings: _Findings = []
        for item in items:
            if self._again:
                return
            problems = problems_of(item, self._allowed_for)
            if problems != item.problems:
                findings.append((item, problems))
                size += item.size
            if len(findings) >= _STEP or size >= _STEP_BYTES:
                await self._flag(findings)
                findings, size = [], 0
            await time_slice.yield_if_due()
        await self._flag(findings)

    async def _flag_one(self, item: Item, problems: tuple[Violation, ...]) -> None:
        try:
            await self._flag([(item, problems)])
        except (StorageUnavailable, NotReady):
            # Everything is checked when Redis is back, and when the next term begins.
            return

    async def _flag(self, findings: _Findings) -> None:
        if findings:
            await self._ledger.submit(lambda record: flag_items(record, findings))
