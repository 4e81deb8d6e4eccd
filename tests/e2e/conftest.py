"""Fixtures of the end-to-end tests: stacks whose startup code is ``startup/``, gates, raw stubs, the command line."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, Client, ConnectionState

from tests.harness.gate import Gate, gate_in
from tests.harness.parts import Parts, running_parts
from tests.harness.progress import until
from tests.harness.raw import Stubs, connect
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack, running_stack

STARTUP = Path(__file__).parent / "startup"
#: Its plans ask people, are suspended, or wait long for a device.
HELD_UP_STARTUP = Path(__file__).parent / "held_up_startup"
Shell = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack of its own for one test, with the startup code of these tests."""
    with running_stack(startup=STARTUP) as running:
        yield running


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[Stack]:
    """A stack with an open environment for all tests of a module: they must leave it running and open."""
    with running_stack(startup=STARTUP) as running:
        with Client(running.address) as connected:
            connected.environment.open()
        yield running


@contextlib.asynccontextmanager
async def open_and_empty(address: str) -> AsyncIterator[AsyncClient]:
    """A client of a server that is idle, open and empty, and has its default mode."""
    async with AsyncClient(address) as connected:
        # Before it has met the Worker, a Manager can't know of an environment.
        await until(connected, lambda status: status.worker is ConnectionState.UP)
        await connected.queue.set_mode(reset=True)
        await connected.queue.set_autostart(enabled=False)
        if not (await connected.status()).environment_exists:
            await connected.environment.open()
        await connected.queue.clear()
        await connected.history.clear()
        yield connected


@pytest.fixture
async def shared_client(shared_stack: Stack) -> AsyncIterator[AsyncClient]:
    """A client of ``shared_stack``, which is idle, open and empty when the test begins."""
    async with open_and_empty(shared_stack.address) as connected:
        yield connected


@pytest.fixture(scope="module")
def parts() -> Iterator[Parts]:
    """Redis, Worker and Manager for all tests of a module, which may kill any of them and must start it again."""
    with running_parts(STARTUP) as running:
        yield running


@pytest.fixture
async def parts_client(parts: Parts) -> AsyncIterator[AsyncClient]:
    """A client of ``parts``, which are idle, open and empty when the test begins."""
    async with open_and_empty(parts.address) as connected:
        yield connected


@pytest.fixture
def gate(short_path: Path) -> Iterator[Gate]:
    """A gate at which plans of the test wait."""
    with gate_in(short_path) as made:
        yield made


@pytest.fixture
async def raw(shared_stack: Stack) -> AsyncIterator[Stubs]:
    """Generated stubs of ``shared_stack``."""
    async with connect(shared_stack.address) as stubs:
        yield stubs


def shell(address: str) -> Shell:
    """Runs the real command against a server; words may be bytes that are not text. Keywords are variables."""

    def run(*words: str | bytes, **variables: str) -> subprocess.CompletedProcess[bytes]:
        command: list[str | bytes] = [str(COMMANDS / "qserver"), *words]
        environment = {**os.environ, "QSERVER_ADDRESS": address, **variables}
        return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)

    return run


@pytest.fixture
def qserver(shared_stack: Stack) -> Shell:
    """Run the real command against ``shared_stack``."""
    return shell(shared_stack.address)
