"""Adding single, validated plans: one client, and sixteen at once."""

from __future__ import annotations

import contextlib

from queueserver.manager.v1.queue_items_pb2 import ClearQueueRequest

from tests.bench import child
from tests.bench.adder import WARM_UP
from tests.bench.channel import connect
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.queue_run import open_environment
from tests.bench.usage import processor_seconds
from tests.harness.stack import running_stack

ADDS = 1000
CLIENTS = 16
ADDS_EACH = 200
ROUNDS = 3


async def measure() -> list[Figure]:
    """The best of some rounds for rates: other work on the machine can only make them worse."""
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)

            async def adding(processes: int, clients: int, items: int, kind: str) -> tuple[float, list[float]]:
                await stubs.queue.ClearQueue(ClearQueueRequest(all=True))
                return await _add(stack.address, processes, clients, items, kind)

            manager = stack.pid("manager")
            _, raw = await adding(1, 1, ADDS, "raw")
            _, ours = await adding(1, 1, ADDS, "client")
            before = processor_seconds(manager)
            one = [await adding(1, CLIENTS, ADDS_EACH, "raw") for _ in range(ROUNDS)]
            two = [await adding(2, CLIENTS // 2, ADDS_EACH, "raw") for _ in range(ROUNDS)]
            used = (processor_seconds(manager) - before) / (2 * ROUNDS * CLIENTS * (ADDS_EACH + WARM_UP))
            client = [await adding(2, CLIENTS // 2, ADDS_EACH, "client") for _ in range(ROUNDS)]
    return [
        Figure("one client, p50", milliseconds(raw), "ms", aim=1.2, existing="1.6-2.3", note=spread(raw)),
        Figure("one client, p99", milliseconds(raw, 99), "ms"),
        Figure("one client, our Python client, p50", milliseconds(ours), "ms", note=spread(ours)),
        _rate("16 clients in 2 processes", two, 2000),
        _rate("16 clients in 1 process", one, None),
        Figure("Manager's processor time per add", used * 1000, "ms", note="16 clients; bounds the rate"),
        _rate("16 of our Python clients in 2 processes", client, None),
    ]


def _rate(label: str, rounds: list[tuple[float, list[float]]], aim: float | None) -> Figure:
    rate, samples = max(rounds)
    rates = ", ".join(f"{each:.0f}" for each, _ in rounds)
    note = f"rounds {rates}; one add: {spread(samples)}"
    return Figure(label, rate, "/s", aim=aim, at_least=True, existing="610-820" if aim else "", note=note)


async def _add(address: str, processes: int, clients: int, items: int, kind: str) -> tuple[float, list[float]]:
    """Adds per second of all processes together, and the seconds of each add."""
    async with contextlib.AsyncExitStack() as stack:
        adders = [
            await stack.enter_async_context(child.start("tests.bench.adder", address, clients, items, kind))
            for _ in range(processes)
        ]
        for adder in adders:
            await adder.go()
        results = [await adder.result() for adder in adders]
    wall = max(result["end"] for result in results) - min(result["begin"] for result in results)
    samples: list[float] = [one for result in results for one in result["seconds"]]
    return len(samples) / wall, samples
