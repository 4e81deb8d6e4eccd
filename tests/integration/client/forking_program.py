"""A program that forks while it has clients: `forking_program.py WHAT ADDRESS`. It prints what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import multiprocessing
import os
import sys
from collections.abc import Callable

from queueserver_client import AsyncClient, Client

_client: Client


def say(*words: object) -> None:
    """Print a line at once: a child must not print it again."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def told(work: Callable[[], object]) -> str:
    """What a call raises, or that it did not."""
    try:
        work()
    except RuntimeError as error:
        return f"refused: {error}"
    return "answered"


def in_child(work: Callable[[], None]) -> None:
    """Fork; the child does some work and ends as a program ends; wait for it."""
    pid = os.fork()
    if not pid:
        faulthandler.dump_traceback_later(30, exit=True)
        work()
        gc.collect()
        sys.exit(0)
    _, status = os.waitpid(pid, 0)
    say("the child ended with", os.waitstatus_to_exitcode(status))


def blocking(address: str) -> None:
    """Everything that a blocking client can be told to do in the child, and then the parent goes on."""
    interruptions: list[object] = []
    client = Client(address)
    with client, client.watch(on_interruption=interruptions.append) as watch, contextlib.closing(client.queue.list()):
        next(watch)

        def work() -> None:
            for call in (client.status, watch.__next__, lambda: client.queue.add("count"), client.address.strip):
                say(told(call))
            watch.close()
            client.close()

        in_child(work)
        say("in the parent:", told(client.status), interruptions)


def asynchronous(address: str) -> None:
    """An asynchronous client is used in the child's own event loop."""

    async def parent() -> AsyncClient:
        client = AsyncClient(address)
        await client.status()
        return client

    async def child(client: AsyncClient) -> None:
        async with client, client.watch() as watch:
            for call in (client.status, watch.__anext__):
                try:
                    await call()
                except RuntimeError as error:
                    say(f"refused: {error}")

    client = asyncio.run(parent())
    in_child(lambda: asyncio.run(child(client)))


def new(address: str) -> None:
    """A client is made in the child, although its parent used one, which is closed."""
    with Client(address) as client:
        client.status()
    in_child(lambda: say(told(Client(address).status)))


def left(address: str) -> None:
    """The child takes no notice of the client: it only ends, as a program and with all that it holds."""
    client = Client(address)
    client.status()
    held = [client]
    del client
    in_child(held.clear)
    say("in the parent:", told(held[0].status))


def unused(address: str) -> None:
    """A client that was made, and made no call, is used in the child."""
    client = Client(address)
    in_child(lambda: say(told(client.status)))
    say("in the parent:", told(client.status))


def pool(address: str) -> None:
    """The function of a pool of processes uses the client of the program."""
    global _client  # noqa: PLW0603 - as users do it
    _client = Client(address)
    _client.status()
    with multiprocessing.get_context("fork").Pool(2) as workers:
        for answer in workers.map(ask, range(2)):
            say(answer)
    _client.close()


def ask(_number: int) -> str:
    """Use the program's client."""
    return told(_client.status)


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
