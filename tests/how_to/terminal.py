"""A terminal in which steps are typed one after the other: variables, functions and files of one stay for the next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import async_timeout

#: For one step. The first `go install` on a machine downloads and compiles.
_SECONDS = 300.0
_NOTE_FAILURES = "failed=(); trap 'failed+=(\"$BASH_COMMAND\")' ERR\n"


class Terminal:
    """A running bash."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        self._process = process
        self._directory = directory

    async def type(self, commands: str) -> tuple[str, list[str]]:
        """What a step prints on both streams, and the commands of it that failed."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("bash has no pipes")
        mark = secrets.token_hex(8)
        (self._directory / ".step").write_text(commands, encoding="utf-8")
        # A step is read from a file, so that a command of it that reads its input does not read the next step.
        step = f". ./.step </dev/null; printf {mark}; printf '%s\\0' \"${{failed[@]}}\"; failed=(); echo {mark}\n"
        self._process.stdin.write((_NOTE_FAILURES + step).encode())
        lines: list[str] = []
        try:
            async with async_timeout.timeout(_SECONDS):
                while not (lines and lines[-1].endswith(f"{mark}\n")):
                    lines.append((await self._process.stdout.readuntil()).decode())
        except asyncio.TimeoutError:
            raise AssertionError(f"{commands}\ndoes not end; it has printed:\n{''.join(lines)}") from None
        output, failed, _ = "".join(lines).split(mark)
        return output, [command for command in failed.split("\0") if command]


@contextlib.asynccontextmanager
async def terminal(directory: Path, environment: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """A bash in a directory; it and all that it has started are gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "--norc", "--noprofile"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=directory,
        env={**os.environ, **environment},
        start_new_session=True,
        limit=16 * 1024 * 1024,
    )
    try:
        yield Terminal(process, directory)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
