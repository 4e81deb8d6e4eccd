"""The ring from which watchers read: bounded, in order, and honest about what it no longer has."""

from __future__ import annotations

import pytest
from queueserver_manager.domain.refusals.errors import NotOwner, WatcherTooSlow
from queueserver_manager.operations.watch import event_buffer as feeds
from queueserver_manager.operations.watch.event_buffer import (
    EventBuffer,
    FeedEntry,
    JournalPosition,
    Kind,
    WorkerAttached,
)

EVERYTHING = frozenset(Kind)


def durable(revision: int, size: int = 0) -> FeedEntry:
    return FeedEntry(Kind.QUEUE, b"x" * size, revision=revision)


def console(sequence: int, text: bytes = b"text", boot_id: str = "boot") -> FeedEntry:
    return FeedEntry(Kind.CONSOLE, text, boot_id=boot_id, sequence=sequence)


def attached(first: int = 1, last: int = 0, boot_id: str = "boot") -> EventBuffer:
    feed = EventBuffer()
    feed.attach(JournalPosition(boot_id, first, last))
    return feed


def test_positions_count_everything_ever_appended() -> None:
    feed = EventBuffer()
    start = feed.end
    for revision in range(1, 4):
        feed.append(durable(revision))
    assert feed.end == start + 3
    assert [entry.revision for entry in feed.since(start)] == [1, 2, 3]
    assert [entry.revision for entry in feed.since(start + 2)] == [3]
    assert feed.since(feed.end) == []


def test_a_watcher_takes_some_at_a_time_and_gets_everything() -> None:
    feed, taken, position = EventBuffer(), [], 0
    for revision in range(1, 4001):
        feed.append(durable(revision, size=2**20 if revision % 100 == 0 else 1))
    while entries := feed.since(position):
        assert len(entries) <= 1000
        assert sum(len(entry.wire) for entry in entries[:-1]) < 2 * 2**20
        taken += entries
        position += len(entries)
    assert [entry.revision for entry in taken] == list(range(1, 4001))


def test_a_watcher_sleeps_through_what_does_not_concern_it_but_not_for_ever() -> None:
    feed = EventBuffer()
    watcher = feed.join(frozenset({Kind.QUEUE}))
    assert (feed.is_watched(Kind.QUEUE), feed.is_watched(Kind.STATUS)) == (True, False)
    feed.append(console(1))
    assert not watcher.is_set()
    feed.append(console(2, b"x" * (feeds._UNSEEN_BYTES + 1)))
    assert watcher.is_set()
    feed.leave(watcher)
    assert not feed.is_watched(Kind.QUEUE)


def test_watchers_are_woken_by_an_entry_until_they_leave() -> None:
    feed = EventBuffer()
    stays, leaves = feed.join(EVERYTHING), feed.join(EVERYTHING)
    feed.leave(leaves)
    feed.leave(leaves)
    feed.append(durable(1))
    assert (stays.is_set(), leaves.is_set()) == (True, False)


def test_the_end_of_the_feed_wakes_everybody_and_says_why() -> None:
    feed = EventBuffer()
    watcher, reason = feed.join(EVERYTHING), NotOwner("")
    assert feed.ended is None
    feed.end_with(reason)
    assert watcher.is_set()
    assert feed.ended is reason


def test_too_many_entries_let_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_ENTRIES", 100)
    feed = EventBuffer()
    for revision in range(1, 1001):
        feed.append(durable(revision))
        kept = [entry.revision for entry in feed.since(feed.end - len(feed._entries))]
        assert len(kept) <= 100
        assert kept[-1] == revision
        assert kept == list(range(kept[0], revision + 1))
    assert feed.end == 1000
    with pytest.raises(WatcherTooSlow):
        feed.since(feed.end - len(feed._entries) - 1)


def test_too_many_bytes_let_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_BYTES", 10_000)
    feed = EventBuffer()
    for revision in range(1, 200):
        feed.append(durable(revision, size=revision * 3))
        assert feed._bytes <= 10_000
        assert feed._bytes == sum(len(entry.wire) + feeds._OVERHEAD for entry in feed._entries)
        assert feed._entries[-1].revision == revision


def test_an_entry_beyond_all_bounds_does_not_break_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_BYTES", 10_000)
    feed = EventBuffer()
    feed.append(durable(1))
    feed.append(durable(2, size=50_000))
    feed.append(durable(3))
    assert feed.end == 3
    assert [entry.revision for entry in feed.since(2)] == [3]


def test_what_of_the_workers_journal_was_trimmed_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_ENTRIES", 10)
    feed = attached()
    assert feed.lost_up_to == 0
    for sequence in range(1, 31):
        feed.append(console(sequence))
    oldest = min(entry.sequence for entry in feed.worker_entries_after(0))
    assert oldest > 1
    assert feed.lost_up_to == oldest - 1


def test_what_was_trimmed_of_an_earlier_worker_says_nothing_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_ENTRIES", 10)
    feed = attached(boot_id="earlier")
    for sequence in range(1, 9):
        feed.append(console(sequence, boot_id="earlier"))
    feed.attach(JournalPosition("boot", 1, 0))
    for sequence in range(1, 4):
        feed.append(console(sequence))
    assert feed.lost_up_to == 0


def test_the_tail_is_the_newest_text_that_fits_oldest_first() -> None:
    feed = attached()
    for sequence, text in enumerate([b"one", b"two", b"three"], start=1):
        feed.append(console(sequence, text))
        feed.append(durable(sequence))
    assert [entry.wire for entry in feed.tail(Kind.CONSOLE, 8)] == [b"two", b"three"]
    assert [entry.wire for entry in feed.tail(Kind.CONSOLE, 1000)] == [b"one", b"two", b"three"]
    assert feed.tail(Kind.CONSOLE, 4) == []
    assert feed.tail(Kind.DOCUMENT, 1000) == []


def test_entries_of_the_worker_are_found_after_a_sequence() -> None:
    feed = attached(boot_id="earlier")
    feed.append(console(7, boot_id="earlier"))
    feed.attach(JournalPosition("boot", 1, 0))
    for sequence in (1, 2, 3):
        feed.append(console(sequence))
        feed.append(durable(sequence))
    assert [entry.sequence for entry in feed.worker_entries_after(1)] == [2, 3]
    assert feed.worker_entries_after(3) == []
    assert {entry.boot_id for entry in feed.worker_entries_after(0)} == {"boot"}


def test_another_worker_begins_its_own_count() -> None:
    feed = attached(boot_id="earlier")
    feed.append(console(7, boot_id="earlier"))
    assert feed.last_sequence == 7
    feed.attach(JournalPosition("boot", first_sequence=5, last_sequence=9))
    assert (feed.last_sequence, feed.lost_up_to) == (0, 4)
    note = feed.since(feed.end - 1)[0]
    assert isinstance(note, WorkerAttached)
    assert note.attachment.boot_id == "boot"


@pytest.mark.parametrize(("first", "lost"), [(1, 0), (7, 0), (8, 0), (9, 8)])
def test_the_same_worker_after_a_break_has_lost_what_lies_between(first: int, lost: int) -> None:
    feed = attached()
    feed.append(console(7))
    feed.attach(JournalPosition("boot", first_sequence=first, last_sequence=20))
    assert (feed.last_sequence, feed.lost_up_to) == (7, lost)
