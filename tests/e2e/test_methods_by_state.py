"""Which methods each state of the Manager accepts: reads and edits in all of them, the others where they fit.

What is refused changes nothing and names the state and those that would do. Fleeting states are held by stopping a
process: without its environment the Manager goes on closing it, without its Worker on starting or destroying.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import (
    environment_service_pb2,
    error_details_pb2,
    history_service_pb2,
    queue_execution_pb2,
    queue_items_pb2,
    run_engine_service_pb2,
    status_pb2,
)
from queueserver_client import AsyncClient, EnvironmentState, ItemHandle, ManagerState, Plan

from tests.e2e.conftest import STARTUP
from tests.harness.gate import Gate
from tests.harness.parts import Parts, running_parts
from tests.harness.progress import begun, history, paused, queue, until, until_state
from tests.harness.raw import Refused, Stubs, connect, refused
from tests.harness.wait import bounded


@dataclass(frozen=True)
class Server:
    """A server to be brought into a state, with an open environment and an empty queue at first."""

    client: AsyncClient
    parts: Parts
    startup: Path
    gate: Gate


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the startup code, to which a test may add."""
    return Path(shutil.copytree(STARTUP, tmp_path_factory.mktemp("startup") / "code"))


@pytest.fixture(scope="module")
def parts(startup: Path) -> Iterator[Parts]:
    """Parts with that startup code."""
    with running_parts(startup) as running:
        yield running


@pytest.fixture
async def server(parts: Parts, parts_client: AsyncClient, startup: Path, gate: Gate) -> Server:
    return Server(parts_client, parts, startup, gate)


@contextlib.asynccontextmanager
async def closed(server: Server) -> AsyncIterator[None]:
    await server.client.environment.close()
    yield


@contextlib.asynccontextmanager
async def creating(server: Server) -> AsyncIterator[None]:
    await server.client.environment.close()
    waits = server.startup / "zz_waits.py"
    waits.write_text(f"open({server.gate.path!r}, 'rb').read(1)\n")
    await server.client.environment.open(wait=False)
    await until(server.client, lambda status: status.environment.progress == f"loading {waits.name}")
    yield
    waits.unlink()
    server.gate.open()
    assert (await server.client.environment.wait()).state is EnvironmentState.IDLE


@contextlib.asynccontextmanager
async def idle(server: Server) -> AsyncIterator[None]:
    del server
    yield


@contextlib.asynccontextmanager
async def starting(server: Server) -> AsyncIterator[None]:
    handle = await server.client.queue.add(Plan("one_run"))
    server.parts.worker.process.send(signal.SIGSTOP)
    try:
        await server.client.queue.start()
        yield
    finally:
        server.parts.worker.process.send(signal.SIGCONT)
    await ended(server, handle)


@contextlib.asynccontextmanager
async def executing(server: Server) -> AsyncIterator[None]:
    (handle,) = await begun(server.client, Plan("stepping", server.gate.path))
    yield
    server.gate.open()
    await ended(server, handle)


@contextlib.asynccontextmanager
async def pausing(server: Server) -> AsyncIterator[None]:
    (handle,) = await paused(server.client, Plan("stepping", server.gate.path))
    yield
    await server.client.run_engine.stop()
    await ended(server, handle)


@contextlib.asynccontextmanager
async def closing(server: Server) -> AsyncIterator[None]:
    pid = (await server.client.environment.get()).pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await server.client.environment.close(wait=False)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
    await until_state(server.client, ManagerState.IDLE)


@contextlib.asynccontextmanager
async def asking(server: Server) -> AsyncIterator[None]:
    await server.client.environment.close()
    async with command_in_flight(server, server.client.environment.open, ManagerState.CREATING_ENVIRONMENT):
        yield


@contextlib.asynccontextmanager
async def destroying(server: Server) -> AsyncIterator[None]:
    async with command_in_flight(server, server.client.environment.destroy, ManagerState.DESTROYING_ENVIRONMENT):
        yield


