"""A call that its caller gave up: what it asked for is done all the same, or never begun."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
from queueserver.common.v1.item_pb2 import ItemSpec
from queueserver.manager.v1 import queue_items_pb2, run_engine_service_pb2, status_service_pb2
from queueserver_client import AsyncClient, EventKind, ExitStatus, HistoryAdded, Plan, Snapshot

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun
from tests.harness.raw import Stubs, connect
from tests.harness.wait import bounded, first

#: Seconds: long enough to be heard, too short for an answer of somebody who stands still.
DEADLINE = 1.5


@pytest.fixture
async def stubs(parts: Parts) -> AsyncIterator[Stubs]:
    async with connect(parts.address) as connected:
        yield connected


async def leave(call: grpc.aio.UnaryUnaryCall[object, object], stubs: Stubs, how: str) -> None:
    """Give a call up that was heard and can't be answered now."""
    # What comes later on the same connection is answered: the call before was heard.
    for _ in range(5):
        await stubs.status.GetStatus(status_service_pb2.GetStatusRequest())
    assert not call.done()
    if how == "cancelled":
        call.cancel()
    assert await bounded(call.code()) is getattr(grpc.StatusCode, how.upper())


@contextlib.contextmanager
def worker_frozen(parts: Parts) -> Iterator[None]:
    """The Worker stands still inside and goes on afterwards."""
    parts.worker.process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        parts.worker.process.send(signal.SIGCONT)


HOW = pytest.mark.parametrize("how", ["cancelled", "deadline_exceeded"])


@HOW
async def test_an_item_is_added_although_who_added_it_has_left(
    parts: Parts, parts_client: AsyncClient, stubs: Stubs, how: str
) -> None:
    request = queue_items_pb2.AddItemRequest(item=ItemSpec(name="one_run"), request_id=f"given up: {how}")
    async with parts_client.watch([EventKind.QUEUE]) as watch:
        begin = await first(watch, lambda _: True)
        assert isinstance(begin, Snapshot)
        with parts.redis_frozen():
            call = stubs.queue.AddItem(request, timeout=DEADLINE if how == "deadline_exceeded" else None)
            await leave(call, stubs, how)
        again = await stubs.queue.AddItem(request)
        await first(watch, expect.added(again.item.item_uid))
    assert again.revision == begin.revision + 1
    assert [item.uid async for item in parts_client.queue.list()] == [again.item.item_uid]


@HOW
async def test_a_plan_is_aborted_although_who_aborted_it_has_left(
    parts: Parts, parts_client: AsyncClient, stubs: Stubs, gate: Gate, how: str
) -> None:
    async with parts_client.watch([EventKind.HISTORY]) as watch:
        await first(watch, lambda _: True)
        [handle] = await begun(parts_client, Plan("gated_run", gate.path))
        with worker_frozen(parts):
            request = run_engine_service_pb2.AbortPlanNowRequest()
            call = stubs.run_engine.AbortPlanNow(request, timeout=DEADLINE if how == "deadline_exceeded" else None)
            await leave(call, stubs, how)
        end = await first(watch, expect.in_history(handle.uid))
    assert isinstance(end, HistoryAdded)
    assert end.entry.result.exit_status is ExitStatus.ABORTED
