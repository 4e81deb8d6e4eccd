from __future__ import annotations

import asyncio
import re

from queueserver.manager.v1 import event_service_pb2 as pb
from queueserver_client import (
    After,
    AsyncClient,
    Before,
    Event,
    EventKind,
    HistoryAdded,
    Plan,
    QueueView,
    Snapshot,
)
from queueserver_client.event_reader import read_event

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.raw_watch import DURABLE, STREAMED, Events, hear, snapshot, up_to
from tests.harness.wait import bounded, first


def assert_all_revisions(events: Events, after: int, up_to_revision: int) -> None:
    """No revision is missing, repeated or out of order. A revision may have several events."""
    revisions = [event.revision for event in events]
    assert revisions == sorted(revisions)
    assert set(revisions) == set(range(after + 1, up_to_revision + 1))


def rows(events: Events) -> list[int]:
    return [event.document.document.event.seq_num for event in events if event.document.document.HasField("event")]


def is_over(events: Events) -> bool:
    return any(event.document.document.HasField("stop") for event in events)


def text_of(events: Events) -> str:
    return "".join(event.console.text for event in events)


def view_of(parts: list[pb.WatchSnapshot], events: Events) -> QueueView:
    view = QueueView.from_snapshot(Snapshot.from_parts(parts, restarted=False))
    for proto in events:
        event = read_event(proto)
        assert event is not None
        view.apply(event)
    return view


async def edit(client: AsyncClient) -> None:
    """One change of each kind, none of them at the front; three more items in the end."""
    first_one, second, third = await client.queue.add_batch([Plan("one_run", label) for label in "abc"])
    added = await client.queue.add(Plan("one_run", "d"), position=After(first_one.uid))
    await added.move(Before(third.uid))
    await client.queue.add(Plan("one_run", "e"), position=-1)
    await added.remove()
    await second.move("back")
    await client.queue.remove("back")


async def test_a_watcher_that_was_away_across_a_restart_sees_every_change_exactly_once_and_in_order(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    client, address = parts_client, parts.address
    begin, token = await snapshot(address)
    handles = await client.queue.add_batch(
        [Plan("gated_run", gate.path), Plan("gated_run", gate.path), Plan("one_run")]
    )
    before = await hear(address, token, up_to((await client.status()).revision))
    await client.queue.start()
    await edit(client)
    with parts.manager_killed():
        gate.open()
    await edit(client)
    gate.open()
    for handle in handles:
        await bounded(handle.result())
    async with client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(lambda status: status.running_item_uid is None))
    await client.queue.add(Plan("one_run"))
    last = (await client.status()).revision
    after = await hear(address, before.token, up_to(last))
    events = before.events + after.events
    assert_all_revisions(events, begin[0].revision, last)
    assert events == (await hear(address, token, up_to(last))).events
    assert [item.uid for item in view_of(begin, events).items] == [item.uid async for item in client.queue.list()]
    entries = [event.history_added.entry.number for event in events if event.HasField("history_added")]
    assert entries == [entry.number async for entry in client.history.list()]
    assert len(entries) >= 3


async def test_from_every_token_that_came_the_rest_follows_exactly_also_after_a_restart(
    parts: Parts, parts_client: AsyncClient
) -> None:
    _, token = await snapshot(parts.address)
    begin = (await parts_client.status()).revision
    live = asyncio.create_task(hear(parts.address, token, up_to(begin + 21)))
    await edit(parts_client)
    await edit(parts_client)
    await edit(parts_client)
    heard = await bounded(live)
    with parts.manager_killed():
        pass
    await edit(parts_client)
    last = (await parts_client.status()).revision
    everything = (await hear(parts.address, token, up_to(last))).events
    assert everything[: len(heard.events)] == heard.events
    assert len(heard.tokens) > 3
    for count, place in heard.tokens:
        rest = await hear(parts.address, place, up_to(last))
        assert rest.events == everything[count:]


