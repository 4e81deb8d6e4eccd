"""Requests under an id: made once, however often they are sent."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import (
    history_service_pb2,
    queue_execution_pb2,
    queue_items_pb2,
    queue_pb2,
    run_engine_service_pb2,
)
from queueserver_client import AsyncClient, ExitStatus, ManagerState, Plan

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, history, queue, until, until_state
from tests.harness.raw import Stubs, connect, read_refusal, refused
from tests.harness.stack import Stack
from tests.harness.wait import bounded


def adding(name: str = "one_run", **more: Any) -> queue_items_pb2.AddItemRequest:
    return queue_items_pb2.AddItemRequest(item=item_pb2.ItemSpec(name=name), request_id=str(uuid.uuid4()), **more)


async def test_a_repeated_request_gets_the_first_answer_and_is_made_once(
    raw: Stubs, shared_client: AsyncClient
) -> None:
    request = adding()
    answer = await raw.queue.AddItem(request)
    await shared_client.queue.add(Plan("nothing"))
    for _ in range(3):
        assert await raw.queue.AddItem(request) == answer
    assert [item.name for item in await queue(shared_client)] == ["one_run", "nothing"]


async def test_the_same_request_sent_many_times_at_once_is_made_once(raw: Stubs, shared_client: AsyncClient) -> None:
    request = adding()
    answers = await asyncio.gather(*[raw.queue.AddItem(request) for _ in range(20)])
    assert {answer.item.item_uid for answer in answers} == {answers[0].item.item_uid}
    assert len(await queue(shared_client)) == 1


async def test_an_id_that_comes_with_another_content_is_refused(raw: Stubs, shared_client: AsyncClient) -> None:
    request = adding()
    await raw.queue.AddItem(request)
    before = await shared_client.status()
    other = adding("nothing")
    other.request_id = request.request_id
    for call in (
        raw.queue.AddItem(other),
        raw.queue.ClearQueue(queue_items_pb2.ClearQueueRequest(all=True, request_id=request.request_id)),
        raw.history.ClearHistory(history_service_pb2.ClearHistoryRequest(all=True, request_id=request.request_id)),
    ):
        refusal = await refused(call)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    assert (await shared_client.status()).revision == before.revision


async def test_of_different_requests_for_the_plan_with_one_id_at_the_same_time_one_is_made(
    raw: Stubs, shared_client: AsyncClient, shared_stack: Stack, gate: Gate
) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    request_id = str(uuid.uuid4())
    aborts = [run_engine_service_pb2.AbortPlanNowRequest(note=note, request_id=request_id) for note in "ab" * 3]
    answers = await asyncio.gather(*[raw.run_engine.AbortPlanNow(abort) for abort in aborts], return_exceptions=True)
    refusals = [read_refusal(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert [refusal.reason for refusal in refusals] == ["REQUEST_ID_REUSED"] * 3
    assert [isinstance(answer, grpc.aio.AioRpcError) for answer in answers] in ([False, True] * 3, [True, False] * 3)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.ABORTED
    await until_state(shared_client, ManagerState.IDLE)
    assert "never retrieved" not in shared_stack.log()


async def test_a_refused_request_may_be_repeated_under_its_id_when_it_fits(
    raw: Stubs, shared_client: AsyncClient
) -> None:
    last = queue_pb2.ItemAddress(back=True)
    remove = queue_items_pb2.RemoveItemRequest(address=last, request_id=str(uuid.uuid4()))
    assert (await refused(raw.queue.RemoveItem(remove))).reason == "POSITION_OUT_OF_RANGE"
    handle = await shared_client.queue.add(Plan("nothing"))
    assert (await raw.queue.RemoveItem(remove)).item.item_uid == handle.uid


async def test_the_same_answer_is_given_after_a_kill_of_the_manager(parts: Parts, parts_client: AsyncClient) -> None:
    add, batch = adding(), queue_items_pb2.AddItemsRequest(items=[item_pb2.ItemSpec(name="nothing")] * 3)
    batch.request_id = str(uuid.uuid4())
    mode = queue_execution_pb2.SetQueueModeRequest(loop=True, request_id=str(uuid.uuid4()))
    async with connect(parts.address) as raw:
        answers = [
            await raw.queue.AddItem(add),
            await raw.queue.AddItems(batch),
            await raw.queue.SetQueueMode(mode),
        ]
        parts.kill_manager()
    parts.start_manager()
    async with connect(parts.address) as raw:
        assert [
            await raw.queue.AddItem(add),
            await raw.queue.AddItems(batch),
            await raw.queue.SetQueueMode(mode),
        ] == answers
        other = adding("nothing")
        other.request_id = add.request_id
        assert (await refused(raw.queue.AddItem(other))).reason == "REQUEST_ID_REUSED"
    assert len(await queue(parts_client)) == 4


async def test_a_queue_whose_start_is_repeated_after_its_end_does_not_start_again(
    parts: Parts, parts_client: AsyncClient
) -> None:
    handle = await parts_client.queue.add(Plan("one_run"))
    start = queue_execution_pb2.StartQueueRequest(request_id=str(uuid.uuid4()))
    execute = queue_execution_pb2.ExecuteItemRequest(
        item=item_pb2.ItemSpec(name="one_run"), request_id=str(uuid.uuid4())
    )
    async with connect(parts.address) as raw:
        started = await raw.queue.StartQueue(start)
        await bounded(handle.result())
        await until_state(parts_client, ManagerState.IDLE)
        executed = await raw.queue.ExecuteItem(execute)
        await until(parts_client, lambda status: status.items_in_history == 2)
    await until_state(parts_client, ManagerState.IDLE)
    with parts.manager_killed():
        pass
    waiting = await parts_client.queue.add(Plan("nothing"))
    async with connect(parts.address) as raw:
        assert await raw.queue.StartQueue(start) == started
        assert await raw.queue.ExecuteItem(execute) == executed
    assert (await parts_client.status()).manager_state is ManagerState.IDLE
    assert (await waiting.status()).index == 0
    assert len(await history(parts_client)) == 2


async def test_a_client_whose_manager_is_killed_in_the_middle_of_a_call_repeats_it_by_itself(
    parts: Parts, parts_client: AsyncClient
) -> None:
    async with AsyncClient(parts.address, timeout=60) as client:
        await client.status()
        parts.manager.process.send(signal.SIGSTOP)
        calls = [asyncio.create_task(client.queue.add(Plan("one_run", str(number)))) for number in range(5)]
        await asyncio.wait(calls, timeout=0.1)
        with parts.manager_killed():
            assert not any(call.done() for call in calls)
        handles = await bounded(asyncio.gather(*calls))
    assert {item.uid for item in await queue(parts_client)} == {handle.uid for handle in handles}
    assert len(await queue(parts_client)) == 5


class Wire:
    """The way between a client and a server, on which answers may get lost."""

    def __init__(self, server: str) -> None:
        self._host, _, self._port = server.rpartition(":")
        self._writers: list[asyncio.StreamWriter] = []
        self.loses_answers = False

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what a client and the server say to each other."""
        server_reader, server_writer = await asyncio.open_connection(self._host, int(self._port))
        self._writers += [writer, server_writer]
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, server_writer, False), self._pass(server_reader, writer, True))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool) -> None:
        while chunk := await reader.read(65536):
            if not (answers and self.loses_answers):
                writer.write(chunk)
        writer.close()

    def cut(self) -> None:
        """Break all connections; later ones lose nothing."""
        self.loses_answers = False
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@contextlib.asynccontextmanager
async def bad_wire(server: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to a server, and the address at which it begins."""
    wire = Wire(server)
    listener = await asyncio.start_server(wire.connected, "127.0.0.1", 0)
    try:
        yield wire, f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        wire.cut()


@pytest.mark.parametrize("kills", [False, True])
async def test_a_client_whose_answer_was_lost_asks_again_and_the_change_is_made_once(
    parts: Parts, parts_client: AsyncClient, kills: bool
) -> None:
    async with bad_wire(parts.address) as (wire, address), AsyncClient(address, timeout=60) as client:
        await client.status()
        wire.loses_answers = True
        call = asyncio.create_task(client.queue.add(Plan("one_run")))
        await until(parts_client, lambda status: status.items_in_queue == 1)
        if kills:
            parts.kill_manager()
        wire.cut()
        if kills:
            parts.start_manager()
        handle = await bounded(call)
    (item,) = await queue(parts_client)
    assert (item.uid, handle.index, handle.queue_size) == (handle.uid, 0, 1)


async def test_an_abort_whose_answer_was_lost_does_not_abort_the_next_plan(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    handle, *_ = await begun(parts_client, Plan("stepping", gate.path))
    async with bad_wire(parts.address) as (wire, address), AsyncClient(address, timeout=60) as client:
        await client.status()
        wire.loses_answers = True
        call = asyncio.create_task(client.run_engine.abort_now())
        assert (await bounded(handle.result())).result.exit_status is ExitStatus.ABORTED
        await until_state(parts_client, ManagerState.IDLE)
        await parts_client.queue.clear()
        other, *_ = await begun(parts_client, Plan("stepping", gate.path))
        wire.cut()
        await bounded(call)
    gate.open()
    assert (await bounded(other.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(parts_client, ManagerState.IDLE)
