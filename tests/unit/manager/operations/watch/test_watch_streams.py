"""What a watcher is told in parts: it holds a bounded part of what has left the queue, and its tokens are exact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from queueserver_manager.domain.limits import MIB
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.queue.queue_edits import add_items, clear_queue
from queueserver_manager.domain.refusals.errors import WatcherTooSlow
from queueserver_manager.operations.status import StatusBoard
from queueserver_manager.operations.watch.event_buffer import EventBuffer, FeedEntry, Kind
from queueserver_manager.operations.watch.open_runs import OpenRuns
from queueserver_manager.operations.watch.resume_token import decode_token
from queueserver_manager.operations.watch.watch_streams import Batch, SnapshotPart, WatchStreams

from tests.harness.wait import bounded
from tests.unit.manager.samples import NOW, ROOM, plan
from tests.unit.manager.scripted_store import ScriptedTerm, scripted_term

LARGE = 30 * MIB


async def fill(o: ScriptedTerm, letters: str) -> None:
    items = [replace(plan(uid), size=LARGE) for uid in letters]
    await bounded(o.submit(lambda record: add_items(record, items, Back(), ROOM)))


def watching(o: ScriptedTerm) -> WatchStreams:
    encoder: Any = None
    return WatchStreams(o.ledger, EventBuffer(), OpenRuns(), StatusBoard(lambda: NOW), encoder)


async def test_a_snapshot_comes_in_parts_of_bounded_size() -> None:
    async with scripted_term() as o:
        await fill(o, "abc")
        parts = watching(o).watch(frozenset({Kind.QUEUE}), "", 0, MIB)
        shown = []
        while True:
            part = await bounded(anext(parts))
            assert isinstance(part, SnapshotPart)
            shown.append([item.uid for item in part.items])
            if part.token:
                break
        assert shown == [[], ["a"], ["b"], ["c"]]
        await parts.aclose()


async def test_a_watcher_is_sent_away_when_too_much_left_the_queue_before_it_read_its_snapshot() -> None:
    async with scripted_term() as o:
        served = watching(o)
        await fill(o, "abc")
        slow, quick = (served.watch(frozenset({Kind.QUEUE}), "", 0, MIB) for _ in range(2))
        for parts in (slow, quick, quick):
            await bounded(anext(parts))
        await bounded(o.submit(clear_queue))
        await fill(o, "d")
        late = served.watch(frozenset({Kind.QUEUE}), "", 0, MIB)
        await bounded(anext(late))
        served.queue_changed(o.record)
        for parts in (slow, quick):
            with pytest.raises(WatcherTooSlow):
                await bounded(anext(parts))
        part = await bounded(anext(late))
        assert isinstance(part, SnapshotPart)
        assert [item.uid for item in part.items] == ["d"]
        await late.aclose()


async def test_a_token_amid_a_long_change_says_how_much_of_it_was_told() -> None:
    async with scripted_term() as o:
        await fill(o, "a")
        encoder: Any = None
        feed = EventBuffer()
        served = WatchStreams(o.ledger, feed, OpenRuns(), StatusBoard(lambda: NOW), encoder)
        parts = served.watch(frozenset({Kind.QUEUE}), "", 0, MIB)
        while not isinstance(part := await bounded(anext(parts)), SnapshotPart) or not part.token:
            pass
        before = decode_token(part.token).revision
        # More than a watcher takes out of the feed at once.
        pieces = 20
        feed.extend(FeedEntry(Kind.QUEUE, bytes(MIB // 4), before + 1, place=place) for place in range(pieces))
        told = 0
        while told < pieces:
            batch = await bounded(anext(parts))
            assert isinstance(batch, Batch)
            told += len(batch.events)
            point = decode_token(batch.token)
            assert (point.revision, point.ahead) == ((before, told) if told < pieces else (before + 1, 0))
        await parts.aclose()
