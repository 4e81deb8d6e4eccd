"""Watch: a snapshot, then every change in order; or, with a token, on from where a watcher was.

A snapshot and the place in the feed at which the changes go on are taken in the same instant between two commits,
so nothing falls between them. Missed durable events are read from the store, missed events of the Worker from the
feed; what is in neither is announced as a gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from queueserver_manager.domain.errors import ResumeTokenExpired
from queueserver_manager.domain.events import (
    Announcement,
    HistoryAdded,
    HistoryCleared,
    PermissionsReplaced,
    TaskFinished,
    TaskStarted,
)
from queueserver_manager.domain.item import HistoryEntry, Item, RunningItem
from queueserver_manager.domain.permissions import Permissions
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.tasks import KeptTask
from queueserver_manager.operations.feed import Feed, FeedEntry, Kind, WorkerAttached
from queueserver_manager.operations.ledger import Ledger
from queueserver_manager.operations.open_runs import OpenRuns
from queueserver_manager.operations.resume_token import ResumePoint, decode_token
from queueserver_manager.operations.status import StatusBoard, StatusFacts
from queueserver_manager.store.port import EventsGone

#: Seconds after which a watcher that has heard nothing is sent an empty batch.
BOOKMARK_SECONDS = 10.0
_BATCH_BYTES = 256 * 1024
_SNAPSHOT_PART = 500
_CONSOLE_TAIL_BYTES = 64 * 1024


class Encoder(Protocol):
    """Makes serialized WatchEvents."""

    def announcement(self, announcement: Announcement) -> bytes:
        """A durable event."""

    def status(self, facts: StatusFacts) -> bytes:
        """A new status."""

    def gap(self, kinds: Sequence[Kind]) -> bytes:
        """Events of these kinds were lost."""


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
    #: False for a watcher that began with a snapshot while no Worker was known: replays are not news to it.
    wants_replay: bool = True
    backlog: list[bytes] = field(default_factory=list)


def kind_of(announcement: Announcement) -> Kind:
    """Kind under which a durable event is watched."""
    return _KINDS.get(type(announcement.event), Kind.QUEUE)


_KINDS: dict[type, Kind] = {
    HistoryAdded: Kind.HISTORY,
    HistoryCleared: Kind.HISTORY,
    TaskStarted: Kind.TASK,
    TaskFinished: Kind.TASK,
    PermissionsReplaced: Kind.PERMISSION,
}


class Watching:
    """Serves watchers."""

    def __init__(self, ledger: Ledger, feed: Feed, open_runs: OpenRuns, board: StatusBoard, encoder: Encoder) -> None:
        self._ledger = ledger
        self._feed = feed
        self._open_runs = open_runs
        self._board = board
        self._encoder = encoder

    async def watch(
        self, kinds: frozenset[Kind], token: str, history_limit: int
    ) -> AsyncIterator[SnapshotPart | Batch]:
        """Serve one watcher until it leaves.

        Raises ResumeTokenInvalid, ResumeTokenExpired, WatcherTooSlow, StorageUnavailable, NotOwner, NotReady.
        """
        news = self._feed.join(kinds)
        try:
            if token:
                cursor = await self._resume(decode_token(token), kinds)
            else:
                cursor, parts = await self._snapshot(kinds, history_limit)
                for part in parts:
                    yield part
            async for batch in self._follow(cursor, kinds, news, resumed=bool(token)):
                yield batch
        finally:
            self._feed.leave(news)

    async def _snapshot(self, kinds: frozenset[Kind], history_limit: int) -> tuple[_Cursor, list[SnapshotPart]]:
        """Everything at one revision, and the place from which the changes go on."""
        feed = self._feed

        def look(record: Record) -> tuple[_Cursor, list[SnapshotPart]]:
            attachment = feed.attachment
            point = ResumePoint(
                record.store_id,
                record.revisions.last,
                attachment.boot_id,
                max(feed.last_sequence, attachment.last_sequence),
            )
            cursor = _Cursor(feed.end, point.revision, point, wants_replay=bool(attachment.boot_id))
            first = SnapshotPart(point.revision)
            if Kind.STATUS in kinds:
                first.status = self._board.facts
            if Kind.CONSOLE in kinds:
                first.console = [entry.wire for entry in feed.tail(Kind.CONSOLE, _CONSOLE_TAIL_BYTES)]
            if Kind.DOCUMENT in kinds:
                first.documents = self._open_runs.documents()
            if Kind.PERMISSION in kinds:
                first.permissions = record.permissions
            if Kind.TASK in kinds:
                first.tasks = list(record.tasks)
            items: list[Item] = []
            if Kind.QUEUE in kinds:
                first.running = record.running
                items = list(record.queue)
            history = record.history.newest(history_limit) if Kind.HISTORY in kinds else []
            return cursor, [first, *_parts(point.revision, items, history)]

        cursor, parts = await self._ledger.read(look)
        parts[-1].token = cursor.point.encode()
        return cursor, parts

    async def _resume(self, point: ResumePoint, kinds: frozenset[Kind]) -> _Cursor:
        """Collect what a watcher missed, and the place from which the changes go on."""
        feed = self._feed

        def look(record: Record) -> tuple[int, int, list[FeedEntry], bool]:
            if point.store_id != record.store_id or point.revision > record.revisions.last:
                raise ResumeTokenExpired
            same = point.boot_id == feed.attachment.boot_id
            missed = feed.worker_entries_after(point.sequence) if same else []
            gap = same and bool(point.boot_id) and point.sequence < feed.lost_up_to
            return feed.end, record.revisions.last, missed, gap

        position, revision, worker_entries, gap = await self._ledger.read(look)
        try:
            announcements = await self._ledger.events_between(point.revision, revision)
        except EventsGone as error:
            raise ResumeTokenExpired from error
        cursor = _Cursor(position, revision, point)
        cursor.backlog = [self._encoder.announcement(a) for a in announcements if kind_of(a) in kinds]
        sequence = point.sequence
        if gap:
            cursor.backlog += self._gap(kinds)
        for entry in worker_entries:
            sequence = entry.sequence
            if entry.kind in kinds:
                cursor.backlog.append(entry.wire)
        cursor.point = ResumePoint(point.store_id, revision, point.boot_id, sequence)
        if point.boot_id != feed.attachment.boot_id and feed.attachment.boot_id:
            cursor.backlog += self._attach(cursor, kinds)
            missed = feed.worker_entries_after(cursor.point.sequence)
            cursor.backlog += [entry.wire for entry in missed if entry.kind in kinds]
            last = missed[-1].sequence if missed else cursor.point.sequence
            cursor.point = ResumePoint(point.store_id, revision, feed.attachment.boot_id, last)
        if Kind.STATUS in kinds:
            cursor.backlog.append(self._encoder.status(self._board.facts))
        return cursor

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
            for batch in self._batches(cursor, entries, kinds):
                due = False
                yield batch
            if due:
                yield Batch([], cursor.point.encode())
            if self._feed.ended is not None:
                raise self._feed.ended
            if cursor.position < self._feed.end:
                due = False
                continue
            bookmark = loop.call_later(BOOKMARK_SECONDS, news.set)
            await news.wait()
            bookmark.cancel()
            due = loop.time() >= bookmark.when()

    def _batches(self, cursor: _Cursor, entries: list[FeedEntry], kinds: frozenset[Kind]) -> Iterator[Batch]:
        """Entries as batches. A token never stands between two events of one change."""
        events, cursor.backlog = cursor.backlog, []
        size = 0
        for entry in entries:
            if size > _BATCH_BYTES and entry.revision in (0, cursor.point.revision + 1):
                yield Batch(events, cursor.point.encode())
                events, size = [], 0
            if isinstance(entry, WorkerAttached):
                events += self._attach(cursor, kinds)
            elif self._advance(cursor, entry) and entry.kind in kinds:
                events.append(entry.wire)
                size += len(entry.wire)
        if events:
            yield Batch(events, cursor.point.encode())

    @staticmethod
    def _advance(cursor: _Cursor, entry: FeedEntry) -> bool:
        """Move past an entry; False if the watcher has it already."""
        point = cursor.point
        if entry.sequence:
            if entry.boot_id != point.boot_id or entry.sequence <= point.sequence:
                return False
            cursor.point = ResumePoint(point.store_id, point.revision, point.boot_id, entry.sequence)
        elif entry.revision:
            if entry.revision <= cursor.joined_at:
                return False
            cursor.point = ResumePoint(point.store_id, entry.revision, point.boot_id, point.sequence)
        return True

    def _attach(self, cursor: _Cursor, kinds: frozenset[Kind]) -> list[bytes]:
        """The feed follows a Worker's journal (again): go on in it, and tell what is missing."""
        attachment, point = self._feed.attachment, cursor.point
        if attachment.boot_id == point.boot_id:
            return self._gap(kinds) if attachment.first_sequence > point.sequence + 1 else []
        begin = attachment.first_sequence - 1 if cursor.wants_replay else attachment.last_sequence
        cursor.point = ResumePoint(point.store_id, point.revision, attachment.boot_id, begin)
        cursor.wants_replay = True
        return self._gap(kinds) if point.boot_id else []

    def _gap(self, kinds: frozenset[Kind]) -> list[bytes]:
        lost = [kind for kind in (Kind.CONSOLE, Kind.DOCUMENT) if kind in kinds]
        return [self._encoder.gap(lost)] if lost else []


def _parts(revision: int, items: list[Item], history: list[HistoryEntry]) -> list[SnapshotPart]:
    """The long lists in parts, at least one."""
    parts = [
        SnapshotPart(revision, items=items[start : start + _SNAPSHOT_PART])
        for start in range(0, len(items), _SNAPSHOT_PART)
    ]
    parts += [
        SnapshotPart(revision, history=history[start : start + _SNAPSHOT_PART])
        for start in range(0, len(history), _SNAPSHOT_PART)
    ]
    return parts
