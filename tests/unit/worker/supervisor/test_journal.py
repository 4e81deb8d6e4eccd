"""The journal: numbered events, bounded memory, watchers that miss nothing or are told."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1.console_pb2 import ConsoleOutput
from queueserver_rpc.message_sizes import PART_BYTES
from queueserver_worker.supervisor.errors import WatcherTooSlowError
from queueserver_worker.supervisor.journal import MAX_BATCH_EVENTS, Journal, Watcher

SECONDS = 10.0


def write(journal: Journal, *texts: str) -> None:
    for text in texts:
        journal.console(ConsoleOutput(text=text))


async def read(watcher: Watcher) -> list[int]:
    events = await asyncio.wait_for(watcher.batch(SECONDS), SECONDS + 1)
    assert events is not None
    return [event.sequence for event in events]


async def test_sequences_count_from_one() -> None:
    journal = Journal()
    assert (journal.first_kept_sequence, journal.last_sequence) == (1, 0)
    write(journal, "a", "b", "c")
    assert (journal.first_kept_sequence, journal.last_sequence) == (1, 3)
    with closing(journal.watch(0, "")) as watcher:
        assert await read(watcher) == [1, 2, 3]


async def test_a_watcher_that_waits_is_woken_by_an_event() -> None:
    journal = Journal()
    with closing(journal.watch(0, "")) as watcher:
        reading = asyncio.create_task(read(watcher))
        asyncio.get_running_loop().call_soon(write, journal, "a")
        assert await reading == [1]


async def test_a_watcher_gets_an_empty_batch_when_its_patience_ends() -> None:
    with closing(Journal().watch(0, "")) as watcher:
        assert await watcher.batch(0.01) == []


@pytest.mark.parametrize(
    ("after", "same_boot", "expected"),
    [
        (0, True, [1, 2, 3]),
        (2, True, [3]),
        (2, False, [1, 2, 3]),
        (-7, True, [1, 2, 3]),
        (3, True, [4]),
        (99, True, [4]),
    ],
)
async def test_a_watcher_starts_where_it_left_off(after: int, same_boot: bool, expected: list[int]) -> None:
    journal = Journal()
    write(journal, "a", "b", "c")
    with closing(journal.watch(after, journal.boot_id if same_boot else "another")) as watcher:
        if expected == [4]:
            write(journal, "d")
        assert await read(watcher) == expected


async def test_old_events_fall_out_and_a_watcher_that_wants_them_is_told() -> None:
    journal = Journal(limit_bytes=2000)
    with closing(journal.watch(0, "")) as slow:
        write(journal, *("x" * 100 for _ in range(50)))
        assert journal.first_kept_sequence > 1
        with pytest.raises(WatcherTooSlowError) as told:
            await slow.batch(SECONDS)
    assert told.value.next_sequence == 1
    assert told.value.first_kept == journal.first_kept_sequence
    with closing(journal.watch(1, journal.boot_id)) as late:
        assert await read(late) == list(range(journal.first_kept_sequence, 51))


async def test_the_last_event_is_kept_however_long_it_is() -> None:
    journal = Journal(limit_bytes=1000)
    write(journal, "a", "x" * 100_000)
    assert journal.first_kept_sequence == 2
    with closing(journal.watch(0, "")) as watcher:
        assert await read(watcher) == [2]


async def test_a_batch_is_bounded() -> None:
    journal = Journal()
    write(journal, *("x" for _ in range(MAX_BATCH_EVENTS + 1)))
    write(journal, *("x" * (PART_BYTES // 2) for _ in range(5)))
    with closing(journal.watch(0, "")) as watcher:
        assert len(await read(watcher)) == MAX_BATCH_EVENTS
        assert len(await read(watcher)) < 4


async def test_a_batch_ends_before_the_event_that_would_make_it_too_long() -> None:
    journal = Journal()
    write(journal, "x", "x" * PART_BYTES, "x" * (PART_BYTES // 2), "x" * (PART_BYTES // 2 + 1))
    with closing(journal.watch(0, "")) as watcher:
        assert [await read(watcher) for _ in range(4)] == [[1], [2], [3], [4]]


async def test_watchers_read_the_rest_and_end_when_the_journal_is_closed() -> None:
    journal = Journal()
    with closing(journal.watch(0, "")) as watcher, closing(journal.watch(0, "")) as waiting:
        ending = asyncio.create_task(waiting.batch(SECONDS))
        asyncio.get_running_loop().call_soon(journal.close)
        assert await ending is None
        write(journal, "last words")
        assert await read(watcher) == [1]
        assert await watcher.batch(SECONDS) is None
    assert not journal.watchers


@given(st.lists(st.one_of(st.integers(0, 3000), st.none()), max_size=80), st.integers(500, 6000))
def test_a_watcher_sees_no_hole_whatever_the_sizes_and_the_bound(actions: list[int | None], limit: int) -> None:
    journal = Journal(limit)
    position = 1
    for action in actions:
        if action is not None:
            write(journal, "x" * action)
        elif position < journal.first_kept_sequence:
            with pytest.raises(WatcherTooSlowError):
                journal.read(position)
            position = journal.first_kept_sequence
        else:
            events, after = journal.read(position)
            assert [event.sequence for event in events] == list(range(position, after))
            position = after
            assert position == journal.last_sequence + 1
