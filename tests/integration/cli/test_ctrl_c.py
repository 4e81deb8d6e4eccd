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

from tests.integration.cli.conftest import environment
from tests.integration.client.scripted_manager import MODULES, ScriptedManager, until_cancelled

SCRIPT = str(Path(__file__).parent / "script.txt")
UID = "0f6e4bd2-3c1f-4f0e-9d36-8a2d5f0c7b11"
#: Commands that follow something.
FOLLOWING = {
    "watch": ["watch"],
    "watch for programs": ["--json", "watch"],
    "watch some": ["watch", "console", "queue"],
    "monitor": ["monitor"],
    "open": ["environment", "open", "--wait"],
    "close": ["environment", "close", "--wait"],
    "destroy": ["environment", "destroy", "--wait"],
    "update": ["environment", "update", "--wait"],
    "start": ["queue", "start", "--wait"],
    "execute": ["queue", "execute", "plan", '{"name": "p"}', "--wait"],
    "item": ["item", "wait", UID],
    "pause": ["re", "pause", "--wait"],
    "resume": ["re", "resume", "--wait"],
    "function": ["function", "execute", '{"name": "f"}', "--wait"],
    "script": ["script", "upload", SCRIPT, "--wait"],
    "task": ["task", "wait", UID],
}
#: A process to which Ctrl-C comes when its last object is deleted.
LATE = """
import os, signal
from queueserver_cli.process import prepare
prepare()
class Last:
    kill, pid, number = os.kill, os.getpid(), signal.SIGINT
    def __del__(self):
        self.kill(self.pid, self.number)
last = Last()
print("said")
"""
#: Those that go on until Ctrl-C.
ENDLESS = {"watch", "monitor"}


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
    assert process.returncode == (130 if ENDLESS.isdisjoint(words) else 0)


def unanswered(manager: ScriptedManager) -> asyncio.Event:
    """No call is ever answered; the event says that one came."""
    came = asyncio.Event()

    async def never(_: Any) -> Any:
        came.set()
        await until_cancelled()

    async def nothing(_: Any) -> AsyncIterator[Any]:
        came.set()
        await until_cancelled()
        yield None

    for module in MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                manager.answers[method.name] = nothing if method.server_streaming else never
    return came


@pytest.mark.parametrize("name", ["watch", "open"])
async def test_while_it_loads(name: str) -> None:
    words = FOLLOWING[name]
    process = await begun("127.0.0.1:1", words)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readexactly(9), 60.0) == b"Arguments"
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert b"Traceback" not in out + err
    # The server is not there: what came first, Ctrl-C or that, decides.
    assert process.returncode in {0, 3, 130}


@pytest.mark.parametrize("name", ["watch", "watch for programs", "open", "execute", "task"])
async def test_while_it_connects(name: str) -> None:
    words = FOLLOWING[name]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        process = await begun(f"127.0.0.1:{silent.getsockname()[1]}", words)
        connection, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(silent), 60.0)
        with connection:
            process.send_signal(signal.SIGINT)
            await ended(process, words)


@pytest.mark.parametrize("words", FOLLOWING.values(), ids=FOLLOWING)
async def test_while_the_server_does_not_answer(manager: ScriptedManager, words: list[str]) -> None:
    came = unanswered(manager)
    process = await begun(manager.address, words)
    await asyncio.wait_for(came.wait(), 60.0)
    process.send_signal(signal.SIGINT)
    await ended(process, words)


@pytest.mark.parametrize("name", ["watch", "function", "task"])
async def test_twice(manager: ScriptedManager, name: str) -> None:
    words = FOLLOWING[name]
    came = unanswered(manager)
    process = await begun(manager.address, words)
    await asyncio.wait_for(came.wait(), 60.0)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert b"Traceback" not in out + err
    assert process.returncode in {0, 130}


async def test_while_the_interpreter_takes_itself_apart() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LATE), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert await asyncio.wait_for(process.communicate(), 60.0) == (b"said\n", b"")
    assert process.returncode == 0
