"""A network that can lose everything without a word, as a pulled cable does: a TCP proxy in the test's event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class SilentNetwork:
    """Use it as ``async with silent_network(port) as network``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.address = ""
        self._losing: list[asyncio.Event] = []
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def lose(self) -> None:
        """Lose what comes on all present connections: both sides take them for good ones. New ones work."""
        for losing in self._losing:
            losing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until one side ends it."""
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        losing = asyncio.Event()
        self._losing.append(losing)
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(_pass_on(reader, back_writer, losing), _pass_on(back_reader, writer, losing))
        finally:
            del self._connections[task]

    async def close(self) -> None:
        """End all connections."""
        # Closed and not cancelled: asyncio takes the end of a connection by cancellation for a defect.
        for writer in self._connections.values():
            writer.close()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            if not losing.is_set():
                writer.write(data)
                await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def silent_network(port: int) -> AsyncIterator[SilentNetwork]:
    """A network before a port of this machine."""
    network = SilentNetwork(port)
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    network.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield network
    finally:
        server.close()
        await network.close()
        await server.wait_closed()
