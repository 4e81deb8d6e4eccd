"""How much longer a plan takes in the queue than in a bare loop, and how long nothing runs between two plans."""

from __future__ import annotations

import statistics
from itertools import pairwise

from queueserver.common.v1.item_pb2 import HistoryEntry

from tests.bench import child
from tests.bench.channel import Stubs, connect, plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.plain import WARM_UP
from tests.bench.queue_run import open_environment, run_queue
from tests.harness.services import DEMO_STARTUP
from tests.harness.stack import running_stack

PLANS = 200
ROUNDS = 5


async def measure() -> list[Figure]:
    """Alternate between the bare loop and the queue, and compare the best rounds: other work can only add time."""
    bare: list[float] = []
    queued: list[float] = []
    entries: list[list[HistoryEntry]] = []
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await run_queue(stubs, [plan("count", ["det1"], num=1)] * WARM_UP)
            for _ in range(ROUNDS):
                bare.append(await _bare_round())
                seconds, history = await _queue_round(stubs)
                queued.append(seconds)
                entries.append(history)
    gaps = [gap for history in entries for gap in _gaps(history)]
    inside = [_seconds(entry) for history in entries for entry in history]
    beyond = min(queued) - min(bare)
    return [
        Figure("bare RE(plan) loop, per plan", min(bare) * 1000, "ms", existing="5.6", note=_rounds(bare)),
        Figure("in the queue, per plan", min(queued) * 1000, "ms", existing="500", note=_rounds(queued)),
        Figure("queue beyond bare loop, per plan", beyond * 1000, "ms", aim=5, existing="495"),
        Figure("dead time between plans, p50", milliseconds(gaps), "ms", note=spread(gaps)),
        Figure("plan itself, start to stop, p50", milliseconds(inside), "ms", note=spread(inside)),
    ]


def _rounds(seconds: list[float]) -> str:
    return f"best of {', '.join(f'{each * 1000:.2f}' for each in seconds)} ms, each of {PLANS} plans"


async def _bare_round() -> float:
    async with child.start("tests.bench.plain", DEMO_STARTUP, PLANS) as bare:
        await bare.go()
        return statistics.fmean((await bare.result())["seconds"])


async def _queue_round(stubs: Stubs) -> tuple[float, list[HistoryEntry]]:
    heard = await run_queue(stubs, [plan("count", ["det1"], num=1)] * PLANS)
    if len(heard.history) != PLANS:
        raise RuntimeError(f"{len(heard.history)} of {PLANS} plans ended")
    return heard.wall / PLANS, heard.history


def _gaps(history: list[HistoryEntry]) -> list[float]:
    """Seconds from the end of each plan to the beginning of the next, measured where they ran."""
    return [
        (later.result.start_time.ToNanoseconds() - earlier.result.stop_time.ToNanoseconds()) / 1e9
        for earlier, later in pairwise(history)
    ]


def _seconds(entry: HistoryEntry) -> float:
    return (entry.result.stop_time.ToNanoseconds() - entry.result.start_time.ToNanoseconds()) / 1e9