@contextlib.asynccontextmanager
async def command_in_flight(
    server: Server, command: Callable[[], Coroutine[Any, Any, Any]], state: ManagerState
) -> AsyncIterator[None]:
    """A command is on its way to a Worker that does not answer."""
    server.parts.worker.process.send(signal.SIGSTOP)
    try:
        sent = asyncio.create_task(command())
        await until_state(server.client, state)
        yield
    finally:
        server.parts.worker.process.send(signal.SIGCONT)
    await bounded(sent)


async def ended(server: Server, handle: ItemHandle) -> None:
    await server.client.queue.clear()
    await bounded(handle.result())
    await until_state(server.client, ManagerState.IDLE)


#: How to get into each state and out of it, and the name of the state.
STATES: dict[str, tuple[Callable[[Server], AbstractAsyncContextManager[None]], str]] = {
    "closed": (closed, "IDLE"),
    "asking": (asking, "CREATING_ENVIRONMENT"),
    "creating": (creating, "CREATING_ENVIRONMENT"),
    "idle": (idle, "IDLE"),
    "starting": (starting, "STARTING_QUEUE"),
    "executing": (executing, "EXECUTING_QUEUE"),
    "paused": (pausing, "PAUSED"),
    "closing": (closing, "CLOSING_ENVIRONMENT"),
    "destroying": (destroying, "DESTROYING_ENVIRONMENT"),
}
RUNNING = ["EXECUTING_QUEUE", "STARTING_QUEUE"]
ITEM = item_pb2.ItemSpec(name="one_run")
Call = Callable[[Stubs], Awaitable[Any]]
#: Each method that does not fit every state, and those that it fits.
CALLS: dict[str, tuple[Call, list[str]]] = {
    "OpenEnvironment": (
        lambda raw: raw.environment.OpenEnvironment(environment_service_pb2.OpenEnvironmentRequest()),
        ["IDLE"],
    ),
    "CloseEnvironment": (
        lambda raw: raw.environment.CloseEnvironment(environment_service_pb2.CloseEnvironmentRequest()),
        ["IDLE"],
    ),
    "StartQueue": (lambda raw: raw.queue.StartQueue(queue_execution_pb2.StartQueueRequest()), ["IDLE"]),
    "ExecuteItem": (lambda raw: raw.queue.ExecuteItem(queue_execution_pb2.ExecuteItemRequest(item=ITEM)), ["IDLE"]),
    "StopQueue": (lambda raw: raw.queue.StopQueue(queue_execution_pb2.StopQueueRequest()), RUNNING),
    "PausePlan": (lambda raw: raw.run_engine.PausePlan(run_engine_service_pb2.PausePlanRequest()), RUNNING),
    "ResumePlan": (lambda raw: raw.run_engine.ResumePlan(run_engine_service_pb2.ResumePlanRequest()), ["PAUSED"]),
    "StopPlan": (lambda raw: raw.run_engine.StopPlan(run_engine_service_pb2.StopPlanRequest()), ["PAUSED"]),
    "AbortPlan": (lambda raw: raw.run_engine.AbortPlan(run_engine_service_pb2.AbortPlanRequest()), ["PAUSED"]),
    "HaltPlan": (lambda raw: raw.run_engine.HaltPlan(run_engine_service_pb2.HaltPlanRequest()), ["PAUSED"]),
    "AbortPlanNow": (
        lambda raw: raw.run_engine.AbortPlanNow(run_engine_service_pb2.AbortPlanNowRequest()),
        [*RUNNING, "PAUSED"],
    ),
}


def expected(call: str, situation: str) -> str:
    """Reason with which a call is refused that does not fit."""
    if call == "OpenEnvironment" and situation in ("idle", "starting", "executing", "paused"):
        return "ENVIRONMENT_EXISTS"
    if situation == "closed" and call != "StopQueue":
        return "ENVIRONMENT_CLOSED"
    runs = call == "StartQueue" and situation in ("starting", "executing", "paused")
    return "QUEUE_RUNNING" if runs else "INVALID_STATE"


