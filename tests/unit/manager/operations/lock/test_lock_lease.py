"""When the lease of a lock, or the waiting of a request, ends by itself: to the second, on a clock that leaps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from queueserver_manager.domain.events import LockChange, LockChanged
from queueserver_manager.domain.lock import locking
from queueserver_manager.domain.lock.lock import Claim, Lock, LockKey
from queueserver_manager.domain.lock.locking import Identity
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.lock.lock_lease import LockLease

from tests.unit.manager.leaping_clock import run_leaping
from tests.unit.manager.samples import record_of
from tests.unit.manager.scripted_store import ScriptedTerm, scripted_term

ANNA, BOB = LockKey("annas key"), LockKey("bobs key")
SALT = b"s" * 16
CLAIM = Claim(environment=True, queue=False, user="anna", note="", time=0.0, lease=60.0)


class Desk:
    """A term whose lock is watched; its clock is that of the loop."""

    def __init__(self, o: ScriptedTerm) -> None:
        self.current_term = o
        self.lease = LockLease(o.ledger, self.now)
        #: By how much the clock of the machine is ahead.
        self.leap = 0.0
        #: What happened to the lock, and when.
        self.told: list[tuple[float, LockChange]] = []
        self.news = asyncio.Event()
        o._announce = self._announce  # type: ignore[method-assign]
        o.ledger._on_commit = self._announce
        o.ledger._on_storage = self.lease.storage_changed
        o.ledger._now = self.now

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self.leap

    async def _announce(self, announcements: list[Any]) -> None:
        for announcement in announcements:
            if isinstance(announcement.event, LockChanged):
                self.told.append((round(self.now(), 3), announcement.event.change))
        self.lease.look()
        self.news.set()

    async def until(self, change: LockChange) -> float:
        """When this happened; nothing else happens meanwhile."""
        while not self.told or self.told[-1][1] is not change:
            self.news.clear()
            await self.news.wait()
        return self.told[-1][0]

    async def acquire(self, lease: float = 60.0) -> None:
        claim = replace(CLAIM, time=self.now(), lease=lease)
        await self.current_term.submit(lambda record: locking.acquire(record, claim, ANNA, Identity("held", SALT)))

    async def ask(self, wait: float = 100.0) -> None:
        claim = replace(CLAIM, user="bob", time=self.now())
        await self.current_term.submit(lambda record: locking.ask(record, claim, BOB, Identity("asked", SALT), wait))

    async def renew(self) -> None:
        now = self.now()
        await self.current_term.submit(lambda record: locking.renew(record, ANNA, "anna", now))


@asynccontextmanager
async def desk(record: Record | None = None) -> AsyncIterator[Desk]:
    async with scripted_term(record=record if record is not None else record_of("")) as o:
        opened = Desk(o)
        await opened.lease.begin()
        yield opened
        await opened.lease.close()


def leaping(work: Coroutine[Any, Any, None]) -> None:
    run_leaping(work)


def test_a_lease_that_is_not_renewed_ends_after_its_time() -> None:
    async def work() -> None:
        async with desk() as d:
            await d.acquire()
            assert await d.until(LockChange.EXPIRED) == 60.0
            assert d.current_term.record.lock is None

    leaping(work())


def test_each_renewal_begins_the_time_again() -> None:
    async def work() -> None:
        async with desk() as d:
            await d.acquire()
            for _ in range(3):
                asyncio.get_running_loop().call_later(50.0, d.news.set)
                d.news.clear()
                await d.news.wait()
                await d.renew()
            assert await d.until(LockChange.EXPIRED) == 210.0

    leaping(work())


def test_a_request_ends_first_if_its_time_is_shorter_and_the_lease_goes_on() -> None:
    async def work() -> None:
        async with desk() as d:
            await d.acquire()
            await d.ask(wait=20.0)
            assert await d.until(LockChange.REQUEST_EXPIRED) == 20.0
            assert await d.until(LockChange.EXPIRED) == 60.0

    leaping(work())


def test_who_asks_has_the_lock_when_the_lease_ends_and_then_it_is_his_lease_that_counts() -> None:
    async def work() -> None:
        async with desk() as d:
            await d.acquire()
            await d.ask()
            assert await d.until(LockChange.TAKEN_OVER) == 60.0
            assert await d.until(LockChange.EXPIRED) == 120.0

    leaping(work())


def test_a_lease_that_ended_while_no_manager_was_there_lasts_for_half_a_minute() -> None:
    async def work() -> None:
        record = record_of("")
        record.lock = Lock("held", replace(CLAIM, time=-500.0), lease_end=-440.0, key=ANNA.digest(SALT))
        async with desk(record) as d:
            assert await d.until(LockChange.EXTENDED) == 0.0
            assert await d.until(LockChange.EXPIRED) == 30.0

    leaping(work())


def test_nothing_ends_while_redis_is_away_and_then_the_holder_has_half_a_minute() -> None:
    async def work() -> None:
        async with desk() as d:
            await d.acquire()
            d.current_term.store.up.clear()
            d.current_term.store.fail(fate_known=True)
            assert isinstance((await asyncio.gather(d.renew(), return_exceptions=True))[0], Exception)
            asyncio.get_running_loop().call_later(1000.0, d.current_term.store.up.set)
            assert await d.until(LockChange.EXTENDED) == 1000.0
            assert d.told[:-1] == [(0.0, LockChange.ACQUIRED)]
            assert await d.until(LockChange.EXPIRED) == 1030.0

    leaping(work())


def test_an_end_that_could_not_be_stored_is_no_end() -> None:
    async def work() -> None:
        async with desk() as d:
            await d.acquire()
            d.current_term.store.up.clear()
            d.current_term.store.fail(fate_known=True)
            asyncio.get_running_loop().call_later(100.0, d.current_term.store.up.set)
            assert await d.until(LockChange.EXTENDED) == 100.0
            assert await d.until(LockChange.EXPIRED) == 130.0

    leaping(work())


@pytest.mark.parametrize("leap", [3600.0, -3600.0])
def test_a_clock_that_leaps_neither_ends_a_lease_nor_makes_it_longer_when_somebody_asks(leap: float) -> None:
    async def work() -> None:
        async with desk() as d:
            await d.acquire()
            d.leap = leap
            await d.ask(wait=20.0)
            assert await d.until(LockChange.REQUEST_EXPIRED) == 20.0 + leap
            assert await d.until(LockChange.EXPIRED) == 60.0 + leap

    leaping(work())
