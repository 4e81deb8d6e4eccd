"""Ctrl-C at any moment of a command that follows something: it ends at once and quietly, with a fitting exit code."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import environment
from tests.unit.client.scripted_manager import ScriptedManager, until_cancelled

SCRIPT = str(Path(__file__).parent / "script.txt")
#: Commands that follow something, and the method that each calls first.
FOLLOWING = {
    "watch": ("WatchEvents", ["watch"]),
    "watch for programs": ("WatchEvents", ["--json", "watch"]),
    "watch some": ("WatchEvents", ["watch", "console", "queue"]),
    "open": ("OpenEnvironment", ["environment", "open", "--wait"]),
    "close": ("CloseEnvironment", ["environment", "close", "--wait"]),
    "destroy": ("DestroyEnvironment", ["environment", "destroy", "--wait"]),
    "update": ("UpdateEnvironment", ["environment", "update", "--wait"]),
    "function": ("ExecuteFunction", ["function", "execute", '{"name": "f"}', "--wait"]),
    "script": ("UploadScript", ["script", "upload", SCRIPT, "--wait"]),
    "task": ("WaitTask", ["task", "wait", "t-1"]),
}
following = pytest.mark.parametrize(("method", "words"), FOLLOWING.values(), ids=FOLLOWING)


async def begun(address: str, words: list[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "queueserver_cli", *words),
        env=environment(address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process, words: list[str]) -> None:
    """It ends soon, says nothing about itself, and a watch that ran has ended well."""
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    for sign in (b"Traceback", b"KeyboardInterrupt", b"Exception"):
        assert sign not in out + err, (out, err)
    assert process.returncode == (0 if "watch" in words else 130)


def unanswered(manager: ScriptedManager, method: str) -> asyncio.Event:
    """The call is never answered; the event says that it came."""
    came = asyncio.Event()

    async def never(_: Any) -> Any:
        came.set()
        await until_cancelled()

    async def nothing(_: Any) -> AsyncIterator[Any]:
        came.set()
        await until_cancelled()
        yield None

    manager.answers[method] = nothing if method.startswith(("Wait", "Watch")) else never
    return came


@pytest.mark.parametrize("name", ["watch", "open"])
async def test_while_it_loads(name: str) -> None:
    words = FOLLOWING[name][1]
    process = await begun("127.0.0.1:1", words)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readexactly(9), 60.0) == b"Arguments"
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert b"Traceback" not in out + err
    # The server is not there: what came first, Ctrl-C or that, decides.
    assert process.returncode in {0, 3, 130}


@following
async def test_while_it_connects(method: str, words: list[str]) -> None:
    del method
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        process = await begun(f"127.0.0.1:{silent.getsockname()[1]}", words)
        connection, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(silent), 60.0)
        with connection:
            process.send_signal(signal.SIGINT)
            await ended(process, words)


@following
async def test_while_the_server_does_not_answer(manager: ScriptedManager, method: str, words: list[str]) -> None:
    came = unanswered(manager, method)
    process = await begun(manager.address, words)
    await asyncio.wait_for(came.wait(), 60.0)
    process.send_signal(signal.SIGINT)
    await ended(process, words)


@pytest.mark.parametrize("name", ["watch", "function", "task"])
async def test_twice(manager: ScriptedManager, name: str) -> None:
    method, words = FOLLOWING[name]
    came = unanswered(manager, method)
    process = await begun(manager.address, words)
    await asyncio.wait_for(came.wait(), 60.0)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert b"Traceback" not in out + err
    assert process.returncode in {0, 130}
