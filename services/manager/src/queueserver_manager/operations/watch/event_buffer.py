"""Everything that watchers get, in order of arrival, in one bounded ring.

Each watcher reads the ring from its own cursor, so a slow one costs nothing and delays no other; one that falls out
of the ring gets an error. Durable events carry the revision of their change, events of the Worker its boot id and
sequence: those are what a resume token remembers.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from queueserver_manager.domain.events import Kind
from queueserver_manager.domain.refusals.errors import Refused, WatcherTooSlow
from queueserver_manager.operations.commit.chronology import Chronology

#: Bounds of the ring.
MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 200_000
#: Rough cost of an entry beside its content.
_OVERHEAD = 200
#: What a watcher takes out of the ring at once.
_BYTES_AT_ONCE, _ENTRIES_AT_ONCE = 2 * 1024 * 1024, 1000
#: After this much that does not concern it, a watcher is woken anyway, so that it moves on before it is overtaken.
_UNSEEN_BYTES = MAX_BYTES // 16


@dataclass(slots=True)
class FeedEntry:
    """One event on its way to watchers. ``wire`` is a serialized WatchEvent."""

    kind: Kind
    wire: bytes
    #: Revision of the change; 0 if it is not a durable event.
    revision: int = 0
    #: Process of the Worker and sequence in its journal; empty and 0 if it does not come from there.
    boot_id: str = ""
    sequence: int = 0
    #: For a durable event: how many events of the same change precede it.
    place: int = 0


@dataclass(frozen=True, slots=True)
class JournalPosition:
    """Which Worker's journal the feed is following, and from where."""

    boot_id: str = ""
    #: Sequence of the oldest event that the feed can still deliver.
    first_sequence: int = 1
    #: Sequence of the last event before the Manager attached: older ones are replays.
    last_sequence: int = 0


@dataclass(slots=True)
class WorkerAttached(FeedEntry):
    """From here on Worker sequences belong to this attachment."""

    attachment: JournalPosition = field(default_factory=JournalPosition)


