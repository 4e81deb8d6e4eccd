"""The information socket: console text unchanged and in order, and the status at each change and once a second."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import psutil
import pytest
from queueserver_client import Client, ConsoleStream, ConsoleWritten

from tests.harness.gate import gate_in
from tests.harness.services import REPOSITORY, BridgeProcess
from tests.harness.stack import Stack, running_stack, short_directory
from tests.zmq_bridge.old_client import OldClient
from tests.zmq_bridge.subscriber import CONSOLE, STATUS, Subscriber

MEGABYTE: Final = 1024 * 1024
_PLANS: Final = REPOSITORY / "tests" / "e2e" / "startup"
_PIECES: Final = [
    "partial",
    " line\n",
    "progress 1 %\rprogress 2 %\r",
    "\x1b[31mred\x1b[0m\n",
    "größe 日本 \U0001f600\n",
    "\n\n",
    "\ttab\x07",
]
_WRITE: Final = """
import sys
for piece in {pieces!r}:
    sys.stdout.write(piece)
    sys.stdout.flush()
print("the end of {mark}")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Stack]:
    with running_stack(startup=_PLANS) as running:
        with Client(running.address) as client:
            client.environment.open()
        yield running


def test_console_text_is_published_unchanged_and_in_order(server: Stack, bridge: BridgeProcess) -> None:
    with (
        Subscriber(bridge.info_address) as subscriber,
        Client(server.address) as client,
        client.watch(["console"]) as watch,
    ):
        next(watch)
        client.tasks.upload_script(_WRITE.format(pieces=_PIECES, mark="it")).wait(20)
        published = subscriber.texts_until("the end of it\n")
        watched: list[str] = []
        written = ""
        for event in watch:
            if isinstance(event, ConsoleWritten):
                watched.append(event.console.text)
                if event.console.stream is ConsoleStream.STDOUT:
                    written += event.console.text
                if "the end of it\n" in "".join(watched):
                    break
    assert published == watched
    assert "".join(_PIECES) in written
    assert any("started script" in text for text in published), "the Manager's log is published too"


def test_the_status_is_published_at_each_change(bridge: BridgeProcess) -> None:
    with Subscriber(bridge.info_address) as subscriber, OldClient(bridge.address) as client:
        assert client("environment_close")["success"]
        closing = subscriber.statuses_until(lambda status: not status["worker_environment_exists"])
        assert "closing_environment" in [status["manager_state"] for status in closing]
        assert client("environment_open")["success"]
        subscriber.statuses_until(lambda status: status["manager_state"] == "creating_environment")
        last = subscriber.statuses_until(lambda status: status["manager_state"] == "idle")[-1]
        assert last["worker_environment_exists"]
        asked = client("status")
        assert subscriber.statuses_until(lambda status: status == asked)


def test_the_status_is_published_once_a_second_without_asking_the_manager(server: Stack, bridge: BridgeProcess) -> None:
    with Subscriber(bridge.info_address) as subscriber, OldClient(bridge.address) as client:
        asked = client("status")
        subscriber.statuses_until(lambda status: status == asked)
        manager = psutil.Process(server.pid("manager"))
        manager.suspend()
        try:
            assert [subscriber.next(2.0) for _ in range(3)] == [(STATUS, {"status": asked})] * 3
        finally:
            manager.resume()


def test_what_is_written_while_the_manager_is_away_is_published_when_it_is_back(
    server: Stack, bridge: BridgeProcess
) -> None:
    rows = 300
    with (
        short_directory() as directory,
        gate_in(directory) as gate,
        gate_in(directory, "told") as told,
        Subscriber(bridge.info_address) as subscriber,
        Client(server.address) as client,
    ):
        task = client.tasks.execute_function("print_rows_after", gate.path, rows, told.path)
        subscriber.texts_until("waiting at the gate\n")
        manager = psutil.Process(server.pid("manager"))
        seen = len(server.supervisor.output.lines())
        manager.kill()
        gate.open()
        told.wait_until_told()
        server.supervisor.output.wait_for("Manager runs again", after=seen)
        text = "".join(subscriber.texts_until(f"row {rows - 1}\n"))
        printed = [line for line in text.splitlines() if line.startswith("row ")]
        assert printed == [f"row {number}" for number in range(rows)]
        assert task.wait(20).success
        subscriber.statuses_until(lambda status: status["manager_state"] == "idle")


def test_a_subscriber_that_reads_nothing_delays_nobody(server: Stack, bridge: BridgeProcess) -> None:
    process = psutil.Process(bridge.process.pid)
    with Subscriber(bridge.info_address), Subscriber(bridge.info_address) as reader, Client(server.address) as client:
        before = process.memory_info().rss
        script = "import sys\nfor _ in range(50):\n    sys.stdout.write('x' * 99_999 + chr(10))\nprint('all of it')\n"
        for _ in range(6):
            client.tasks.upload_script(script).wait(20)
            assert len("".join(reader.texts_until("all of it\n"))) >= 5_000_000
        assert process.memory_info().rss - before < 200 * MEGABYTE


def test_garbage_does_no_harm(bridge: BridgeProcess) -> None:
    host, port = bridge.info_address.removeprefix("tcp://").rsplit(":", 1)
    with Subscriber(bridge.info_address) as subscriber:
        for garbage in (b"", b"\x00" * 300, b"GET / HTTP/1.0\r\n\r\n", b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03"):
            with socket.create_connection((host, int(port))) as connection, contextlib.suppress(OSError):
                connection.sendall(garbage)
        assert subscriber.next(2.0)[0] in (STATUS, CONSOLE)


def test_msgpack_is_published_when_asked_for(server: Stack) -> None:
    with (
        _bridge(server, "--zmq-encoding", "msgpack") as bridge,
        Subscriber(bridge.info_address, encoding="msgpack") as subscriber,
    ):
        assert subscriber.statuses_until(lambda status: status["manager_state"] == "idle")


def test_nothing_is_published_when_that_is_off(server: Stack) -> None:
    with _bridge(server, "--zmq-publish-console", "OFF") as bridge, OldClient(bridge.address) as client:
        assert client("status")["manager_state"] == "idle"
        assert "information socket" not in str(bridge.process.output)


@contextlib.contextmanager
def _bridge(server: Stack, *options: str) -> Iterator[BridgeProcess]:
    process = BridgeProcess(server.address, *options)
    try:
        yield process
    finally:
        process.close()