def unfit(situation: str) -> list[str]:
    """Calls that do not fit a situation."""
    _, state = STATES[situation]
    there_must_be_one = {"closed": ["CloseEnvironment", "StartQueue", "ExecuteItem"], "idle": ["OpenEnvironment"]}.get(
        situation, []
    )
    return [call for call, (_, allowed) in CALLS.items() if state not in allowed or call in there_must_be_one]


async def everything(raw: Stubs) -> tuple[Any, Any, Any]:
    """What a refused call must leave as it is."""
    items = await raw.queue.ListItems(queue_items_pb2.ListItemsRequest())
    entries = await raw.history.ListHistory(history_service_pb2.ListHistoryRequest())
    environment = await raw.environment.GetEnvironment(environment_service_pb2.GetEnvironmentRequest())
    return items, entries, environment


def assert_names_the_states(refusal: Refused, state: str, allowed: list[str]) -> None:
    detail = refusal.detail(error_details_pb2.InvalidState)
    named = [status_pb2.ManagerState.Value(f"MANAGER_STATE_{name}") for name in (state, *allowed)]
    assert (detail.state, set(detail.allowed_states)) == (named[0], set(named[1:]))
    for name in (state, *allowed):
        assert name in refusal.message
    assert refusal.message.endswith(".")


async def assert_refused(raw: Stubs, situation: str) -> None:
    """Call each method that does not fit; each is refused, and nothing changes."""
    _, state = STATES[situation]
    before, calls = await everything(raw), unfit(situation)
    refusals = await asyncio.gather(*[refused(CALLS[call][0](raw)) for call in calls])
    assert await everything(raw) == before
    for call, refusal in zip(calls, refusals, strict=True):
        assert (call, refusal.code) == (call, grpc.StatusCode.FAILED_PRECONDITION)
        assert (call, refusal.reason) == (call, expected(call, situation))
        if refusal.reason == "INVALID_STATE":
            assert_names_the_states(refusal, state, CALLS[call][1])


async def read_everything(client: AsyncClient) -> None:
    """Call each method that only reads; each answers."""
    items = await queue(client)
    assert (await client.queue.get(items[0].uid)).item == (await client.queue.get("front")).item == items[0]
    await history(client)
    assert (await client.inventory.plans()).plans
    assert (await client.inventory.devices()).devices
    await client.environment.get()
    await client.run_engine.runs()
    await client.explain_idle()


async def edit_everything(client: AsyncClient) -> None:
    """Call each method that edits; each is made."""
    one, two, three = await client.queue.add_batch([Plan("one_run", label) for label in "abc"])
    four = await client.queue.add(Plan("one_run", "d"), position="front")
    await client.queue.update(four.uid, Plan("one_run", "e"))
    await client.queue.move(four.uid, "back")
    await client.queue.move_batch([three.uid, one.uid], "front")
    assert [item.uid for item in await queue(client)] == [three.uid, one.uid, two.uid, four.uid]
    await client.queue.remove(two.uid)
    await client.queue.remove_batch([one.uid, four.uid], strict=True)
    assert await client.queue.clear() == 1
    assert (await client.queue.set_mode(loop=True)).loop is True
    await client.queue.set_mode(reset=True)
    await client.queue.set_autostart(enabled=True)
    await client.queue.set_autostart(enabled=False)
    await client.queue.cancel_stop()
    await client.history.clear()


@pytest.mark.parametrize("situation", STATES)
async def test_each_state_allows_reads_and_edits_and_refuses_what_does_not_fit_it_naming_the_states_that_would_do(
    server: Server, situation: str
) -> None:
    reached, state = STATES[situation]
    async with connect(server.parts.address) as raw, reached(server):
        handle = await server.client.queue.add(Plan("one_run"))
        await assert_refused(raw, situation)
        await read_everything(server.client)
        await handle.remove()
        await edit_everything(server.client)
        status = await server.client.status()
        assert (status.manager_state, status.items_in_queue) == (ManagerState(state.lower()), 0)
