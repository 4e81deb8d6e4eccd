"""Child process: a client that sends one batch after the other until it is told to end.

``python -m tests.bench.batcher ADDRESS ITEMS`` writes when each batch was on its way.
"""

from __future__ import annotations

import asyncio
import sys

from tests.bench.batch import send_batches
from tests.bench.channel import connect
from tests.bench.child import say
from tests.bench.meanwhile import Window


async def main() -> None:
    """Send until a line arrives."""
    address, items = sys.argv[1], int(sys.argv[2])
    async with connect(address) as stubs:
        await send_batches(stubs, items, 1)
        say("ready")
        told = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
        windows: list[Window] = []
        while not told.done():
            windows += await send_batches(stubs, items, 1)
        say({"windows": windows})


if __name__ == "__main__":
    asyncio.run(main())
