"""``python -m tests.bench [--only NAME]…``: run the benchmarks, print a table, write JSON."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from tests.bench import (
    adding,
    allowing,
    batch,
    checking,
    editing,
    execution,
    latency,
    listing,
    longest_requests,
    memory,
    opening,
    pausing,
    replicas,
    report,
    status,
    tasks,
)
from tests.bench.figures import Figure
from tests.bench.usage import Others

BENCHMARKS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "execution": execution.measure,
    "latency": latency.measure,
    "adding": adding.measure,
    "replicas": replicas.measure,
    "batch": batch.measure,
    "big batch": batch.measure_big,
    "editing": editing.measure,
    "listing": listing.measure,
    "long listing": listing.measure_long,
    "status": status.measure,
    "pausing": pausing.measure,
    "tasks": tasks.measure,
    "checking": checking.measure,
    "checking again": checking.measure_queue,
    "opening": opening.measure,
    "open big profile": opening.measure_big,
    "allowed lists": allowing.measure,
    "memory": memory.measure,
}
#: These are measured only if they are asked for.
APART = {"longest requests": longest_requests.measure}
#: Columns of the table when it does not go to a terminal.
_FILE_WIDTH = 170


def main() -> None:
    """Run what was chosen."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    results: dict[str, list[Figure]] = {}
    others: dict[str, float] = {}
    for name in options.only or BENCHMARKS:
        console.print(f"[dim]{name} …[/]", end="")
        begin, other_work = time.perf_counter(), Others()
        results[name] = asyncio.run(_measure(name))
        seconds = time.perf_counter() - begin
        others[name] = other_work.processors(seconds)
        console.print(f"[dim] {seconds:.0f} s; other work took {others[name]:.1f} of {os.cpu_count()} processors[/]")
    report.show(console, results)
    console.print(f"Written to {report.save(options.output, results, others)}")


async def _measure(name: str) -> list[Figure]:
    return await {**BENCHMARKS, **APART}[name]()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=[*BENCHMARKS, *APART],
        metavar="NAME",
        help=f"one of {', '.join([*BENCHMARKS, *APART])}; repeatable",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("bench-results"),
        metavar="FOLDER",
        help="where the JSON goes (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    main()
