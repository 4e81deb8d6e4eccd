"""The embedded Redis as a child: its log goes to a file, and the line in it that says it is ready is awaited."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from async_timeout import timeout

from queueserver_standalone.child import Child, Command, first_line
from queueserver_standalone.errors import StandaloneError

_READY = "ready to accept connections"
_LOG_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_PING_SECONDS = 5.0


async def start_redis(command: Command, socket: Path, log_path: Path, within: float) -> Child:
    """Start a redis-server and wait until it answers on ``socket``; its output is appended to ``log_path``.

    Loading a large queue from disk is part of ``within``. Raises StandaloneError if it does not come up; then
    it is gone.
    """
    _bound(log_path)
    child = await Child.start("Redis", command, piped=True)
    output = child.process.stdout
    if output is None:
        raise AssertionError("the child was started with piped output")

    def is_ready(line: str) -> bool:
        with log_path.open("a", encoding="utf-8") as log:
            log.write(line)
        return _READY in line.lower()

    try:
        await first_line(child, output, is_ready, within)
        async with timeout(_PING_SECONDS):
            await _ping(socket)
    except (StandaloneError, OSError, asyncio.TimeoutError) as error:
        await child.kill()
        message = f"Redis could not start ({error or 'it does not answer'}). Its log is {log_path}."
        raise StandaloneError(message) from error
    child.attached = asyncio.create_task(copy_log(output, log_path))
    return child


async def copy_log(output: asyncio.StreamReader, log_path: Path) -> None:
    """Append what Redis prints to its log until it ends. What can't be written is left out.

    Redis waits for who reads what it prints, and serves nobody meanwhile: so it is read whatever the disk says.
    """
    while chunk := await output.read(_CHUNK_BYTES):
        with contextlib.suppress(OSError), log_path.open("ab", buffering=0) as log:
            log.write(chunk)


async def _ping(socket: Path) -> None:
    """Ask for a sign of life, so that "ready" is true for whoever connects next."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        writer.write(b"PING\r\n")
        answer = await reader.readline()
    finally:
        writer.close()
    if not answer.startswith(b"+PONG"):
        raise StandaloneError(f"it answered {answer!r} to PING")


def _bound(log_path: Path) -> None:
    """Keep the log of the server before as ``.log.1`` once it is large."""
    if log_path.exists() and log_path.stat().st_size > _LOG_BYTES:
        log_path.replace(log_path.with_suffix(".log.1"))
