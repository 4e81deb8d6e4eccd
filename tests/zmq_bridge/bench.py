"""``python -m tests.zmq_bridge.bench``: the bridge beside a real bluesky-queueserver, with the same bare client."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.bench import report
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.usage import Others
from tests.zmq_bridge.differential.servers import bridge_server, real_server
from tests.zmq_bridge.old_client import OldClient

ITEM = {
    "item_type": "plan",
    "name": "count",
    "args": [["det1", "det2"]],
    "kwargs": {"num": 3},
    "meta": {"sample": "bench"},
}
SUBMITTER = {"user": "bench", "user_group": "primary"}
BATCH = 1000
LONG = 10_000
#: What is measured of each server, in turn, so that what else the machine does concerns both.
ROUNDS = 3


def main() -> None:
    """Measure both, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("bench-results"))
    options = parser.parse_args()
    console = Console(highlight=False, width=170)
    others, begin = Others(), time.perf_counter()
    samples: dict[str, dict[str, list[float]]] = {}
    with real_server() as real, bridge_server() as bridge:
        for side in (real, bridge):
            assert side.ask("environment_open")["success"]
            side.wait_until(lambda status: status["worker_environment_state"] == "idle", "an open environment")
        for _ in range(ROUNDS):
            for name, address in (("0.0.25", real.address), ("bridge", bridge.address)):
                console.print(f"[dim]{name} …[/]")
                with OldClient(address, patience=30.0) as client:
                    for label, taken in _measure(client).items():
                        samples.setdefault(label, {}).setdefault(name, []).extend(taken)
    results = {"0MQ bridge": [_figure(label, by_server) for label, by_server in samples.items()]}
    report.show(console, results)
    work = {"0MQ bridge": others.processors(time.perf_counter() - begin)}
    console.print(f"Written to {report.save(options.output, results, work)}")


def _measure(client: OldClient) -> dict[str, list[float]]:
    """Seconds of each call, by what it was."""

    def add() -> dict[str, Any]:
        return client("queue_item_add", item=ITEM, **SUBMITTER)

    client("queue_clear")
    taken = {"status": _take(500, lambda: client("status")), "queue_item_add": _take(200, add)}
    client("queue_clear")
    _take(10, add)
    taken["queue_get, 10 items"] = _take(200, lambda: client("queue_get"))
    for _ in range(LONG // BATCH):
        added = client("queue_item_add_batch", items=[ITEM] * BATCH, **SUBMITTER)
        assert added["success"], added["msg"]
    taken["queue_get, 10,000 items, unchanged"] = _take(10, lambda: client("queue_get"))
    changed: list[float] = []
    for _ in range(10):
        add()
        changed += _take(1, lambda: client("queue_get"))
    taken["queue_get, 10,000 items, one more each time"] = changed
    taken["queue_item_add, 10,000 items"] = _take(100, add)
    taken["status, 10,000 items"] = _take(200, lambda: client("status"))
    client("queue_clear")
    return taken


def _take(times: int, call: Callable[[], dict[str, Any]]) -> list[float]:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        answer = call()
        taken.append(time.perf_counter() - begin)
        assert answer.get("success", True), answer["msg"]
    return taken


def _figure(label: str, by_server: dict[str, Sequence[float]] | dict[str, list[float]]) -> Figure:
    bridge, real = by_server["bridge"], by_server["0.0.25"]
    existing = f"{milliseconds(real):.3g} ms, {_rate(real)}/s, p99 {milliseconds(real, 99):.3g} ms"
    return Figure(label, milliseconds(bridge), "ms", existing=existing, note=f"{_rate(bridge)}/s; {spread(bridge)}")


def _rate(samples: Sequence[float]) -> str:
    return f"{len(samples) / sum(samples):,.0f}"


if __name__ == "__main__":
    main()
