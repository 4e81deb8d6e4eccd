"""How long after something happened in the environment a client knows it.

The moment itself comes from the environment's clock (in the text, in the document, in the result); a client on the
same machine compares it with its own.
"""

from __future__ import annotations

import re

from queueserver.manager.v1 import event_pb2 as events

from tests.bench.channel import connect, plan
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.queue_run import Heard, open_environment, run_queue
from tests.bench.startup_code import bench_startup
from tests.harness.stack import running_stack

TICKS = 200
PLANS = 100
#: The text may arrive in pieces of any length, so only a whole tick within one piece counts.
_TICK = re.compile(r"tick (\d+\.\d+) tock")
_KINDS = (
    events.EVENT_KIND_QUEUE,
    events.EVENT_KIND_HISTORY,
    events.EVENT_KIND_CONSOLE,
    events.EVENT_KIND_DOCUMENT,
)
_EXISTING = "260 (p95 480)"


async def measure() -> list[Figure]:
    """A plan that ticks, and a queue of short plans."""
    with bench_startup() as startup, running_stack(startup=startup) as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await run_queue(stubs, [plan("ticking", 20)], _KINDS)
            ticks = await run_queue(stubs, [plan("ticking", TICKS)], _KINDS)
            plans = await run_queue(stubs, [plan("count", ["det1"], num=1)] * PLANS)
    return [
        *_figures("document", _documents(ticks)),
        *_figures("console text", _console(ticks)),
        *_figures("end of a plan", _ends(plans)),
    ]


def _figures(what: str, delays: list[float]) -> list[Figure]:
    return [
        Figure(f"{what}, p50", milliseconds(delays), "ms", aim=5, existing=_EXISTING, note=spread(delays)),
        Figure(f"{what}, p99", milliseconds(delays, 99), "ms", aim=15),
    ]


def _documents(heard: Heard) -> list[float]:
    return [now - event.document.document.event.time for event, now in heard.events if _is_reading(event)]


def _is_reading(event: events.WatchEvent) -> bool:
    return event.HasField("document") and event.document.document.HasField("event")


def _console(heard: Heard) -> list[float]:
    pieces = [(event.console.text, now) for event, now in heard.events if event.HasField("console")]
    return [now - float(moment) for text, now in pieces for moment in _TICK.findall(text)]


def _ends(heard: Heard) -> list[float]:
    added = [(event.history_added.entry, now) for event, now in heard.events if event.HasField("history_added")]
    return [now - entry.result.stop_time.ToNanoseconds() / 1e9 for entry, now in added]
