"""Documents of any length: each client hears of them what it can take, and nobody's watch ends at one."""

from __future__ import annotations

from queueserver.manager.v1 import event_pb2 as e
from queueserver_client import AsyncClient, Plan

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.raw_watch import hear, messages, snapshot
from tests.harness.wait import bounded

KINDS = (e.EVENT_KIND_DOCUMENT,)
MIB = 1024 * 1024
LARGEST = 64 * MIB
Events = list[e.WatchEvent]


def names(events: Events) -> list[str]:
    """Kind of each document, or "gap"."""
    return [event.document.document.WhichOneof("kind") or str(event.WhichOneof("event")) for event in events]


def have_stopped(events: Events) -> bool:
    """The run is over."""
    return "stop" in names(events)


async def run(client: AsyncClient, gate: Gate, *arguments: object) -> None:
    """Run a plan that emits long documents, to its end."""
    handle = await client.queue.execute(Plan("long_documents", *arguments, gate.path))
    gate.open()
    await bounded(handle.result())


async def test_a_document_that_is_too_long_for_a_client_is_left_out_for_it_and_the_stream_goes_on(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    _, token = await snapshot(parts.address, KINDS)
    await run(parts_client, gate, 10, [[100], [5 * MIB], [100]])
    heard = await hear(parts.address, token, have_stopped, KINDS)
    told = ["start", "event_descriptor", "event", "event_descriptor", "gap", "event_descriptor", "event", "stop"]
    assert names(heard.events) == told
    gap = heard.events[4].gap
    assert (list(gap.kinds), gap.omitted_bytes // MIB) == ([e.EVENT_KIND_DOCUMENT], 5)
    between = max((count, token) for count, token in heard.tokens if count <= 4)
    whole = await hear(parts.address, between[1], have_stopped, KINDS, limit=8 * MIB)
    assert names(whole.events)[4 - between[0]] == "event"
    data = whole.events[4 - between[0]].document.document.event.data
    assert len(data["value 0"].binary) == 5 * MIB


async def test_whoever_comes_to_a_run_that_began_with_a_long_document_is_told_that_it_is_missing(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    _, token = await snapshot(parts.address, KINDS)
    handle = await parts_client.queue.execute(Plan("long_documents", 5 * MIB, [[MIB]], gate.path))
    await hear(parts.address, token, lambda events: "event" in names(events), KINDS)
    shown: list[str] = []
    stream = messages(parts.address, KINDS)
    async for message in stream:
        shown += [str(one.document.WhichOneof("kind")) for one in message.snapshot.documents]
        if message.HasField("batch"):
            break
    await stream.aclose()  # type: ignore[attr-defined] # it is a generator
    assert (shown, names(message.batch.events)) == (["event_descriptor"], ["gap"])
    assert message.batch.events[0].gap.omitted_bytes > 5 * MIB
    gate.open()
    await bounded(handle.result())


async def test_documents_beyond_what_can_be_sent_at_all_are_told_of_with_what_they_are(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    _, token = await snapshot(parts.address, KINDS)
    await run(parts_client, gate, 10, [[70 * MIB, 3], [MIB - 100] * 60])
    heard = await hear(parts.address, token, have_stopped, KINDS, limit=LARGEST)
    assert names(heard.events) == ["start", "event_descriptor", "event", "event_descriptor", "event", "stop"]
    first, second = (heard.events[place].document.document.event for place in (2, 4))
    assert first.data["value 0"].text.startswith("left out: 734003")
    assert first.data["value 1"].binary == b"xxx"
    assert second.extra["left_out"].text.endswith("bytes are too many to be sent")
    assert (second.seq_num, bool(second.uid)) == (1, True)


async def test_a_client_that_takes_long_messages_gets_the_longest_document_there_can_be(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    _, token = await snapshot(parts.address, KINDS)
    await run(parts_client, gate, 10, [[47 * MIB]])
    heard = await hear(parts.address, token, have_stopped, KINDS, limit=LARGEST)
    assert len(heard.events[2].document.document.event.data["value 0"].binary) == 47 * MIB
