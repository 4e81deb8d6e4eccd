"""Encryption before a server that has none, because the redis-server of the tests is built without it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from pathlib import Path

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY, OTHER_AUTHORITY = CERTIFICATES / "authority.pem", CERTIFICATES / "other-authority.pem"
CLIENT_CERTIFICATE, CLIENT_KEY = CERTIFICATES / "client.pem", CERTIFICATES / "client.key"
_CHUNK = 64 * 1024
_SECONDS = 30.0


class TlsProxy:
    """Ends TLS on a free port of the loopback interface, and passes everything on to a unix socket."""

    def __init__(self, socket: Path, *, client_certificate: bool = False) -> None:
        """With ``client_certificate`` only clients with one of our authority get in."""
        self._socket = socket
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATES / "server.pem", CERTIFICATES / "server.key")
        if client_certificate:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(AUTHORITY)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="TLS proxy")
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_SECONDS)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def url(self, **options: str | Path) -> str:
        """Address for clients."""
        said = "&".join(f"{name}={value}" for name, value in options.items())
        return f"rediss://localhost:{self.port}/0?{said}"

    def close(self) -> None:
        """End all connections."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            writer.transport.abort()
            return
        try:
            ways = [_pass_on(reader, behind_writer), _pass_on(behind_reader, writer)]
            tasks = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            writer.transport.abort()
            behind_writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while some := await reader.read(_CHUNK):
            writer.write(some)
            await writer.drain()
    except OSError:
        return
