"""The documents of one item's runs: all of them, whenever following begins, or it is said that some are missing."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver_client import AsyncClient, Client, DocumentsLost, ItemHandle, ItemNotFound, Plan, RunDocument, columns
from queueserver_manager.store.keys import Keys

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, run_to_its_end
from tests.harness.raw import connect, read_refusal
from tests.harness.wait import bounded

WHOLE = ["start", "descriptor", "event", "event", "stop"]


async def all_of(handle: ItemHandle) -> list[str]:
    """Names of the documents, until the item has ended."""
    return [document.name async for document in handle.documents()]


async def test_documents_come_as_they_are_emitted_and_end_with_the_item(parts_client: AsyncClient, gate: Gate) -> None:
    other, handle = await parts_client.queue.add_batch([Plan("one_run"), Plan("gated_run", gate.path)])
    heard: list[RunDocument] = []
    half = asyncio.Event()

    async def follow() -> None:
        async for document in handle.documents():
            heard.append(document)
            if document.name == "event":
                half.set()

    following = asyncio.create_task(follow())
    await parts_client.queue.start()
    await bounded(half.wait())
    gate.open()
    await bounded(following)
    assert [document.name for document in heard] == WHOLE
    assert {document.item_uid for document in heard} == {handle.uid}
    assert await bounded(all_of(other)) == ["start", "stop"]


async def test_who_comes_while_it_runs_or_afterwards_gets_the_documents_from_the_first_one(
    parts_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await begun(parts_client, Plan("gated_run", gate.path))
    late = asyncio.create_task(all_of(handle))
    stranger = aiter(parts_client.queue.documents(handle.uid, after_revision=handle.revision))
    assert (await bounded(anext(stranger))).name == "start"
    gate.open()
    assert await bounded(late) == WHOLE
    assert [document.name async for document in stranger] == WHOLE[1:]
    assert await bounded(all_of(handle)) == WHOLE


@pytest.mark.parametrize("running", [True, False])
async def test_a_manager_that_was_killed_meanwhile_has_them_all(
    parts: Parts, parts_client: AsyncClient, gate: Gate, *, running: bool
) -> None:
    (handle,) = await begun(parts_client, Plan("gated_run", gate.path))
    follower = asyncio.create_task(all_of(handle)) if running else None
    if running:
        with parts.manager_killed():
            pass
        gate.open()
    else:
        gate.open()
        await bounded(handle.result())
        with parts.manager_killed():
            pass
    assert await bounded(all_of(handle)) == WHOLE
    assert follower is None or await bounded(follower) == WHOLE


async def test_documents_that_are_gone_are_told_behind_those_that_came(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await begun(parts_client, Plan("gated_run", gate.path))
    heard = []

    async def follow() -> None:
        async for document in handle.documents():
            heard.append(document.name)
            if document.name == "event":
                parts.worker.process.kill()
                parts.worker.restart()

    with pytest.raises(DocumentsLost, match="Documents of 1 of 1 runs of gated_run") as caught:
        await bounded(follow())
    assert heard == WHOLE[:3]
    (run,) = (await bounded(handle.result())).result.runs
    assert caught.value.runs == (run.uid,)


async def test_changes_that_are_no_longer_kept_are_told_as_missing_documents(
    parts: Parts, parts_client: AsyncClient
) -> None:
    handle = await parts_client.queue.add(Plan("one_run"))
    await run_to_its_end(parts_client)
    with parts.redis.connect() as connection:
        connection.xtrim(Keys("qs").events, maxlen=1, approximate=False)
    with pytest.raises(DocumentsLost):
        await bounded(all_of(handle))


async def test_an_item_that_is_taken_out_gives_no_documents(parts_client: AsyncClient) -> None:
    first, second = await parts_client.queue.add_batch([Plan("one_run"), Plan("one_run")])
    following = asyncio.create_task(all_of(first))
    await asyncio.wait_for(parts_client.status(), 30)
    await first.remove()
    with pytest.raises(ItemNotFound):
        await bounded(following)
    await parts_client.queue.clear()
    with pytest.raises(ItemNotFound):
        await bounded(all_of(second))


async def test_readings_become_columns(parts: Parts, parts_client: AsyncClient, gate: Gate) -> None:
    gate.open()
    handle = await parts_client.queue.add(Plan("gated_run", gate.path))
    await run_to_its_end(parts_client)

    def read() -> dict[str, list[object]]:
        with Client(parts.address) as client:
            return columns(client.queue.documents(handle.uid, after_revision=handle.revision))

    table = await asyncio.to_thread(read)
    assert list(table)[:3] == ["run", "seq_num", "time"]
    assert table["seq_num"] == [1, 2]
    assert len(table["det1"]) == 2
    assert len(set(table["run"])) == 1


@pytest.mark.parametrize(
    ("revision", "token", "code", "reason"),
    [
        (-1, "", grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        (1, "AAAA", grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        (2**62, "", grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_EXPIRED"),
    ],
)
async def test_a_revision_that_makes_no_sense_is_refused(
    parts: Parts, revision: int, token: str, code: grpc.StatusCode, reason: str
) -> None:
    async with connect(parts.address) as stubs:
        request = event_service_pb2.WatchEventsRequest(after_revision=revision, resume_token=token)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bounded(stubs.events.WatchEvents(request).read())
    refusal = read_refusal(caught.value)
    assert (refusal.code, refusal.reason) == (code, reason)
    assert list(refusal.violations) == (["after_revision"] if reason == "FIELD_INVALID" else [])


async def test_a_watch_behind_a_revision_begins_with_the_next_change(parts: Parts, parts_client: AsyncClient) -> None:
    one = await parts_client.queue.add(Plan("one_run"))
    two = await parts_client.queue.add(Plan("one_run"))
    async with connect(parts.address) as stubs:
        kinds = [event_pb2.EVENT_KIND_QUEUE]
        request = event_service_pb2.WatchEventsRequest(kinds=kinds, after_revision=one.revision)
        message = await bounded(stubs.events.WatchEvents(request).read())
    assert [event.item_added.item.item_uid for event in message.batch.events] == [two.uid]
