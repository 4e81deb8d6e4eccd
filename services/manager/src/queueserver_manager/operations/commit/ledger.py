"""The one writer of the record: decide, commit, announce.

A caller that wants a change submits a decision, a function from the record to changes. The ledger takes all decisions
that are waiting, applies them one after another to the working copy, commits them to the store in one atomic step,
and only then announces them and answers. So decisions never overlap, each sees those before it, and a hundred
waiting clients cost one round trip to Redis instead of a hundred.

If the commit fails, every change of the step is undone and every caller in it is told. If it is not known
whether it took effect, the record is loaded again as soon as the store answers; if the ledger is ended during it, these
callers are interrupted, too. A decision that can't be applied is refused alone; any other defect ends the ledger, and
with it the term: the next one begins from what is stored.

Long work runs in time slices: deciding, changing the record, undoing that, and announcing it.

Readers see committed state only: while a commit is under way, a read waits for its end. While the store is down
reads are answered from memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar

from queueserver_long_work.time_slice import TimeSlice, in_time_slices, next_turn_after

from queueserver_manager.domain.changes import Change, ForgetAnswers, ForgetRequests, RememberRequest, size_of
from queueserver_manager.domain.events import Announcement, announcements_of
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.limits import ANSWERS, Bound
from queueserver_manager.domain.lock.lock_errors import Locked
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.record import Record, Undo
from queueserver_manager.domain.refusals.errors import (
    Conflict,
    NotReady,
    Refused,
    RequestIdReused,
    StorageUnavailable,
    WrongState,
)
from queueserver_manager.domain.requests import AnsweredRequest
from queueserver_manager.domain.storage import Fault
from queueserver_manager.operations.commit.commit_batch import (
    CommitBatch,
    Committed,
    Decide,
    PendingDecision,
    caller_may_have_left,
    refuse,
    sent_of,
    take_back,
)
from queueserver_manager.operations.commit.reply import NO_REPLY, ReplySpec
from queueserver_manager.operations.commit.storage import StorageWatch
from queueserver_manager.operations.commit.summary import summary_of
from queueserver_manager.store.port import Entry, EventsGone, OwnershipLost, Store, StoredEvent, StoreDown

T = TypeVar("T")
#: A commit takes no further decision beyond this many changes or bytes, so that a small edit never waits long behind a
#: flood of others.
_CHANGES_PER_COMMIT, _BYTES_PER_COMMIT = 2000, 8 * 1024 * 1024
#: Seconds until the next attempt with a store that answers but can't be used.
_RETRY_SECONDS = 0.5
_log = logging.getLogger(__name__)


class Ledger:
    """Working copy plus store. ``on_commit`` gets every committed change, in order, before any caller is answered."""

    def __init__(
        self,
        store: Store,
        record: Record,
        now: Callable[[], float],
        on_commit: Callable[[list[Announcement]], Awaitable[None]],
        on_storage: Callable[[], None],
        storage: StorageWatch | None = None,
        answers: Bound = ANSWERS,
    ) -> None:
        """``answers`` bounds the requests that are remembered, and the bytes of their responses that are kept."""
        self._answers = answers
        self._store = store
        self._record = record
        self._now = now
        self._on_commit = on_commit
        self._on_storage = on_storage
        #: What was sent to the store since its last answer, and may or may not be stored.
        self._unsettled: list[Entry] = []
        self._waiting: deque[PendingDecision] = deque()
        self._readers: list[tuple[Callable[[Record], Any], asyncio.Future[Any]]] = []
        #: Fingerprint, by id, of requests that are being carried out outside of the record.
        self._reserved: dict[str, str] = {}
        self._work = asyncio.Event()
        self._committing = False
        self._closed = False
        self._recovering = False
        #: What is known of the store, and an event for callers that wait until it takes changes.
        self._storage = storage or StorageWatch("", now)
        self.storage_back = asyncio.Event()
        self.storage_back.set()
        #: The committed record in a few words, available at any moment without waiting.
        self.summary = summary_of(self._record)

    async def submit(self, decide: Decide[T], reply: ReplySpec[T] = NO_REPLY) -> Committed[T]:
        """Decide, commit, announce, unless the request was answered before.

        Raises what ``decide`` raises, RequestIdReused, Locked, RevisionMismatch, StorageUnavailable, NotReady.
        """
        if self._closed:
            raise NotReady
        if not self.storage_up:
            raise self._unavailable(fate_known=True)
        waiting = PendingDecision(decide, reply, asyncio.get_running_loop().create_future())
        waiting.answer.add_done_callback(caller_may_have_left)
        self._waiting.append(waiting)
        self._work.set()
        # The decision is taken whether or not the caller stays: a lost client must not undo what was accepted.
        return await asyncio.shield(waiting.answer)

    @property
    def storage_up(self) -> bool:
        """Whether the store accepted the last write."""
        return self._storage.fault is None

    def _unavailable(self, *, fate_known: bool) -> StorageUnavailable:
        return StorageUnavailable(fate_known=fate_known, cause=self._storage.present.message)

    @property
    def is_busy(self) -> bool:
        """Whether a decision is in progress, or a caller waits for one."""
        return self._committing or bool(self._waiting)

    @property
    def inventory(self) -> Inventory:
        """Plans and devices, for checking items before a decision."""
        return self._record.inventory

    @property
    def permissions(self) -> Permissions:
        """What each user group may use, for checking requests before a decision."""
        return self._record.permissions

    async def read(self, look: Callable[[Record], T]) -> T:
        """Look at committed state."""
        if not self._committing:
            return look(self._record)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._readers.append((look, answer))
        return await answer

    async def events_between(self, after: int, up_to: int) -> list[StoredEvent]:
        """Committed events from the store. Raises EventsGone, StorageUnavailable."""
        try:
            return await self._store.events_between(after, up_to)
        except StoreDown as error:
            # This may be the first to notice.
            self.storage_seen(error.fault)
            raise self._unavailable(fate_known=True) from error

    def storage_seen(self, fault: Fault | None) -> None:
        """Another part asked the store: note what is wrong. Only our own attempts find out that all is well."""
        if not self._closed and not (self._recovering and fault is None):
            self._set_storage(fault)

    def _set_storage(self, fault: Fault | None) -> None:
        was_up = self.storage_up
        self._storage.note(fault)
        if was_up != self.storage_up:
            (self.storage_back.clear if was_up else self.storage_back.set)()
            self._on_storage()

    async def run(self) -> None:
        """Work until cancelled or until ownership is lost. Raises OwnershipLost, and whatever a defect raises.

        However it ends, every waiting caller is answered.
        """
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                while self._waiting:
                    await self._step()
        finally:
            self._closed = True
            self.storage_back.set()
            self._refuse_waiting(NotReady())
            self._serve_readers()

    async def _step(self) -> None:
        """Decide what is waiting, commit it, announce it."""
        step, queue = CommitBatch(), self._record.queue
        # From the first change on: readers see what is stored.
        self._committing = True
        if not await self._commit(step):
            return
        await self._announce(step)
        if self._record.queue is not queue:
            time_slice = TimeSlice()
            for _ in queue.release_gradually():
                await time_slice.yield_if_due()

    async def _commit(self, step: CommitBatch) -> bool:
        """Decide and store. Returns False if the store was down: then all is undone, and what is stored is loaded."""
        before, sent = self._record.revisions, False
        try:
            await self._decide(step)
            if step.entries:
                sent = True
                await self._store.commit(before, self._record.revisions, step.entries)
        except StoreDown as error:
            self._set_storage(error.fault)
            self._unsettled += step.entries
            await self._fail(step, self._unavailable(fate_known=error.fate_known))
            await self._recover()
            return False
        except OwnershipLost:
            await self._fail(step, NotReady())
            raise
        except asyncio.CancelledError as interruption:
            # During a commit it is unknown what is stored, so the callers are interrupted and not refused.
            await self._fail(step, interruption if sent else NotReady())
            raise
        except BaseException as defect:
            await self._fail(step, defect)
            raise
        return True

    async def _announce(self, step: CommitBatch) -> None:
        """Tell listeners what is stored, then the callers."""
        try:
            if step.entries:
                self.summary = summary_of(self._record)
                self._unsettled.clear()
                await self._on_commit([one for entry in step.entries for one in entry.announcements])
                self._set_storage(None)
        finally:
            # It is stored, whatever happens to its listeners.
            self._committing = False
            step.answer(None)
            self._serve_readers()

    async def _fail(self, step: CommitBatch, failure: BaseException) -> None:
        """Undo everything and say so."""
        try:
            await take_back(step.undos)
        finally:
            self._committing = False
            step.answer(failure)
            self._serve_readers()

    async def _decide(self, step: CommitBatch) -> None:
        """Take decisions until none waits or the commit is large enough."""
        while self._waiting and len(step.undos) < _CHANGES_PER_COMMIT and step.size < _BYTES_PER_COMMIT:
            waiting = self._waiting.popleft()
            try:
                committed, entry = await self._take(waiting)
                made, size = await self._make(entry) if entry is not None else ((), 0)
            except Exception as error:  # noqa: BLE001 - one caller's refusal or defect must not touch the others
                # What refused it may be a change of the same commit, which may fail.
                depends = bool(step.entries) and isinstance(error, (WrongState, Conflict, Locked))
                step.refused.append((waiting.answer, error, depends))
                continue
            except BaseException:
                step.refused.append((waiting.answer, NotReady(), False))
                raise
            if entry is not None:
                step.entries.append(entry)
            step.undos += made
            step.size += size
            step.taken.append((waiting.answer, committed))

    async def _take(self, waiting: PendingDecision) -> tuple[Committed[Any], Entry | None]:
        """Take one decision on the record as it is; returns what it writes, if anything."""
        record, reply, revision = self._record, waiting.reply, self._record.revisions.last
        self._require_unreserved(reply)
        known = reply.known(record)
        if known is not None:
            return Committed(None, revision, known), None
        reply.check(record)
        decided = waiting.decide(record)
        decision = await in_time_slices(decided) if isinstance(decided, Generator) else decided
        changes = [] if reply.validate_only else list(decision.changes)
        stands_at = revision + bool(changes)
        answer = await reply.answer(decision.result, stands_at)
        now = self._now()
        if reply.request_id and not reply.validate_only:
            changes += self._remember(record, reply.answered(answer, now))
        committed = Committed(decision.result, stands_at, answer)
        if not changes:
            return committed, None
        # A kept response is no change of anything that a client can see: it has no revision of its own.
        stored_at = stands_at if decision.changes else 0
        return committed, Entry(stored_at, changes, announcements_of(stored_at, now, decision.events, reply.user))

    def _remember(self, record: Record, request: AnsweredRequest) -> Iterator[Change]:
        """Keep a response, and drop what is old or more than may be kept."""
        yield RememberRequest(request)
        old = record.requests.outdated(self._answers, request.time)
        if old:
            yield ForgetRequests(old)
        long = record.requests.overlong(self._answers, request, old)
        if long:
            yield ForgetAnswers(tuple(one.without_answer() for one in long))

    async def _make(self, entry: Entry) -> tuple[Sequence[Undo], int]:
        """Make all changes of a decision, in time slices, or none of them; returns how to undo them, and their size."""
        record, undos, size, time_slice = self._record, [], 0, TimeSlice()
        try:
            for change in entry.changes:
                undos.append(record.apply(change))
                size += size_of(change)
                await time_slice.yield_if_due()
            if entry.revision:
                # A request that expects a revision is refused because of a change that is not stored yet, too.
                undos.append(partial(setattr, record, "revisions", record.revisions))
                record.revisions = record.revisions.after(entry.revision, entry.changes)
        except BaseException:
            await take_back(undos)
            raise
        return undos, size

    async def recall(self, reply: ReplySpec[Any]) -> bytes | None:
        """The first response to a request, if there is one, once it is stored.

        Raises RequestIdReused and, before anything is done for a request that would be refused at the end, Locked.
        """
        known = reply.known(self._record)
        if known is not None and self._committing:
            known = await self.read(reply.known)
        if known is None:
            self.check_lock(reply)
        return known

    def check_lock(self, reply: ReplySpec[Any]) -> None:
        """Refuse what the stored lock forbids. Waits for nothing. Raises Locked."""
        reply.check_lock(self.summary.lock, emergency_key_is_set=self.summary.emergency_key_is_set)

    def recall_command(self, reply: ReplySpec[Any]) -> bytes | None:
        """As :meth:`recall`, for a command outside of the record: it took effect, stored or not. Waits for nothing."""
        self._require_unreserved(reply)
        return reply.known(self._record)

    def reserve(self, reply: ReplySpec[Any]) -> None:
        """Reserve a request id for a command outside of the record that begins: no other request may have it."""
        self._reserved[reply.request_id] = reply.fingerprint

    def release(self, reply: ReplySpec[Any]) -> None:
        """The command has finished, and its response is stored if it is to be kept."""
        self._reserved.pop(reply.request_id, None)

    def _require_unreserved(self, reply: ReplySpec[Any]) -> None:
        if self._reserved.get(reply.request_id, reply.fingerprint) != reply.fingerprint:
            raise RequestIdReused

    def _serve_readers(self) -> None:
        readers, self._readers = self._readers, []
        for look, answer in readers:
            if answer.done():
                continue
            try:
                answer.set_result(look(self._record))
            except Exception as error:  # noqa: BLE001 - a reader's refusal belongs to that reader
                refuse(answer, error)

    def _refuse_waiting(self, error: Refused) -> None:
        while self._waiting:
            refuse(self._waiting.popleft().answer, error)

    async def _recover(self) -> None:
        """Wait until the store answers, then start from what it says."""
        self._recovering = True
        self._refuse_waiting(self._unavailable(fate_known=True))
        while True:
            await self._store.wait_until_up()
            try:
                fresh = await self._store.load()
                stored = await self._store.events_between(self._record.revisions.last, fresh.revisions.last)
            except StoreDown as again:
                self._set_storage(again.fault)
                await next_turn_after(_RETRY_SECONDS)
                continue
            except EventsGone:
                stored = []
            break
        if fresh.store_id != self._record.store_id or fresh.revisions.last < self._record.revisions.last:
            # An emptied or restored Redis: what we have in memory is no longer what is stored.
            raise OwnershipLost
        missed = sent_of(stored, self._unsettled)
        for part in fields(fresh):
            setattr(self._record, part.name, getattr(fresh, part.name))
        self.summary = summary_of(self._record)
        _log.info("Redis is back at revision %d", fresh.revisions.last)
        await self._on_commit(missed)
        self._recovering = False
        self._set_storage(None)
