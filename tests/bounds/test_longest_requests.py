"""Whatever a client asks for, as much of it as it may: nobody else waits for it, and least of all who stops a plan."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import grpc
import pytest
from queueserver.manager.v1 import queue_items_pb2 as q
from queueserver.manager.v1 import run_engine_service_pb2 as re
from queueserver_client import AsyncClient, ManagerState, Plan, RunEngineState

from tests.bounds import locks
from tests.bounds.conftest import Server
from tests.bounds.methods import METHODS, Method
from tests.bounds.requests import LONGEST, Long, typical
from tests.harness.loop_stretches import Stretch
from tests.harness.progress import until, until_state
from tests.harness.raw import Stubs

#: Processor time for which the loop may not come back to others, and the time until AbortPlanNow is answered.
STRETCH_SECONDS, ABORT_SECONDS = 0.020, 0.050
#: A machine with much to do spoils a measurement; it does not spoil so many.
TRIES = 5
CASES = [
    pytest.param(method, long, id=f"{method}-{long.label}" if long.label else str(method))
    for method in METHODS
    for long in LONGEST.get(str(method), ())
]


def test_every_method_has_an_entry() -> None:
    assert sorted(LONGEST) == sorted(map(str, METHODS))


async def carry_out(stubs: Stubs, method: Method, data: bytes) -> str:
    """Ask, read everything that comes at once, and say how it was answered."""
    try:
        if not method.is_stream:
            await stubs.channel.unary_unary(method.path)(data)
            return "OK"
        stream = stubs.channel.unary_stream(method.path)(data)
        async for answer in stream:
            if "Watch" not in method.name or method.response.FromString(answer).resume_token:
                break
        stream.cancel()
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"
    finally:
        if method.path.startswith("/queueserver.manager.v1.LockService/"):
            await locks.release(stubs)
    return "OK"


async def queue_of(stubs: Stubs, size: int) -> None:
    """Let the queue have so many items."""
    listed = await stubs.queue.ListItems(q.ListItemsRequest(page_size=1))
    if listed.queue_size > size:
        await stubs.queue.ClearQueue(q.ClearQueueRequest(all=True))
        listed = await stubs.queue.ListItems(q.ListItemsRequest(page_size=1))
    missing = size - listed.queue_size
    while missing:
        part = min(missing, 50_000)
        await stubs.queue.AddItems(q.AddItemsRequest(items=[typical()] * part))
        missing -= part


async def prepared(stubs: Stubs, long: Long) -> bytes:
    """The request, serialized, when everything is as it has to be."""
    if long.queue is not None:
        await queue_of(stubs, long.queue)
    data: bytes = (await long.make(stubs)).SerializeToString()
    return data


async def measured_stretch(server: Server, stubs: Stubs, method: Method, data: bytes) -> tuple[Stretch, str]:
    """The longest stretch until a request is answered and what it set off is under way."""
    await server.stretches.begin()
    answer = await carry_out(stubs, method, data)
    # Comes behind what is being stored.
    await stubs.queue.ListItems(q.ListItemsRequest(page_size=1))
    return await server.stretches.end(), answer


@pytest.mark.parametrize(("method", "long"), CASES)
async def test_the_longest_request_leaves_the_loop_to_others(
    server: Server, raw: Stubs, client: AsyncClient, method: Method, long: Long
) -> None:
    best = Stretch(1e9)
    for _ in range(TRIES):
        data = await prepared(raw, long)
        stretch, answer = await measured_stretch(server, raw, method, data)
        best = min(best, stretch, key=lambda one: one.seconds)
        if long.alone:
            await until_state(client, ManagerState.IDLE)
            await client.environment.open()
        if best.seconds <= STRETCH_SECONDS:
            return
    pytest.fail(f"{len(data)} bytes, answered {answer[:200]}: {best.seconds * 1000:.1f} ms, in\n{best.place}")


async def begin_plan(server: Server, client: AsyncClient) -> None:
    """Let a plan run that waits, whatever goes on."""
    await until_state(client, ManagerState.IDLE)
    await client.queue.execute(Plan("gated_run", server.gate.path))
    await until(client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)


async def code_of(call: grpc.aio.UnaryUnaryCall) -> grpc.StatusCode:
    """How a call is answered."""
    return await call.code()


async def abort_beside(server: Server, stubs: Stubs, asking: asyncio.Task[str]) -> float:
    """Ask for AbortPlanNow again and again while a request is carried out; answers how long it took at most.

    The first one ends a plan, the others find that there is none. One that comes when the plan has ended and that is
    not stored yet waits for the commit under way, because the next plan may begin with it: that is accepted, and not
    counted. Neither is time for which the processors did something else.
    """
    longest, answered = 0.0, False
    while not (asking.done() and answered):
        waited, begun = held_up(server.pids), time.perf_counter()
        code = await code_of(stubs.run_engine.AbortPlanNow(re.AbortPlanNowRequest()))
        taken = time.perf_counter() - begun
        if not answered or code is not grpc.StatusCode.OK:
            longest = max(longest, taken - (held_up(server.pids) - waited))
        assert code is grpc.StatusCode.OK or (answered and code is grpc.StatusCode.FAILED_PRECONDITION)
        answered = True
    return longest


@pytest.mark.parametrize(("method", "long"), [case for case in CASES if not case.values[1].alone])
async def test_a_plan_is_aborted_at_once_beside_the_longest_request(
    server: Server, raw: Stubs, client: AsyncClient, method: Method, long: Long
) -> None:
    best = 1e9
    for _ in range(TRIES):
        data = await prepared(raw, long)
        await begin_plan(server, client)
        asking = asyncio.create_task(carry_out(raw, method, data))
        best = min(best, await abort_beside(server, raw, asking))
        await asking
        if best <= ABORT_SECONDS:
            return
    pytest.fail(f"{len(data)} bytes: AbortPlanNow took {best * 1000:.0f} ms")


def held_up(pids: tuple[int, ...]) -> float:
    """Seconds for which threads of the services and of this test were ready to run and did not get a processor."""
    files = [file for pid in (*pids, os.getpid()) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(file.read_text().split()[1]) for file in files) / 1e9
