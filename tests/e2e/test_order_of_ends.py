"""The end of an item, a task or the environment follows everything that led to it, whatever becomes of the Manager."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from queueserver.manager.v1 import event_pb2 as pb
from queueserver_client import (
    AsyncClient,
    ConsoleStream,
    ConsoleWritten,
    DocumentEmitted,
    Event,
    EventKind,
    EventsLost,
    HistoryAdded,
    ItemFinished,
    Plan,
    Snapshot,
    StatusChanged,
    TaskFinished,
)

from tests.harness import expect
from tests.harness.gate import Gate, gate_in
from tests.harness.health import wait_until_met
from tests.harness.parts import Parts
from tests.harness.process import wait_until_gone
from tests.harness.raw_watch import DURABLE, STREAMED, Events, hear, snapshot
from tests.harness.wait import bounded, first

ROWS = 60
EVERYTHING = [kind for kind in EventKind if kind is not EventKind.UNSPECIFIED]
Happenings = Sequence["Event | Snapshot"]


class Notes:
    """Everything that a watch told so far, in order."""

    def __init__(self, watch: Any) -> None:
        self._watch = watch
        self.events: list[Event | Snapshot] = []

    async def until(self, enough: Callable[[Happenings], bool]) -> None:
        """Note what comes until it is enough."""

        async def note() -> None:
            while not enough(self.events):
                self.events.append(await self._watch.__anext__())

        await bounded(note())

    async def until_after(self, event: Callable[[Any], bool], client: AsyncClient) -> None:
        """Note what comes until this event, and on to a change that is made after it: nothing late is missed."""
        await self.until(lambda events: any(map(event, events)))
        marker = await client.queue.add(Plan("one_run"))
        await self.until(lambda events: any(map(expect.added(marker.uid), events)))
        await marker.remove()

    def before(self, event: Callable[[Any], bool]) -> Happenings:
        """What came before the first such event."""
        return self.events[: next(index for index, one in enumerate(self.events) if event(one))]


def is_end(event: object) -> bool:
    return isinstance(event, (ItemFinished, HistoryAdded))


def names(events: Happenings) -> list[str]:
    return [event.document.name for event in events if isinstance(event, DocumentEmitted)]


def text(events: Happenings) -> str:
    return "".join(event.console.text for event in events if isinstance(event, ConsoleWritten))


def assert_all_rows(printed: str) -> None:
    assert re.findall(r"row (\d+)", printed) == [str(row) for row in range(ROWS)]
    assert "the last line" in printed


def assert_all_of_the_plan_came_before_its_end(notes: Notes) -> None:
    """All documents and lines of ``rows_after`` came, once each and in order, and its end behind them."""
    assert not [event for event in notes.events if isinstance(event, (EventsLost, Snapshot))]
    assert [type(event) for event in notes.events if is_end(event)] == [ItemFinished, HistoryAdded]
    led_to_it = notes.before(is_end)
    assert names(led_to_it) == ["start", "descriptor", *["event"] * ROWS, "stop"]
    assert_all_rows(text(led_to_it))
    assert text(led_to_it) == text(notes.events)
    assert names(led_to_it) == names(notes.events)


@pytest.mark.parametrize("killed_at", ["event 1", "event 30", "event 60", "stop 1"])
async def test_a_plan_while_whose_manager_is_killed_ends_behind_all_its_documents_and_text(
    parts: Parts, parts_client: AsyncClient, gate: Gate, killed_at: str
) -> None:
    name, count = killed_at.split()
    async with parts_client.watch(EVERYTHING) as watch:
        await first(watch, lambda _: True)
        notes = Notes(watch)
        handle = await parts_client.queue.add(Plan("rows_after", gate.path, ROWS))
        await parts_client.queue.start()
        gate.open()
        await notes.until(lambda events: names(events).count(name) >= int(count))
        parts.kill_manager()
        parts.start_manager()
        await notes.until_after(expect.in_history(handle.uid), parts_client)
    assert_all_of_the_plan_came_before_its_end(notes)


async def test_a_plan_that_ends_while_there_is_no_manager_ends_behind_all_its_documents_and_text(
    parts: Parts, parts_client: AsyncClient, gate: Gate, short_path: Path
) -> None:
    with gate_in(short_path, "told") as told:
        async with parts_client.watch(EVERYTHING) as watch:
            await first(watch, lambda _: True)
            notes = Notes(watch)
            handle = await parts_client.queue.add(Plan("rows_after", gate.path, ROWS, told.path))
            await parts_client.queue.start()
            await notes.until(lambda events: "start" in names(events))
            parts.kill_manager()
            gate.open()
            told.wait_until_told()
            parts.start_manager()
            await notes.until_after(expect.in_history(handle.uid), parts_client)
    assert_all_of_the_plan_came_before_its_end(notes)


def ends(events: Events) -> list[int]:
    return [
        index for index, event in enumerate(events) if event.WhichOneof("event") in {"item_finished", "history_added"}
    ]


def streamed(events: Events) -> list[int]:
    return [index for index, event in enumerate(events) if event.WhichOneof("event") in {"document", "console"}]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_watcher_that_comes_back_late_is_told_ends_behind_what_led_to_them_from_every_token(
    parts: Parts, parts_client: AsyncClient, gate: Gate, *, restarted: bool
) -> None:
    kinds = (*DURABLE, *STREAMED)
    _, token = await snapshot(parts.address, kinds)
    handles = await parts_client.queue.add_batch([Plan("rows_after", gate.path, 5) for _ in range(3)])
    gate.open(3)
    await parts_client.queue.start()
    for handle in handles:
        await bounded(handle.result())
    if restarted:
        with parts.manager_killed():
            pass
    await parts_client.queue.add(Plan("one_run"))
    last = (await parts_client.status()).revision

    def enough(events: Events) -> bool:
        return any(event.revision >= last for event in events)

    everything = await hear(parts.address, token, enough, kinds)
    by_item = {handle.uid: [e for e in everything.events if item_of(e) == handle.uid] for handle in handles}
    for events in by_item.values():
        assert len(ends(events)) == 2
        assert len([e for e in events if e.HasField("document")]) == 8
        assert max(streamed(events)) < min(ends(events))
    for count, place in everything.tokens[:-1]:
        assert (await hear(parts.address, place, enough, kinds)).events == everything.events[count:]


def item_of(event: pb.WatchEvent) -> str:
    """uid of the item to which an event belongs."""
    kind = event.WhichOneof("event")
    if kind == "history_added":
        return str(event.history_added.entry.item.item_uid)
    return str(getattr(getattr(event, kind or ""), "item_uid", ""))


@pytest.mark.parametrize("in_background", [False, True])
async def test_a_task_that_ends_while_there_is_no_manager_ends_behind_all_its_text(
    parts: Parts, parts_client: AsyncClient, gate: Gate, short_path: Path, *, in_background: bool
) -> None:
    with gate_in(short_path, "told") as told:
        async with parts_client.watch(EVERYTHING) as watch:
            await first(watch, lambda _: True)
            notes = Notes(watch)
            handle = await parts_client.tasks.execute_function(
                "print_rows_after", gate.path, ROWS, told.path, run_in_background=in_background
            )
            # Before that it may not have reached the Worker.
            await notes.until(lambda events: "waiting at the gate" in text(events))
            parts.kill_manager()
            gate.open()
            told.wait_until_told()
            parts.start_manager()
            await notes.until_after(lambda event: isinstance(event, TaskFinished), parts_client)
    assert not [event for event in notes.events if isinstance(event, EventsLost)]
    assert_all_rows(text(notes.before(lambda event: isinstance(event, TaskFinished))))
    texts = [event.console for event in notes.events if isinstance(event, ConsoleWritten)]
    assert {text.task_uid for text in texts if text.stream is not ConsoleStream.MANAGER} == {handle.uid}


async def test_an_environment_that_dies_while_there_is_no_manager_is_gone_behind_its_last_words(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    def is_gone(event: object) -> bool:
        return isinstance(event, StatusChanged) and not event.status.environment_exists

    handle = await parts_client.queue.add(Plan("rows_after", gate.path, ROWS))
    async with parts_client.watch(EVERYTHING) as watch:
        await first(watch, lambda _: True)
        notes = Notes(watch)
        await parts_client.queue.start()
        await notes.until(lambda events: "start" in names(events))
        pid = (await parts_client.environment.get()).pid
        parts.kill_manager()
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        parts.start_manager()
        await notes.until_after(expect.in_history(handle.uid), parts_client)
        await notes.until(lambda events: any(map(is_gone, events)))
    last_words = "was killed by signal"
    assert last_words in text(notes.before(is_gone))
    assert last_words in text(notes.before(is_end))


@pytest.mark.parametrize("with_manager", [False, True])
async def test_what_a_dead_worker_took_along_is_told_as_a_gap_before_the_end_of_its_plan(
    parts: Parts, parts_client: AsyncClient, gate: Gate, *, with_manager: bool
) -> None:
    async with parts_client.watch(EVERYTHING) as watch:
        await first(watch, lambda _: True)
        notes = Notes(watch)
        handle = await parts_client.queue.add(Plan("rows_after", gate.path, ROWS))
        await parts_client.queue.start()
        await notes.until(lambda events: "start" in names(events))
        if not with_manager:
            parts.kill_manager()
        parts.worker.process.kill()
        parts.worker.restart()
        if not with_manager:
            parts.start_manager()
        await notes.until_after(expect.in_history(handle.uid), parts_client)
    assert len([event for event in notes.events if isinstance(event, EventsLost)]) == 1
    assert [event for event in notes.before(is_end) if isinstance(event, EventsLost)]
    assert not [event for event in notes.events if isinstance(event, DocumentEmitted)][1:]


async def test_a_watcher_is_told_of_a_gap_before_ends_whose_documents_a_worker_does_not_tell_in_time(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    kinds = (*DURABLE, *STREAMED)
    _, token = await snapshot(parts.address, kinds)
    handle = await parts_client.queue.add(Plan("rows_after", gate.path, ROWS))
    gate.open()
    await parts_client.queue.start()
    await bounded(handle.result())
    parts.kill_manager()
    parts.worker.process.send(signal.SIGSTOP)
    try:
        parts.manager.restart()
        missed = await hear(parts.address, token, lambda events: bool(ends(events)), kinds)
    finally:
        parts.worker.process.send(signal.SIGCONT)
    gaps = [index for index, event in enumerate(missed.events) if event.HasField("gap")]
    assert len(gaps) == 1
    assert gaps[0] < min(ends(missed.events))
    assert not streamed(missed.events)
    wait_until_met(parts.address)
    again = await parts_client.queue.add(Plan("one_run"))
    await parts_client.queue.start()
    await bounded(again.result())
    later = await hear(parts.address, missed.token, lambda events: stopped_runs(events) > 0, kinds)
    assert {item_of(event) for event in later.events if event.HasField("document")} == {again.uid}


def stopped_runs(events: Events) -> int:
    return len([event for event in events if event.document.document.HasField("stop")])
