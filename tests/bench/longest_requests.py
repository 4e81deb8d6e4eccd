"""Every method's longest request: how long it keeps the Manager's loop, and how long AbortPlanNow takes beside it.

Both are told without what the machine did for others meanwhile, and the best of several tries counts.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import grpc
from queueserver.manager.v1 import queue_items_pb2 as q
from queueserver.manager.v1 import run_engine_service_pb2 as re
from queueserver_client import AsyncClient, ManagerState

from tests.bench.figures import Figure
from tests.bounds.calls import begin_plan, carry_out, longest_requests, prepared
from tests.bounds.full_server import Server, full_server
from tests.bounds.methods import Method
from tests.bounds.requests import Long
from tests.harness.progress import until_state
from tests.harness.raw import Stubs, connect

STRETCH_AIM, ABORT_AIM = 0.020, 0.050
TRIES = 5


async def measure() -> list[Figure]:
    """One row for each request whose figures miss an aim, and one that counts all."""
    rows: list[Figure] = []
    with full_server() as server:
        async with connect(server.address) as stubs, AsyncClient(server.address) as client:
            for name, method, long in longest_requests():
                stretch, place = await _best_stretch(server, stubs, client, method, long)
                rows.append(
                    Figure(f"{name}: stretch of the loop", stretch * 1000, "ms", STRETCH_AIM * 1000, note=place)
                )
                if not long.alone:
                    taken = await _best_abort(server, stubs, client, method, long)
                    rows.append(Figure(f"{name}: AbortPlanNow", taken * 1000, "ms", ABORT_AIM * 1000))
    missed = [row for row in rows if not row.reached]
    return [Figure("figures that reach their aim", len(rows) - len(missed), f"of {len(rows)}"), *missed]


async def _best_stretch(
    server: Server, stubs: Stubs, client: AsyncClient, method: Method, long: Long
) -> tuple[float, str]:
    best, place = 1e9, ""
    for _ in range(TRIES):
        data = await prepared(stubs, long)
        await server.stretches.begin()
        await carry_out(stubs, method, data)
        # Comes behind what is being stored.
        await stubs.queue.ListItems(q.ListItemsRequest(page_size=1))
        stretch = await server.stretches.end()
        if stretch.seconds < best:
            best, place = stretch.seconds, stretch.place
        if long.alone:
            await until_state(client, ManagerState.IDLE)
            await client.environment.open()
        if best <= STRETCH_AIM:
            break
    return best, place


async def _best_abort(server: Server, stubs: Stubs, client: AsyncClient, method: Method, long: Long) -> float:
    best = 1e9
    for _ in range(TRIES):
        data = await prepared(stubs, long)
        await begin_plan(server, client)
        asking = asyncio.create_task(carry_out(stubs, method, data))
        best = min(best, await _longest_abort(server, stubs, asking))
        await asking
        if best <= ABORT_AIM:
            break
    return best


async def _longest_abort(server: Server, stubs: Stubs, asking: asyncio.Task[str]) -> float:
    """Call AbortPlanNow again and again while a request is carried out; returns how long it took at most.

    The first one ends a plan, the others find that there is none. One that comes when the plan has ended and that is
    not stored yet waits for the commit under way, because the next plan may begin with it: that is accepted, and not
    counted. Neither is time for which the processors did something else.
    """
    longest, answered = 0.0, False
    while not (asking.done() and answered):
        waited, begun = _held_up(server.pids), time.perf_counter()
        code = await stubs.run_engine.AbortPlanNow(re.AbortPlanNowRequest()).code()
        taken = time.perf_counter() - begun
        if not answered or code is not grpc.StatusCode.OK:
            longest = max(longest, taken - (_held_up(server.pids) - waited))
        answered = True
    return longest


def _held_up(pids: tuple[int, ...]) -> float:
    """Seconds for which threads of the services and of this process were ready to run and did not get a processor."""
    files = [file for pid in (*pids, os.getpid()) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(file.read_text().split()[1]) for file in files) / 1e9
