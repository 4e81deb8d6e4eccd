"""The way between a client and a server, on which what the client says can be held until the test lets it pass.

It runs in a thread of its own, so that fixtures of any scope and processes of the test can use it. Bytes are passed on
as they are: both ends are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.stack import short_directory

T = TypeVar("T")
_SECONDS = 10.0


class Wire:
    """From a free port of the loopback interface to a unix socket."""

    def __init__(self, server: str) -> None:
        """``server`` is an address of the form unix:PATH."""
        self._path = server.removeprefix("unix:")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._passes = self._call(_event())
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = self._call(asyncio.start_server(self._connected, "127.0.0.1", 0))
        #: Where the client connects.
        self.address = f"127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What the client says inside arrives afterwards; what the server says arrives at once."""
        self._call(_do(self._passes.clear))
        try:
            yield
        finally:
            self._call(_do(self._passes.set))

    def close(self) -> None:
        """Break all connections and end."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)

    async def _end(self) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._path)
        try:
            with contextlib.suppress(ConnectionError):
                await asyncio.gather(self._pass(reader, server_writer, self._passes), self._pass(server_reader, writer))
        finally:
            writer.transport.abort()
            server_writer.transport.abort()

    @staticmethod
    async def _pass(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: asyncio.Event | None = None
    ) -> None:
        while chunk := await reader.read(65536):
            if passes is not None:
                await passes.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()


async def _event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def _do(what: Any) -> None:
    what()


@dataclass(frozen=True)
class Wired:
    """Processes whose Manager talks to its Worker over a wire."""

    wire: Wire
    manager: ManagerProcess
    startup: Path

    def log(self) -> str:
        """Last lines of the Manager."""
        return str(self.manager.process.output)


@contextlib.contextmanager
def running_wired(startup: Path) -> Iterator[Wired]:
    """Redis, Worker, wire and Manager in a fresh directory; they are gone afterwards."""
    with short_directory() as directory, contextlib.ExitStack() as opened:
        redis = RedisProcess(directory)
        opened.callback(redis.close)
        worker = WorkerProcess(directory, startup)
        opened.callback(worker.close)
        wire = Wire(worker.address)
        opened.callback(wire.close)
        manager = ManagerProcess(redis.url, wire.address)
        opened.callback(manager.close)
        yield Wired(wire, manager, startup)
