"""A line between a client and a Manager that loses what the test wants lost, and breaks in doing so.

It is a TCP proxy that knows as much of HTTP/2 as it takes to tell requests and answers apart: a frame begins with
nine bytes, and a call and its answer both begin with a frame of headers. It runs in the test's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import Enum

_PREFACE = 24
_FRAME_HEAD = 9
_DATA = 0
_HEADERS = 1
_END_STREAM = 1


class Loss(Enum):
    """What the line does with the next call; after that it is a good line again."""

    NOTHING = "nothing"
    #: The request does not arrive.
    REQUEST = "request"
    #: The request is carried out, and the answer does not arrive.
    ANSWER = "answer"


class LossyLine:
    """Listens on a free port. Use it as ``async with lossy_line(address) as line``."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self.address = ""
        self.loss = Loss.NOTHING
        #: Set when what was to be lost is lost, and when a whole request went through.
        self.lost = asyncio.Event()
        self.requested = asyncio.Event()
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until one side ends it or the line loses something."""
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._connect(reader, writer)
        finally:
            writer.close()
            del self._connections[task]

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(self._host, self._port)
        ways = [
            asyncio.ensure_future(self._requests(reader, back_writer)),
            asyncio.ensure_future(self._answers(back_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back_writer.close()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(_PREFACE))
        async for kind, flags, frame in _frames(reader):
            if kind == _HEADERS and self.loss is Loss.REQUEST:
                return self._lose()
            writer.write(frame)
            await writer.drain()
            if kind == _DATA and flags & _END_STREAM:
                self.requested.set()
        return None

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for kind, _, frame in _frames(reader):
            if kind == _HEADERS and self.loss is Loss.ANSWER:
                return self._lose()
            writer.write(frame)
            await writer.drain()
        return None

    def _lose(self) -> None:
        self.loss = Loss.NOTHING
        self.lost.set()

    async def close(self) -> None:
        """Cut all connections."""
        # Closed and not cancelled: asyncio takes the end of a connection by cancellation for a defect.
        for writer in self._connections.values():
            writer.close()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, int, bytes]]:
    """Frames as (kind, flags, all of it), until the connection ends."""
    while True:
        head = await reader.readexactly(_FRAME_HEAD)
        yield head[3], head[4], head + await reader.readexactly(int.from_bytes(head[:3], "big"))


@contextlib.asynccontextmanager
async def lossy_line(address: str) -> AsyncIterator[LossyLine]:
    """A line to a Manager's HOST:PORT."""
    line = LossyLine(address)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        await line.close()
        await server.wait_closed()
