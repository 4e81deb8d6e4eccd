"""Watch: a snapshot, then every change in order; or, with a token, the changes since that token.

A snapshot and the place in the feed at which the changes continue are taken in the same instant between two commits,
so nothing falls between them. Missed durable events are read from the store, missed events of the Worker from the
feed, and put into the order in which other watchers got them; what is in neither is announced as a gap, and that
first. So the end of an item or task follows all of its documents and text that will be delivered, or the gap.
An event that is longer than the client accepts is left out for it, with a gap in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from weakref import WeakSet

from queueserver_long_work.patience import within
from queueserver_long_work.time_slice import TimeSlice
from queueserver_rpc.message_sizes import PART_BYTES

from queueserver_manager.domain.events import Kind
from queueserver_manager.domain.limits import MOST_GONE
from queueserver_manager.domain.lock.locking import LockStanding, standing_of
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue.item import HistoryEntry, Item, RunningItem
from queueserver_manager.domain.queue.queue import Snapshot
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import WatcherTooSlow
from queueserver_manager.domain.tasks.tasks import KeptTask
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.status import StatusBoard, StatusFacts
from queueserver_manager.operations.watch.event_buffer import (
    EventBuffer,
    FeedEntry,
    JournalPosition,
    WorkerAttached,
)
from queueserver_manager.operations.watch.missed import STREAMED, Encoder, Missed, MissedEvents
from queueserver_manager.operations.watch.open_runs import OpenRuns
from queueserver_manager.operations.watch.resume_token import ResumePoint, decode_token

#: Seconds after which a watcher that has got nothing is sent an empty batch.
BOOKMARK_SECONDS = 10.0
#: Seconds for which a watcher waits, when the Manager has just started, for more of what the Worker reported before.
_PATIENCE_SECONDS = 5.0
_SNAPSHOT_PART = 500
_CONSOLE_TAIL_BYTES = 64 * 1024


@dataclass(slots=True)
class SnapshotPart:
    """A part of the snapshot; console and documents are serialized WatchEvents."""

    revision: int
    token: str = ""
    status: StatusFacts | None = None
    running: RunningItem | None = None
    items: Sequence[Item] = ()
    history: Sequence[HistoryEntry] = ()
    console: Sequence[bytes] = ()
    documents: Sequence[bytes] = ()
    tasks: Sequence[KeptTask] = ()
    permissions: Permissions | None = None
    #: The lock, if it is watched.
    lock: LockStanding | None = None


@dataclass(slots=True)
class Batch:
    """Events, serialized, in order."""

    events: list[bytes]
    token: str


@dataclass(slots=True)
class _Cursor:
    """Where one watcher stands."""

    position: int
    #: Durable events up to this revision were delivered before the feed was joined.
    joined_at: int
    point: ResumePoint
    #: Longest event that the watcher accepts, in bytes.
    longest: int
    #: False for a watcher that started with a snapshot while no Worker was known: replays are not news to it.
    wants_replay: bool = True
    backlog: list[bytes] = field(default_factory=list)
    #: What follows in the feed after the last entry taken out; it may belong to the same change.
    following: FeedEntry | None = None

    def token(self) -> str:
        """Token of everything that was taken out of the feed, which may end amid the events of a change."""
        return self.token_before(self.following) if self.following is not None else self.point.encode()

    def token_before(self, entry: FeedEntry) -> str:
        """Token of what was delivered when this entry comes next, which may be amid the events of a change."""
        point = self.point
        if entry.place and entry.revision == point.revision > self.joined_at:
            point = replace(point, revision=point.revision - 1, ahead=entry.place)
        return point.encode()


class WatchStreams:
    """Serves watchers."""

    def __init__(
        self, ledger: Ledger, feed: EventBuffer, open_runs: OpenRuns, board: StatusBoard, encoder: Encoder
    ) -> None:
        self._ledger = ledger
        self._feed = feed
        self._open_runs = open_runs
        self._board = board
        self._encoder = encoder
        #: Of the queue, for watchers that have not read theirs yet.
        self._snapshots: WeakSet[Snapshot] = WeakSet()
        self._missed = MissedEvents(ledger, feed)

    async def watch(
        self, kinds: frozenset[Kind], token: str, history_limit: int, longest: int, after_revision: int = 0
    ) -> AsyncIterator[SnapshotPart | Batch]:
        """Serve one watcher, which accepts events of up to ``longest`` bytes, until it leaves.

        It continues from a token, or after a revision, or starts with a snapshot.

        Raises ResumeTokenInvalid, ResumeTokenExpired, WatcherTooSlow, StorageUnavailable, NotOwner, NotReady.
        """
        news = self._feed.join(kinds)
        try:
            if token or after_revision:
                point, missed = await self._look_back(token, after_revision, kinds)
                begin = replace(point, boot_id=missed.boot_id, sequence=missed.sequence)
                cursor = _Cursor(missed.position, point.revision, begin, longest, missed.wants_replay)
                async for batch in self._catch_up(cursor, missed, kinds):
                    yield batch
            else:
                if self._feed.attachment.boot_id and not kinds.isdisjoint(STREAMED):
                    # Otherwise the beginning of open runs, and the newest text, are not there yet.
                    await self._until_caught_up()
                cursor, parts = await self._snapshot(kinds, history_limit, longest)
                for part in parts:
                    yield part
            async for batch in self._follow(cursor, kinds, news, resumed=bool(token or after_revision)):
                yield batch
        finally:
            self._feed.leave(news)

    async def _look_back(self, token: str, after_revision: int, kinds: frozenset[Kind]) -> tuple[ResumePoint, Missed]:
        """The place of a watcher, and what it missed."""
        known = decode_token(token) if token else None
        if self._missed.waits_for_replay(known.revision if known else after_revision, kinds):
            await self._until_caught_up()

        def look(record: Record) -> tuple[ResumePoint, Missed]:
            point = known or self._missed.point_after(record, after_revision)
            return point, self._missed.look_back(record, point, kinds)

        return await self._ledger.read(look)

    async def _snapshot(
        self, kinds: frozenset[Kind], history_limit: int, longest: int
    ) -> tuple[_Cursor, Iterator[SnapshotPart]]:
        """Everything at one revision, and the place from which the changes continue."""
        feed = self._feed

        def look(record: Record) -> tuple[_Cursor, Iterator[SnapshotPart]]:
            attachment = feed.attachment
            point = ResumePoint(
                record.store_id,
                record.revisions.last,
                attachment.boot_id,
                max(feed.last_sequence, attachment.last_sequence),
            )
            cursor = _Cursor(feed.end, point.revision, point, longest, wants_replay=bool(attachment.boot_id))
            first = SnapshotPart(point.revision)
            if Kind.STATUS in kinds:
                first.status = self._board.facts
            if Kind.CONSOLE in kinds:
                first.console = [entry.wire for entry in feed.tail(Kind.CONSOLE, _CONSOLE_TAIL_BYTES)]
            if Kind.DOCUMENT in kinds:
                documents = self._open_runs.documents()
                first.documents = [wire for wire in documents if len(wire) <= longest]
                cursor.backlog = [
                    self._encoder.gap([Kind.DOCUMENT], len(wire)) for wire in documents if len(wire) > longest
                ]
            if Kind.PERMISSION in kinds:
                first.permissions = record.permissions
            if Kind.LOCK in kinds:
                first.lock = standing_of(record)
            if Kind.TASK in kinds:
                first.tasks = list(record.tasks)
            items = Snapshot(())
            if Kind.QUEUE in kinds:
                first.running = record.running
                items = record.queue.snapshot()
                self._snapshots.add(items)
            history = record.history.newest(history_limit) if Kind.HISTORY in kinds else []
            return cursor, _parts(first, items, history, point.encode())

        return await self._ledger.read(look)

    def queue_changed(self, record: Record) -> None:
        """Something is stored: hold only a bounded part of removed items for watchers that read snapshots slowly."""
        for items in self._snapshots:
            if items.holds(record.queue) > MOST_GONE:
                items.release()

    async def _until_caught_up(self) -> None:
        """Wait for what the Worker reported before this term, as long as more of it comes."""
        feed, received = self._feed, -1
        while not feed.caught_up.is_set() and feed.last_sequence > received:
            received = feed.last_sequence
            with suppress(asyncio.TimeoutError):
                async with within(_PATIENCE_SECONDS):
                    await feed.caught_up.wait()

    async def _catch_up(self, cursor: _Cursor, missed: Missed, kinds: frozenset[Kind]) -> AsyncIterator[Batch]:
        """What was missed, in the order in which other watchers got it. The last of it stays in the backlog."""
        if missed.gap:
            cursor.backlog += self._gap(kinds)
        async for entries in self._missed.changes(cursor.point, missed, kinds):
            async for batch in self._batches(cursor, entries, kinds):
                yield batch
        cursor.joined_at = missed.revision
        cursor.point = replace(cursor.point, revision=missed.revision, ahead=0)
        async for batch in self._batches(cursor, missed.told, kinds):
            yield batch
        if Kind.STATUS in kinds:
            cursor.backlog.append(self._encoder.status(self._board.facts))

    async def _follow(
        self, cursor: _Cursor, kinds: frozenset[Kind], news: asyncio.Event, *, resumed: bool
    ) -> AsyncIterator[Batch]:
        """What is new, as soon as it is new."""
        loop = asyncio.get_running_loop()
        due = resumed
        while True:
            news.clear()
            entries = self._feed.since(cursor.position)
            cursor.position += len(entries)
            cursor.following = self._feed.entry_at(cursor.position)
            async for batch in self._batches(cursor, entries, kinds):
                due = False
                yield batch
            if due:
                yield Batch([], cursor.token())
            if self._feed.ended is not None:
                raise self._feed.ended
            if cursor.position < self._feed.end:
                due = False
                continue
            bookmark = loop.call_later(BOOKMARK_SECONDS, news.set)
            await news.wait()
            bookmark.cancel()
            due = loop.time() >= bookmark.when()

    async def _batches(
        self, cursor: _Cursor, entries: Iterable[FeedEntry], kinds: frozenset[Kind]
    ) -> AsyncIterator[Batch]:
        """Entries as batches of bounded length."""
        events, cursor.backlog = cursor.backlog, []
        size, time_slice = sum(map(len, events)), TimeSlice()
        for entry in entries:
            wire = entry.wire if len(entry.wire) <= cursor.longest else self._encoder.gap([entry.kind], len(entry.wire))
            if events and entry.kind in kinds and size + len(wire) > PART_BYTES:
                yield Batch(events, cursor.token_before(entry))
                events, size = [], 0
            if isinstance(entry, WorkerAttached):
                events += self._attach(cursor, entry.attachment, kinds)
            elif self._advance(cursor, entry) and entry.kind in kinds:
                events.append(wire)
                size += len(wire)
            await time_slice.yield_if_due()
        if events:
            yield Batch(events, cursor.token())

    @staticmethod
    def _advance(cursor: _Cursor, entry: FeedEntry) -> bool:
        """Move past an entry; False if the watcher has it already."""
        point = cursor.point
        if entry.sequence:
            if entry.boot_id != point.boot_id or entry.sequence <= point.sequence:
                return False
            cursor.point = replace(point, sequence=entry.sequence)
        elif entry.revision:
            if entry.revision <= cursor.joined_at:
                return False
            cursor.point = replace(point, revision=entry.revision, ahead=0)
        return True

    def _attach(self, cursor: _Cursor, attachment: JournalPosition, kinds: frozenset[Kind]) -> list[bytes]:
        """The feed follows a Worker's journal (again): continue in it, and report what is missing."""
        point = cursor.point
        if attachment.boot_id == point.boot_id:
            return self._gap(kinds) if attachment.first_sequence > point.sequence + 1 else []
        begin = attachment.first_sequence - 1 if cursor.wants_replay else attachment.last_sequence
        cursor.point = replace(point, boot_id=attachment.boot_id, sequence=begin)
        cursor.wants_replay = True
        return self._gap(kinds) if point.boot_id else []

    def _gap(self, kinds: frozenset[Kind]) -> list[bytes]:
        lost = [kind for kind in STREAMED if kind in kinds]
        return [self._encoder.gap(lost)] if lost else []


def _parts(first: SnapshotPart, items: Snapshot, history: Sequence[HistoryEntry], token: str) -> Iterator[SnapshotPart]:
    """The first part, then the long lists in parts; the last one has the token."""
    part, start = first, 0
    while start < len(items):
        yield part
        if items.is_released:
            raise WatcherTooSlow
        some = items.part(start, start + _SNAPSHOT_PART, PART_BYTES)
        start += len(some)
        part = SnapshotPart(first.revision, items=some)
    for start in range(0, len(history), _SNAPSHOT_PART):
        yield part
        part = SnapshotPart(first.revision, history=history[start : start + _SNAPSHOT_PART])
    part.token = token
    yield part
