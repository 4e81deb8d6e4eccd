"""What a watcher that resumes with a token missed, in the order in which other watchers got it.

Durable events are read from the store, those of the Worker from the feed; what is in neither is reported as a gap, and
that first. So the end of an item, of a task or of an entry's way into the history follows all documents and text that
led to it and will be delivered, or the gap that stands for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from queueserver_long_work.work import Work
from queueserver_rpc.message_sizes import PART_BYTES

from queueserver_manager.domain.events import Announcement, Kind
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import ResumeTokenExpired
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.status import StatusFacts
from queueserver_manager.operations.watch.event_buffer import EventBuffer, FeedEntry
from queueserver_manager.operations.watch.resume_token import ResumePoint
from queueserver_manager.store.port import EventsGone

#: Stored changes that are read at once: few at first, since one may be long.
_FEWEST_READ, _MOST_READ = 4, 100
#: What the Worker reports, and keeps for a while.
STREAMED = (Kind.CONSOLE, Kind.DOCUMENT)


class Encoder(Protocol):
    """Makes serialized WatchEvents."""

    def announcement(self, announcement: Announcement) -> Work[bytes]:
        """A durable event."""

    def status(self, facts: StatusFacts) -> bytes:
        """A new status."""

    def log_line(self, line: str) -> bytes:
        """A line of the Manager's log, as text of the console."""

    def gap(self, kinds: Sequence[Kind], omitted_bytes: int = 0) -> bytes:
        """Events of these kinds were lost, or one of so many bytes was left out."""


@dataclass(frozen=True, slots=True)
class Missed:
    """What a watcher missed."""

    #: In the feed: from here the changes continue, after those up to this revision.
    position: int
    revision: int
    #: Where the watcher continues in a Worker's journal, and what of it came before ``position``.
    boot_id: str
    sequence: int
    told: deque[FeedEntry] = field(default_factory=deque)
    #: Events of the Worker are no longer kept.
    gap: bool = False
    #: False if what a Worker that connects later had reported before is not for this watcher.
    wants_replay: bool = True


class MissedEvents:
    """Finds what was missed."""

    def __init__(self, ledger: Ledger, feed: EventBuffer) -> None:
        self._ledger = ledger
        self._feed = feed

    def point_after(self, record: Record, revision: int) -> ResumePoint:
        """The place of a watcher that knows a change and everything that was published before it."""
        feed = self._feed
        known = feed.chronology.told_at(revision)
        if revision < feed.chronology.begun_at:
            known = (feed.attachment.boot_id, 0)
        return ResumePoint(record.store_id, revision, *known)

    def look_back(self, record: Record, point: ResumePoint, kinds: frozenset[Kind]) -> Missed:
        """What a watcher missed, and the place from which the changes continue. Raises ResumeTokenExpired."""
        feed, attachment = self._feed, self._feed.attachment
        if point.store_id != record.store_id or point.revision + bool(point.ahead) > record.revisions.last:
            raise ResumeTokenExpired
        here = (feed.end, record.revisions.last)
        if self.waits_for_replay(point.revision, kinds) and not feed.caught_up.is_set():
            # What led to an end among them can't be delivered before it any more.
            return Missed(*here, attachment.boot_id, attachment.last_sequence, gap=True, wants_replay=False)
        if not attachment.boot_id:
            return Missed(*here, point.boot_id, point.sequence)
        begin, gap = point.sequence, False
        if not point.boot_id and feed.is_first_worker:
            # What it reported before it connected is older than the token, unless the token is older than this term.
            begin, gap = feed.met_at, point.revision < feed.chronology.begun_at
        elif point.boot_id != attachment.boot_id:
            begin, gap = attachment.first_sequence - 1, True
        gap = gap or begin < feed.lost_up_to
        return Missed(*here, attachment.boot_id, begin, deque(feed.worker_entries_after(begin)), gap)

    def waits_for_replay(self, revision: int, kinds: frozenset[Kind]) -> bool:
        """Whether changes of an owner before us were missed, and what the Worker reported at that time is needed."""
        return revision < self._feed.chronology.begun_at and not kinds.isdisjoint(STREAMED)

    async def changes(
        self, point: ResumePoint, missed: Missed, kinds: frozenset[Kind]
    ) -> AsyncIterator[Iterator[FeedEntry]]:
        """Stored events, some at a time, each after what the Worker had reported before it. Use each before the next.

        Raises ResumeTokenExpired, StorageUnavailable.
        """
        after, count = point.revision, _FEWEST_READ
        while after < missed.revision:
            up_to = min(after + count, missed.revision)
            stored = await self._stored(point, after, up_to, kinds)
            yield self._in_order(stored, missed)
            length = sum(len(entry.wire) for entry in stored)
            count = max(1, min(_MOST_READ, 2 * count, count * PART_BYTES // max(1, length)))
            after = up_to

    async def _stored(self, point: ResumePoint, after: int, up_to: int, kinds: frozenset[Kind]) -> list[FeedEntry]:
        """Stored events of some changes, as entries. Raises ResumeTokenExpired, StorageUnavailable."""
        try:
            events = await self._ledger.events_between(after, up_to)
        except EventsGone as error:
            raise ResumeTokenExpired from error
        known = (point.revision + 1, point.ahead)
        return [
            FeedEntry(one.kind, one.wire, one.revision, place=one.place)
            for one in events
            if one.kind in kinds and not (one.revision == known[0] and one.place < known[1])
        ]

    def _in_order(self, stored: Iterable[FeedEntry], missed: Missed) -> Iterator[FeedEntry]:
        told = missed.told
        for entry in stored:
            last = self._feed.chronology.told_before(entry.revision, missed.boot_id)
            while told and told[0].sequence <= last:
                yield told.popleft()
            yield entry
