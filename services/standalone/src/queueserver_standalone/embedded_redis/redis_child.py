"""The embedded Redis as a child: its log goes to a file, and its start waits for the line that says it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from async_timeout import timeout

from queueserver_standalone.child import Child, Command, first_line
from queueserver_standalone.errors import StandaloneError

_READY = "ready to accept connections"
_LOG_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_PING_SECONDS = 5.0
#: The beginning of a line of Redis: its process and role, the time, and the level (# for a warning).
_HEAD = re.compile(r"^\d+:\w .{10,40}? ([#*.-]) ")
_LONGEST_WORDS = 300


async def start_redis(command: Command, socket: Path, log_path: Path, within: float) -> Child:
    """Start a redis-server and wait until it responds on ``socket``; its output is appended to ``log_path``.

    ``within`` includes the time to load a large queue from disk. Raises StandaloneError if it does not start; then
    it is gone.
    """
    _bound(log_path)
    child = await Child.start("Redis", command, piped=True)
    output = child.process.stdout
    if output is None:
        raise AssertionError("the child was started with piped output")

    def is_ready(line: str) -> bool:
        _append(log_path, line.encode())
        _note_warning(child, line)
        return _READY in line.lower()

    try:
        await first_line(child, output, is_ready, within)
        async with timeout(_PING_SECONDS):
            # So that "ready" is true for the next connection.
            await ask(socket, "PING", "+PONG")
    except (StandaloneError, OSError, asyncio.TimeoutError) as error:
        await child.kill()
        why = child.last_words or str(error) or "it does not answer"
        raise StandaloneError(f"Redis could not start ({why}). Its log is {log_path}.") from error
    child.last_words = ""
    child.attached = asyncio.create_task(copy_log(output, log_path, lambda line: _note_warning(child, line)))
    return child


async def copy_log(output: asyncio.StreamReader, log_path: Path, heard: Callable[[str], None] = lambda _: None) -> None:
    """Append what Redis prints to its log until it ends, and pass on each line. What can't be written is left out.

    While its output is not read, Redis waits and serves no client: so it is read whatever the state of the disk.
    """
    while chunk := await output.read(_CHUNK_BYTES):
        _append(log_path, chunk)
        for line in chunk.decode(errors="replace").splitlines():
            heard(line)


def _append(log_path: Path, text: bytes) -> None:
    with contextlib.suppress(OSError), log_path.open("ab", buffering=0) as log:
        log.write(text)


def _note_warning(child: Child, line: str) -> None:
    """Keep the last warning of Redis: if Redis ended by itself, that is why."""
    head = _HEAD.match(line)
    if head is not None and head.group(1) == "#":
        child.last_words = line[head.end() :].strip()[:_LONGEST_WORDS]


async def ask(socket: Path, command: str, wanted: str) -> None:
    """Send Redis a command, and return if its reply begins with ``wanted``. Raises StandaloneError, OSError."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        writer.write(f"{command}\r\n".encode())
        answer = await reader.readline()
    finally:
        writer.close()
    if not answer.startswith(wanted.encode()):
        raise StandaloneError(f"it answered {answer!r} to {command}")


def _bound(log_path: Path) -> None:
    """Keep a large log of the server before as ``.log.1``."""
    with contextlib.suppress(OSError):
        if log_path.exists() and log_path.stat().st_size > _LOG_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
