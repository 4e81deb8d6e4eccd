"""Pausing a plan at once, alone and while another client sends batches of 10,000 items."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver.manager.v1 import run_engine_service_pb2 as engine
from queueserver.manager.v1 import status_pb2 as status
from queueserver.manager.v1.queue_execution_pb2 import ExecuteItemRequest

from tests.bench import child
from tests.bench.batch import BIG_BATCH
from tests.bench.channel import Stubs, connect, plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.meanwhile import within
from tests.bench.queue_run import BOUND_SECONDS, open_environment
from tests.bench.startup_code import bench_startup
from tests.harness.stack import running_stack

ROUNDS = 40


@dataclass
class Pauses:
    """When each pause was asked for and seconds until something, as (beginning, seconds)."""

    #: Until the call was answered.
    answered: list[tuple[float, float]] = field(default_factory=list)
    #: Until a watcher was told that the plan is paused.
    known: list[tuple[float, float]] = field(default_factory=list)


async def measure() -> list[Figure]:
    """One plan that is paused and resumed again and again."""
    with bench_startup() as startup, running_stack(startup=startup) as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            async with _state_changes(stubs) as states:
                await stubs.queue.ExecuteItem(ExecuteItemRequest(item=plan("waiting")))
                await _until(states, status.MANAGER_STATE_EXECUTING_QUEUE)
                alone = await _pause(stubs, states)
                async with child.start("tests.bench.batcher", stack.address, BIG_BATCH) as batcher:
                    loaded = await _pause(stubs, states)
                    await batcher.go()
                    windows = (await batcher.result())["windows"]
                await stubs.run_engine.AbortPlanNow(engine.AbortPlanNowRequest())
                await _until(states, status.MANAGER_STATE_IDLE)
    everything = [(0.0, time.monotonic())]
    return [
        *_figures("pause, nobody else", alone, everything, None),
        *_figures(f"pause during batches of {BIG_BATCH:,}", loaded, windows, 20),
    ]


def _figures(what: str, pauses: Pauses, windows: list[tuple[float, float]], aim: float | None) -> list[Figure]:
    answered, known = within(windows, pauses.answered), within(windows, pauses.known)
    return [
        Figure(f"{what}: answered, p50", milliseconds(answered), "ms", note=spread(answered)),
        Figure(f"{what}: answered, max", max(answered) * 1000, "ms", aim=aim),
        Figure(f"{what}: plan is paused, p50", milliseconds(known), "ms", note=spread(known)),
        Figure(f"{what}: plan is paused, max", max(known) * 1000, "ms"),
    ]


async def _pause(stubs: Stubs, states: AsyncIterator[int]) -> Pauses:
    pauses = Pauses()
    request = engine.PausePlanRequest(option=engine.PAUSE_OPTION_IMMEDIATE)
    for _ in range(ROUNDS):
        begin = time.monotonic()
        await stubs.run_engine.PausePlan(request)
        pauses.answered.append((begin, time.monotonic() - begin))
        await _until(states, status.MANAGER_STATE_PAUSED)
        pauses.known.append((begin, time.monotonic() - begin))
        await stubs.run_engine.ResumePlan(engine.ResumePlanRequest())
        await _until(states, status.MANAGER_STATE_EXECUTING_QUEUE)
    return pauses


@contextlib.asynccontextmanager
async def _state_changes(stubs: Stubs) -> AsyncIterator[AsyncIterator[int]]:
    """States of the Manager as a watcher hears of them."""
    call = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_STATUS]))
    try:
        yield _states(call)
    finally:
        call.cancel()


async def _states(call: Any) -> AsyncIterator[int]:
    async for message in call:
        for event in message.batch.events:
            if event.HasField("status"):
                yield event.status.manager_state


async def _until(states: AsyncIterator[int], wanted: int) -> None:
    async def wait() -> None:
        async for state in states:
            if state == wanted:
                return
        raise EOFError("the Manager stopped telling its state; its log is above")

    await asyncio.wait_for(wait(), BOUND_SECONDS)
