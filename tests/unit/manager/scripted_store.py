"""A store in memory that does what a test tells it to: be slow, be away, lose ownership, forget whether it wrote.

For faults that a real Redis can't be made to have at a given moment. What Redis really does is tested with Redis, in
tests/integration/manager/store.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from queueserver_long_work.work import at_once
from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.events import Announcement, Event, announcements_of
from queueserver_manager.domain.limits import ANSWERS, Bound
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.queue.queue_edits import add_items
from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import NO_REPLY, ReplySpec
from queueserver_manager.store.port import Entry, EventsGone, StoredEvent, StoreDown
from queueserver_manager.wire.events import event_bytes

from tests.unit.manager.samples import NOW, plan, record_of, uids

SECONDS = 10.0


class ScriptedStore:
    """Implements the Store protocol."""

    def __init__(self, record: Record) -> None:
        self.stored = copy.deepcopy(record)
        self.log: list[Announcement] = []
        self.commits: list[list[int]] = []
        #: What the next commits raise, and whether they write nevertheless.
        self.faults: list[tuple[Exception, bool]] = []
        self.load_faults: list[Exception] = []
        #: The revision is another one than our last commit left.
        self.is_moved = False
        self._unwritten: tuple[Revisions, Sequence[Entry]] | None = None
        self.events_gone = False
        #: Whether commits hang once they are written (True) or before (False), until whoever waits is cancelled.
        self.hangs: bool | None = None
        self.never = asyncio.Event()
        #: A commit that has begun, and leave for it to go on.
        self.begun = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.up = asyncio.Event()
        self.up.set()

    async def load(self) -> Record:
        if self.load_faults:
            raise self.load_faults.pop(0)
        return copy.deepcopy(self.stored)

    async def commit(self, before: Revisions, after: Revisions, entries: Sequence[Entry]) -> None:
        self.begun.set()
        await self.may_go_on.wait()
        if before != self.stored.revisions:
            assert self.is_moved
            raise StoreDown("the store is not at that revision", fate_known=False)
        fault, writes = self.faults.pop(0) if self.faults else (None, True)
        hangs = self.hangs
        if hangs is False:
            await self.never.wait()
        if writes:
            self._write(after, entries)
        else:
            self._unwritten = (after, entries)
        if hangs:
            await self.never.wait()
        if fault is not None:
            raise fault

    def _write(self, after: Revisions, entries: Sequence[Entry]) -> None:
        self.commits.append([entry.revision for entry in entries])
        for entry in entries:
            for change in entry.changes:
                self.stored.apply(change)
            self.log += entry.announcements
        self.stored.revisions = after

    def write_late(self) -> None:
        """The commit that was not written last reaches the store after all."""
        assert self._unwritten is not None
        self._write(*self._unwritten)
        self.is_moved = True

    def moved_by(self, event: Event) -> None:
        """A hand other than ours makes a change, with this event."""
        self.stored.revisions = replace(self.stored.revisions, last=self.stored.revisions.last + 1)
        self.log += announcements_of(self.stored.revisions.last, NOW, [event])
        self.is_moved = True

    async def events_between(self, after: int, up_to: int) -> list[StoredEvent]:
        if self.events_gone and after < up_to:
            raise EventsGone
        return [
            StoredEvent(one.revision, one.kind, at_once(event_bytes(one)), one.place)
            for one in self.log
            if after < one.revision <= up_to
        ]

    async def wait_until_up(self) -> None:
        await self.up.wait()

    def hang(self, *, writes: bool) -> None:
        """Let the next commit never end."""
        self.hangs = writes

    def fail(self, *, fate_known: bool, writes: bool = False) -> None:
        """Let the next commit fail."""
        self.faults.append((StoreDown("scripted", fate_known=fate_known), writes))


class ScriptedTerm:
    """A ledger at work on a scripted store, and what it announced."""

    def __init__(self, record: Record, answers: Bound = ANSWERS) -> None:
        self.store = ScriptedStore(record)
        self.record = record
        self.announced: list[Announcement] = []
        self.storage: list[bool] = []
        self.clock = NOW
        self.ledger = Ledger(
            self.store, record, lambda: self.clock, self._announce, self._note_storage, answers=answers
        )
        self.work = asyncio.create_task(self.ledger.run())

    async def _announce(self, announcements: list[Announcement]) -> None:
        self.announced += announcements

    def _note_storage(self) -> None:
        self.storage.append(self.ledger.storage_up)

    def add(self, *new: str, expected: int = 0) -> asyncio.Task[Any]:
        """Submit the addition of items to the back."""
        items, reply = [plan(uid) for uid in new], replace(NO_REPLY, expected_revision=expected)
        return self.submit(lambda record: add_items(record, items, Back(), Bound(1000, 10**9)), reply)

    def submit(self, decide: Callable[[Record], Decision[Any]], reply: ReplySpec[Any] = NO_REPLY) -> asyncio.Task[Any]:
        return asyncio.create_task(self.ledger.submit(decide, reply))

    async def seen(self) -> list[str]:
        """The queue as a reader sees it."""
        return await asyncio.wait_for(self.ledger.read(uids), SECONDS)

    async def hold_commit(self, *new: str) -> asyncio.Task[Any]:
        """Submit an addition whose commit begins and waits."""
        self.store.may_go_on.clear()
        self.store.begun.clear()
        task = self.add(*new)
        await asyncio.wait_for(self.store.begun.wait(), SECONDS)
        return task

    async def close(self) -> None:
        """End the work."""
        self.work.cancel()
        with suppress(BaseException):
            await self.work


@asynccontextmanager
async def scripted_term(
    queue: str = "", *, done: int = 0, record: Record | None = None, answers: Bound = ANSWERS
) -> AsyncIterator[ScriptedTerm]:
    """A term that is closed at the end."""
    opened = ScriptedTerm(record if record is not None else record_of(queue, done=done), answers)
    try:
        yield opened
    finally:
        await opened.close()
