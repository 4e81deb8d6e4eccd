from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.integration.client.scripted_manager import ScriptedManager


@dataclass(frozen=True)
class Ended:
    """What a finished `qserver` left behind."""

    code: int
    out: str
    err: str

    @property
    def body(self) -> str:
        """What was printed after the line with the time."""
        return self.out.split(" - MESSAGE: \n", 1)[1]


Qserver = Callable[..., Awaitable[Ended]]


def environment(address: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("QSERVER_")}
    return kept | {"QSERVER_ADDRESS": address}


@pytest.fixture
async def manager() -> AsyncIterator[ScriptedManager]:
    scripted = ScriptedManager()
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest.fixture
def qserver(manager: ScriptedManager) -> Qserver:
    """Run the real command against the scripted manager."""

    async def run(*words: str | bytes, **variables: str) -> Ended:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "queueserver_cli",
            *words,
            env=environment(manager.address) | variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60.0)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    return run
