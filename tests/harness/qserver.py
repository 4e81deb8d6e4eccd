"""`qserver` as it runs: what it tells while it waits, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

from tests.harness.services import COMMANDS
from tests.harness.wait import bounded

#: Generous: a Manager may have to be started again meanwhile, on a machine that has much else to do.
_SECONDS = 120.0


class Waiting:
    """A `qserver` that has not ended yet."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        #: What it has told on standard error so far.
        self.told: list[str] = []

    async def tells(self, words: str) -> str:
        """Wait until it tells something on standard error; answers the line."""
        assert self._process.stderr is not None
        while line := (await bounded(self._process.stderr.readline(), _SECONDS)).decode():
            self.told.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} was not told, but: {''.join(self.told)}")

    def interrupt(self) -> None:
        """Type Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    async def ends(self) -> tuple[int, str]:
        """Wait for its end; answers the exit code and what it printed on standard output."""
        out, err = await bounded(self._process.communicate(), _SECONDS)
        self.told += err.decode().splitlines(keepends=True)
        assert self._process.returncode is not None
        return self._process.returncode, out.decode()

    async def kill(self) -> None:
        """End it if it runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@contextlib.asynccontextmanager
async def waiting_qserver(address: str, *words: str) -> AsyncIterator[Waiting]:
    """The real command, for as long as the context lasts."""
    process = await asyncio.create_subprocess_exec(
        str(COMMANDS / "qserver"),
        *words,
        env={**os.environ, "QSERVER_ADDRESS": address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    waiting = Waiting(process)
    try:
        yield waiting
    finally:
        await waiting.kill()
