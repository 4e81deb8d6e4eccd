"""Terminals as a reader has them open: each a bash on a pseudo-terminal of its own."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import pty
import secrets
import signal
import struct
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from fcntl import ioctl
from functools import partial
from pathlib import Path
from typing import TypeVar

import async_timeout

from tests.tutorials.shape import Shapes, plain_lines

T = TypeVar("T")
_CTRL_C = b"\x03"
_ROWS, _COLUMNS = 50, 160
#: Generous: it only decides how long a broken tutorial takes to fail.
_SECONDS = 60.0
#: Steps come as names of files, so that a command that reads its input reads keys. Ctrl-C ends only the command.
_LOOP = """
trap : INT
failed=()
trap 'failed+=("$BASH_COMMAND")' ERR
while IFS= read -r -u 9 step; do
  . "$step"
  printf '%s%s\\n' "$MARK" "${failed[*]}"
  failed=()
done
"""


class Terminal:
    """One terminal: what is typed in it, and what it has shown."""

    def __init__(self, directory: Path) -> None:
        """``directory`` holds the steps; nothing runs yet."""
        self._directory = directory
        self._mark = secrets.token_hex(8)
        self._shown = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._changed = asyncio.Event()
        self._steps = 0
        self._begun = 0
        self._read_to = 0
        self._master, self._keys = -1, -1
        self.runs = False

    @contextlib.asynccontextmanager
    async def opened(self, directory: Path, environment: Mapping[str, str]) -> AsyncIterator[Terminal]:
        """With a bash in ``directory``."""
        self._master, slave = pty.openpty()
        _make_plain(slave)
        commands, self._keys = os.pipe()
        os.set_inheritable(commands, True)
        process = await asyncio.create_subprocess_exec(
            *("setsid", "--ctty", "bash", "--norc", "--noprofile", "-c", f"exec 9<&{commands}\n{_LOOP}"),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=directory,
            env={**os.environ, **environment, "MARK": self._mark, "TERM": "dumb"},
            pass_fds=(commands,),
        )
        os.close(slave)
        os.close(commands)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, self._read)
        try:
            yield self
        finally:
            loop.remove_reader(self._master)
            os.close(self._keys)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            os.close(self._master)

    def begin(self, commands: str) -> None:
        """Type commands, and wait for nothing."""
        self._steps += 1
        step = self._directory / f"step-{self._mark}-{self._steps}"
        step.write_text(commands, encoding="utf-8")
        self._begun = self._read_to = len(self._shown)
        self.runs = True
        os.write(self._keys, f"{step}\n".encode())

    async def end(self) -> tuple[str, bool]:
        """Wait for the end of what was begun: what it has shown, and whether a command of it failed."""
        output, failed = await self._until(self._ended)
        self.runs = False
        return output, failed

    async def interrupt(self) -> tuple[str, bool]:
        """Ctrl-C, and wait for the end."""
        os.write(self._master, _CTRL_C)
        return await self.end()

    async def appears(self, said: str, shapes: Shapes) -> None:
        """Wait until all lines that the page has were shown, in their order, between others."""
        for wanted in [line for line in said.strip().splitlines() if line.strip() != "…"]:
            self._read_to = await self._until(partial(self._line_behind, wanted, shapes))

    def shown(self) -> str:
        """All that it has shown since the last step."""
        return self._shown[self._begun :]

    def _ended(self) -> tuple[str, bool] | None:
        output, mark, behind = self._shown[self._begun :].partition(self._mark)
        return (output, bool(behind.strip())) if mark and "\n" in behind else None

    def _line_behind(self, wanted: str, shapes: Shapes) -> int | None:
        start = self._read_to
        for line in self._shown[start:].splitlines(keepends=True):
            start += len(line)
            if not line.endswith("\n"):
                return None
            if any(shapes.line_fits(wanted, plain) for plain in plain_lines(line)):
                return start
        return None

    async def _until(self, found: Callable[[], T | None]) -> T:
        try:
            async with async_timeout.timeout(_SECONDS):
                while (it := found()) is None:
                    self._changed.clear()
                    await self._changed.wait()
                return it
        except asyncio.TimeoutError:
            raise AssertionError(
                f"this did not come within {_SECONDS:.0f} s; the terminal shows\n{self.shown()}"
            ) from None

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # its end, when the last program has let go of it
            self._shown += self._decoder.decode(os.read(self._master, 65536))
        self._changed.set()


def _make_plain(terminal: int) -> None:
    """As wide as a reader's, and without showing keys, which come from no person."""
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~(termios.ECHO | termios.ECHOCTL)
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
