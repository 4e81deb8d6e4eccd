"""Memory of each process: what is its own plus its share of what it shares (PSS).

Redis is told separately and not counted. What is shared with unrelated processes of the same Python on the machine
makes PSS smaller, so the note has the part that is a process's very own (USS).
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it has no type information
from queueserver.manager.v1.queue_items_pb2 import AddItemsRequest
from queueserver.manager.v1.status_service_pb2 import GetStatusRequest

from tests.bench.channel import connect, typical_plan
from tests.bench.figures import Figure
from tests.bench.queue_run import open_environment
from tests.harness.stack import Part, Stack, running_stack

ITEMS = 10_000
_MB = 1e6
_CLOSED: tuple[Part, ...] = ("manager", "worker")
_OPEN: tuple[Part, ...] = (*_CLOSED, "environment")


@dataclass(frozen=True)
class Size:
    """Of one process, in bytes."""

    pss: int
    uss: int


async def measure() -> list[Figure]:
    """No client is connected while the idle sizes are taken."""
    with running_stack() as stack:
        closed = _sizes(stack, _CLOSED)
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
        opened = _sizes(stack, _OPEN)
        async with connect(stack.address) as stubs:
            await stubs.queue.AddItems(AddItemsRequest(items=[typical_plan()] * ITEMS))
            # The answer arrives before the Manager has put away the request; what is asked next is answered after it.
            await stubs.status.GetStatus(GetStatusRequest())
        full = _sizes(stack, _OPEN)
        redis = _size(stack.pid("redis"))
    return [
        _sum("idle, environment closed: all", closed, None, ""),
        *_parts("idle, environment closed", closed),
        _sum("idle, environment open: all", opened, 165, "165"),
        *_parts("idle, environment open", opened),
        _sum("10,000 items: all", full, None, "195"),
        *_parts("10,000 items", full),
        Figure("Redis, with 10,000 items (not counted)", redis.pss / _MB, "MB", note=f"uss {redis.uss / _MB:.0f}"),
    ]


def _sizes(stack: Stack, parts: tuple[Part, ...]) -> dict[str, Size]:
    return {"standalone": _size(stack.supervisor.pid), **{part: _size(stack.pid(part)) for part in parts}}


def _size(pid: int) -> Size:
    info = psutil.Process(pid).memory_full_info()
    return Size(int(info.pss), int(info.uss))


def _sum(label: str, sizes: dict[str, Size], aim: float | None, existing: str) -> Figure:
    total = sum(size.pss for size in sizes.values()) / _MB
    own = sum(size.uss for size in sizes.values()) / _MB
    return Figure(label, total, "MB", aim=aim, existing=existing, note=f"uss {own:.0f}")


def _parts(label: str, sizes: dict[str, Size]) -> list[Figure]:
    return [
        Figure(f"{label}: {name}", size.pss / _MB, "MB", note=f"uss {size.uss / _MB:.0f}")
        for name, size in sizes.items()
    ]