async def test_a_client_watches_through_restarts_and_misses_nothing(parts: Parts, parts_client: AsyncClient) -> None:
    seen: list[Event] = []
    async with parts_client.watch([EventKind.QUEUE, EventKind.HISTORY]) as watch:
        begin = await first(watch, lambda _: True)
        assert isinstance(begin, Snapshot)
        view = QueueView.from_snapshot(begin)

        async def follow_until(uid: str) -> None:
            while True:
                event = await bounded(watch.__anext__())
                assert isinstance(event, Event)
                seen.append(event)
                view.apply(event)
                if expect.in_history(uid)(event):
                    return

        for _ in range(2):
            handles = await parts_client.queue.add_batch([Plan("one_run") for _ in range(20)])
            await parts_client.queue.start()
            await follow_until(handles[4].uid)
            with parts.manager_killed():
                pass
            await follow_until(handles[-1].uid)
    numbers = [event.entry.number for event in seen if isinstance(event, HistoryAdded)]
    assert numbers == [entry.number async for entry in parts_client.history.list()]
    assert len(numbers) == 40
    assert sorted({event.revision for event in seen}) == list(range(begin.revision + 1, view.revision + 1))


async def test_documents_and_console_text_go_on_after_a_restart_without_loss_or_repetition(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    _, token = await snapshot(parts.address, STREAMED)
    handle = await parts_client.queue.add(Plan("gated_rows", gate.path, 9))
    await parts_client.queue.start()
    gate.open(3)
    one = await hear(parts.address, token, lambda events: len(rows(events)) >= 3, STREAMED)
    gate.open(1)
    with parts.manager_killed():
        gate.open(2)
    two = await hear(parts.address, one.token, lambda events: len(rows(events)) >= 2, STREAMED)
    gate.open(3)
    await bounded(handle.result())
    three = await hear(
        parts.address, two.token, lambda events: is_over(events) and "row 8" in text_of(events), STREAMED
    )
    events = one.events + two.events + three.events
    assert not [event for event in events if event.HasField("gap")]
    assert rows(events) == list(range(1, 10))
    kinds = [e.document.document.WhichOneof("kind") for e in events if e.HasField("document")]
    assert kinds == ["start", "event_descriptor", *["event"] * 9, "stop"]
    assert {event.console.item_uid for event in events if event.HasField("console")} == {handle.uid}
    assert re.findall(r"row (\d)", text_of(events)) == list("012345678")


async def test_a_restart_of_the_worker_is_told_as_a_gap_once_and_the_log_goes_on(
    parts: Parts, parts_client: AsyncClient
) -> None:
    kinds = (*DURABLE, *STREAMED)
    _, token = await snapshot(parts.address, kinds)
    handle = await parts_client.queue.add(Plan("one_run"))
    heard = await hear(parts.address, token, up_to((await parts_client.status()).revision), kinds)
    parts.worker.process.kill()
    parts.worker.restart()
    async with parts_client.watch([EventKind.STATUS]) as watch:
        await first(watch, expect.status(lambda status: status.worker.value == "up" and not status.environment_exists))
    await parts_client.environment.open()
    await parts_client.queue.start()
    await bounded(handle.result())
    after = await hear(parts.address, heard.token, is_over, kinds)
    gaps = [event.gap for event in after.events if event.HasField("gap")]
    assert [list(gap.kinds) for gap in gaps] == [list(STREAMED)]
    first_gap = next(index for index, event in enumerate(after.events) if event.HasField("gap"))
    assert not [e for e in after.events[:first_gap] if e.HasField("document") or e.HasField("console")]


async def test_a_watcher_that_joins_a_run_late_is_told_how_it_began(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle = await parts_client.queue.add(Plan("gated_run", gate.path))
    async with parts_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await parts_client.queue.start()
        await first(watch, expect.document("event"))
    with parts.manager_killed():
        pass
    async with parts_client.watch([EventKind.DOCUMENT]) as late:
        begin = await first(late, lambda _: True)
        assert isinstance(begin, Snapshot)
        assert [document.name for document in begin.documents] == ["start", "descriptor"]
        gate.open()
        await first(late, expect.document("stop"))
    await bounded(handle.result())