class EventBuffer:
    """The ring. Positions count all entries ever appended. ``begun_at`` is the revision with which the term began."""

    def __init__(self, begun_at: int = 0) -> None:
        self._entries: list[FeedEntry] = []
        self._base = 0
        self._bytes = 0
        self._unseen = 0
        self._watchers: dict[asyncio.Event, frozenset[Kind]] = {}
        self._interest: Counter[Kind] = Counter()
        #: Why the feed ended; None while it is open.
        self.ended: Refused | None = None
        self.attachment = JournalPosition()
        #: Of the attached Worker's journal: last sequence seen, and up to which entries are no longer here.
        self.last_sequence = 0
        self.lost_up_to = 0
        self.chronology = Chronology(begun_at)
        #: Last sequence of the first Worker when it was met, and whether others came after it.
        self.met_at = 0
        self.is_first_worker = True
        #: A Worker connected, and what it had reported before is here, as far as it is kept.
        self.caught_up = asyncio.Event()

    def is_watched(self, kind: Kind) -> bool:
        """Whether any watcher would get an entry of this kind that is of no use later."""
        return self._interest[kind] > 0

    @property
    def end(self) -> int:
        """Position behind the last entry."""
        return self._base + len(self._entries)

    def append(self, entry: FeedEntry) -> None:
        """Add an entry and wake the watchers that it concerns."""
        self._add(entry)
        self._wake({entry.kind})

    def extend(self, entries: Iterable[FeedEntry]) -> None:
        """Add entries that belong together."""
        told = set()
        for entry in entries:
            self._add(entry)
            told.add(entry.kind)
        self._wake(told)

    def change_comes(self, revision: int) -> None:
        """Note that a change is published next, whether or not there are watchers."""
        self.chronology.changed(revision, self.attachment.boot_id, self.last_sequence)

    def received_up_to(self, sequence: int) -> None:
        """Note that everything in the attached Worker's journal up to here was received; not all is for watchers."""
        self.last_sequence = max(self.last_sequence, sequence)
        if self.last_sequence >= self.attachment.last_sequence:
            self.caught_up.set()

    def _add(self, entry: FeedEntry) -> None:
        self._entries.append(entry)
        if entry.sequence:
            self.last_sequence = entry.sequence
        self._bytes += len(entry.wire) + _OVERHEAD
        if self._bytes > MAX_BYTES or len(self._entries) > MAX_ENTRIES:
            self._trim()
        self._unseen += len(entry.wire) + _OVERHEAD

    def _wake(self, told: set[Kind]) -> None:
        wakes_all = self._unseen > _UNSEEN_BYTES or Kind.WORKER_ATTACHED in told
        if wakes_all:
            self._unseen = 0
        for watcher, kinds in self._watchers.items():
            if wakes_all or not told.isdisjoint(kinds):
                watcher.set()

    def end_with(self, reason: Refused) -> None:
        """Dismiss every watcher."""
        self.ended = reason
        self.caught_up.set()
        for watcher in self._watchers:
            watcher.set()

    def attach(self, attachment: JournalPosition) -> None:
        """Follow a Worker's journal (again)."""
        if attachment.boot_id != self.attachment.boot_id:
            self.is_first_worker = not self.attachment.boot_id
            self.met_at = attachment.last_sequence
            self.last_sequence = 0
            self.lost_up_to = attachment.first_sequence - 1
        elif attachment.first_sequence > self.last_sequence + 1:
            self.lost_up_to = attachment.first_sequence - 1
        self.attachment = attachment
        self.chronology.met(attachment.boot_id, attachment.last_sequence)
        if self.last_sequence < attachment.last_sequence:
            self.caught_up.clear()
        else:
            self.caught_up.set()
        self.append(WorkerAttached(Kind.WORKER_ATTACHED, b"", attachment=attachment))

    def _trim(self) -> None:
        """Forget the oldest tenth at least, so that trimming costs little for each entry."""
        target = min(MAX_BYTES * 9 // 10, self._bytes - 1)
        count = 0
        while self._bytes > target or len(self._entries) - count > MAX_ENTRIES * 9 // 10:
            entry = self._entries[count]
            self._bytes -= len(entry.wire) + _OVERHEAD
            if entry.boot_id == self.attachment.boot_id:
                self.lost_up_to = max(self.lost_up_to, entry.sequence)
            count += 1
        del self._entries[:count]
        self._base += count

    def since(self, position: int) -> list[FeedEntry]:
        """Entries from a position on, some at a time, so that a slow reader holds little that has left the ring.

        Raises WatcherTooSlow if the position fell out of the ring.
        """
        start = end = position - self._base
        if start < 0:
            raise WatcherTooSlow
        size = 0
        while end < len(self._entries) and size < _BYTES_AT_ONCE and end - start < _ENTRIES_AT_ONCE:
            size += len(self._entries[end].wire)
            end += 1
        return self._entries[start:end]

    def entry_at(self, position: int) -> FeedEntry | None:
        """The entry at a position, unless there is none yet."""
        index = position - self._base
        return self._entries[index] if 0 <= index < len(self._entries) else None

    def tail(self, kind: Kind, max_bytes: int) -> list[FeedEntry]:
        """The newest entries of a kind, oldest first, up to a total size."""
        found: list[FeedEntry] = []
        size = 0
        for entry in reversed(self._entries):
            if entry.kind is kind:
                size += len(entry.wire)
                if size > max_bytes:
                    break
                found.append(entry)
        return found[::-1]

    def worker_entries_after(self, sequence: int) -> list[FeedEntry]:
        """Entries of the attached Worker with a higher sequence, in order."""
        boot_id = self.attachment.boot_id
        return [entry for entry in self._entries if entry.sequence > sequence and entry.boot_id == boot_id]

    def join(self, kinds: frozenset[Kind]) -> asyncio.Event:
        """Event that is set whenever something of these kinds was appended. Leave with :meth:`leave`."""
        watcher = asyncio.Event()
        self._watchers[watcher] = kinds
        self._interest.update(kinds)
        return watcher

    def leave(self, watcher: asyncio.Event) -> None:
        """Stop being woken."""
        self._interest.subtract(self._watchers.pop(watcher, ()))
