"""The two servers, on the same startup code: bluesky-queueserver 0.0.25 with a Redis of its own, ours with a bridge."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]  # it has no type information
import zmq
from queueserver_client import AsyncClient, EventKind

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess, kill_process
from tests.harness.redis import RedisProcess
from tests.harness.services import BridgeProcess
from tests.harness.stack import running_stack, short_directory
from tests.zmq_bridge.clients.installed import program
from tests.zmq_bridge.differential.side import News, Side

STARTUP: Final = Path(__file__).parent / "startup"
#: Where startup code finds its gates.
_GATES: Final = "COMPARISON_GATES"
_END_SECONDS: Final = 10.0
_KINDS: Final = (EventKind.STATUS, EventKind.QUEUE, EventKind.HISTORY, EventKind.TASK, EventKind.PERMISSION)


@contextlib.contextmanager
def real_server() -> Iterator[Side]:
    """bluesky-queueserver, with an environment that is not open yet."""
    with contextlib.ExitStack() as opened:
        directory = opened.enter_context(short_directory())
        redis = RedisProcess(directory, tcp=True)
        opened.callback(redis.close)
        control, info = (f"tcp://127.0.0.1:{reserved_port()}" for _ in range(2))
        startup, gates = _files(directory)
        command: list[str | Path] = [program("start-re-manager"), "--startup-dir", startup]
        command += ["--redis-addr", redis.url.removeprefix("redis://"), "--zmq-control-addr", control]
        command += ["--zmq-info-addr", info, "--zmq-publish-console", "ON"]
        process = TestProcess("real server", command, announces=False, environment={_GATES: str(gates)})
        opened.callback(_end, process)
        news = opened.enter_context(_news_of_socket(info))
        side = Side("bluesky-queueserver", control, gates, news)
        opened.callback(side.close)
        yield side


def _end(process: TestProcess) -> None:
    """End a real server, whose own children would live on when it is killed."""
    children = psutil.Process(process.pid).children(recursive=True) if process.running else []
    process.close()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            kill_process(child.pid)


def _files(directory: Path) -> tuple[Path, Path]:
    """Startup code, which servers write beside, and an empty directory for gates."""
    startup, gates = directory / "startup", directory / "gates"
    shutil.copytree(STARTUP, startup)
    gates.mkdir()
    return startup, gates


@contextlib.contextmanager
def bridge_server() -> Iterator[Side]:
    """Our server behind its bridge."""
    with contextlib.ExitStack() as opened:
        directory = opened.enter_context(short_directory())
        startup, gates = _files(directory)
        opened.enter_context(_variable(_GATES, str(gates)))
        options = ("--update-existing-plans-devices", "ENVIRONMENT_OPEN")
        stack = opened.enter_context(running_stack(*options, startup=startup))
        bridge = BridgeProcess(stack.address)
        opened.callback(bridge.close)
        news = opened.enter_context(_news_of_manager(stack.address))
        side = Side("the bridge", bridge.address, gates, news)
        opened.callback(side.close)
        yield side


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


@contextlib.contextmanager
def _news_of_socket(address: str) -> Iterator[News]:
    """The real server publishes its status when it changes."""
    news, context, ended = News(), zmq.Context(), threading.Event()

    def listen() -> None:
        with context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(address)
            socket.subscribe(b"QS_Info")
            with contextlib.suppress(zmq.ContextTerminated):
                while not ended.is_set():
                    socket.recv_multipart()
                    news.tell()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield news
    finally:
        ended.set()
        context.term()
        thread.join()


@contextlib.contextmanager
def _news_of_manager(address: str) -> Iterator[News]:
    """Our Manager tells of every change."""
    news, loop = News(), asyncio.new_event_loop()

    async def listen() -> None:
        async with AsyncClient(address) as client, client.watch(_KINDS) as events:
            async for _ in events:
                news.tell()

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(listening)

    listening = loop.create_task(listen())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield news
    finally:
        loop.call_soon_threadsafe(listening.cancel)
        thread.join()
        # What gRPC still does for the calls that were cancelled.
        if others := asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.wait(others, timeout=_END_SECONDS))
        loop.close()
