"""The connection between Manager and Worker, which can be cut, or hang, without either of them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

_CHUNK = 65536


class Cable:
    """Takes connections at one unix socket and passes everything on to another. Belongs to one event loop."""

    def __init__(self, near: Path, far: Path) -> None:
        self._near, self._far = near, far
        self._server: asyncio.AbstractServer | None = None
        self._ways: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def address(self) -> str:
        """Where the Manager finds the Worker."""
        return f"unix:{self._near}"

    async def mend(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_unix_server(self._serve, self._near)

    async def cut(self) -> None:
        """End all connections and take none."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)
        self._near.unlink(missing_ok=True)

    async def hang(self) -> None:
        """Pass nothing on, and end nothing: what a firewall does that forgets a connection."""
        self._flowing.clear()

    async def flow(self) -> None:
        """Pass everything on again."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            back_reader, back_writer = await asyncio.open_unix_connection(self._far)
            ways = [
                asyncio.ensure_future(self._pass(reader, back_writer)),
                asyncio.ensure_future(self._pass(back_reader, writer)),
            ]
            self._ways.update(ways)
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._ways.difference_update(ways)
            back_writer.close()
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
