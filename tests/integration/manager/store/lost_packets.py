"""A Redis whose network loses everything without a word: how soon is that told, and is it back afterwards?"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import uvloop
from queueserver_manager.store.connection import connect
from queueserver_standalone.embedded_redis.redis_server import choose_program

from tests.harness.namespaces import Link, Node, Switch, own_network
from tests.harness.process import TestProcess
from tests.harness.stack import short_directory
from tests.integration.manager.store.heard import heartbeat

_HOST = 2


async def measure(address: str, link: Link) -> None:
    """Print what is told, and after how many seconds."""
    async with heartbeat(connect(address)) as heard:
        # In a thread, since it has an event loop of its own.
        await asyncio.to_thread(link.take, "down")
        begin = time.monotonic()
        gone = await heard.next()
        seconds = time.monotonic() - begin
        await asyncio.to_thread(link.take, "up")
        while await heard.next() is not None:
            pass
        sys.stdout.write(f"{gone.state.name if gone is not None else None} {seconds} {len(heard.given_up)}\n")


def redis_in(node: Node, host: str, directory: Path) -> TestProcess:
    """A Redis in another network."""
    words = ["--bind", host, "--protected-mode", "no", "--save", "", "--dir", str(directory)]
    redis = TestProcess("redis", [*node.inside, str(choose_program(directory).path), *words], announces=False)
    redis.output.wait_for(lambda line: "ready to accept connections" in line.lower())
    return redis


def main() -> None:
    """All of it, in a network of its own."""
    why = own_network([sys.executable, "-m", "tests.integration.manager.store.lost_packets"])
    if why:
        sys.exit(why)
    with ExitStack() as opened:
        switch = opened.enter_context(closing(Switch("redis", "10.77.9")))
        node = opened.enter_context(closing(Node("redis")))
        link = switch.link(node, _HOST)
        directory = opened.enter_context(short_directory())
        opened.enter_context(closing(redis_in(node, switch.host(_HOST), directory)))
        uvloop.run(measure(f"redis://{switch.host(_HOST)}:6379", link))


if __name__ == "__main__":
    main()
