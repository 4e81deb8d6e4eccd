"""The connection between Manager and Worker: it can be cut, hang, or lose what it carries, without either of them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

_CHUNK = 65536
#: Whither something passes.
DIRECTIONS = _TO_WORKER, _TO_MANAGER = ("Worker", "Manager")


class Cable:
    """Takes connections at one unix socket and passes everything on to another. Belongs to one event loop."""

    def __init__(self, near: Path, far: Path) -> None:
        self._near, self._far = near, far
        self._server: asyncio.AbstractServer | None = None
        self._ways: set[asyncio.Task[None]] = set()
        self._flowing = {direction: asyncio.Event() for direction in DIRECTIONS}
        for flowing in self._flowing.values():
            flowing.set()
        #: Connections so far, and the last of them that loses everything, by direction.
        self._connections = 0
        self._lost = dict.fromkeys(DIRECTIONS, 0)

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

    async def hold(self, *directions: str) -> None:
        """Pass nothing on in these directions, and end nothing: what is sent arrives later."""
        for direction in directions:
            self._flowing[direction].clear()

    async def flow(self) -> None:
        """Pass everything on again."""
        for flowing in self._flowing.values():
            flowing.set()

    async def lose(self, *directions: str) -> None:
        """Never again pass on what the present connections carry in these directions, and end none of them.

        So does a firewall that forgets connections. New ones work.
        """
        for direction in directions:
            self._lost[direction] = self._connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        with contextlib.suppress(OSError):
            back_reader, back_writer = await asyncio.open_unix_connection(self._far)
            ways = [
                asyncio.ensure_future(self._pass(number, _TO_WORKER, reader, back_writer)),
                asyncio.ensure_future(self._pass(number, _TO_MANAGER, back_reader, writer)),
            ]
            self._ways.update(ways)
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._ways.difference_update(ways)
            back_writer.close()
        writer.close()

    async def _pass(
        self, number: int, direction: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._flowing[direction].wait()
            if number > self._lost[direction]:
                writer.write(chunk)
                await writer.drain()
