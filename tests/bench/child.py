"""A measuring process of its own, so that what measures does not slow down what is measured in the same loop.

The child says "ready", waits until its input has a line or ends, works, and writes one line of JSON. Moments are those
of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

BOUND_SECONDS = 120.0
_LINE_BYTES = 64 * 1024 * 1024


class Child:
    """A process that was started by :func:`start` and has said that it is ready."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """Its next line. EOFError if it ended instead."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), BOUND_SECONDS)
        if not line:
            raise EOFError("a measuring process ended before it had a result; its error is above")
        return line.decode().strip()

    async def go(self) -> None:
        """Let it begin, or, if it began by itself, let it end."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        await self._process.stdin.drain()

    async def result(self) -> dict[str, Any]:
        """What it measured."""
        answer: dict[str, Any] = json.loads(await self.line())
        return answer


@contextlib.asynccontextmanager
async def start(module: str, *arguments: object) -> AsyncIterator[Child]:
    """Start ``python -m module arguments``; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    try:
        child = Child(process)
        if await child.line() != "ready":
            raise ValueError(f"{module} said something else than that it is ready")
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def say(result: object) -> None:
    """In the child: write a line to the parent."""
    sys.stdout.write(f"{result if isinstance(result, str) else json.dumps(result)}\n")
    sys.stdout.flush()
