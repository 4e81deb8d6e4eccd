"""Child process: a client that asks for the status again as soon as it has an answer, until it is told to end.

``python -m tests.bench.prober ADDRESS`` writes when each call began and how long it took.
"""

from __future__ import annotations

import asyncio
import sys
import time

from queueserver.manager.v1.status_service_pb2 import GetStatusRequest

from tests.bench.channel import connect
from tests.bench.child import say

_WARM_UP = 200


async def main() -> None:
    """Ask until a line arrives."""
    async with connect(sys.argv[1]) as stubs:
        for _ in range(_WARM_UP):
            await stubs.status.GetStatus(GetStatusRequest())
        say("ready")
        told = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
        calls: list[tuple[float, float]] = []
        while not told.done():
            begin = time.monotonic()
            await stubs.status.GetStatus(GetStatusRequest())
            calls.append((begin, time.monotonic() - begin))
        say({"calls": calls})


if __name__ == "__main__":
    asyncio.run(main())
