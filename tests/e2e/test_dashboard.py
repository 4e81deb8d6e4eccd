"""`qserver watch` in a terminal: what stands on the screen while a plan runs, while the server is away, and then."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterator

import grpc
import pytest
from queueserver.manager.v1 import lock_pb2, lock_service_pb2_grpc
from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver_client import Client, DocumentEmitted, Plan

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.ports import reserved_port
from tests.harness.services import COMMANDS
from tests.harness.terminal_window import CTRL_C, CTRL_Q, CTRL_S, CTRL_Z, TerminalWindow, terminal_window

Window = contextlib.AbstractContextManager[TerminalWindow]


def watching(address: str, columns: int = 80, lines: int = 24, **environment: str) -> Window:
    command = str(COMMANDS / "qserver"), "watch"
    return terminal_window(*command, columns=columns, lines=lines, QSERVER_ADDRESS=address, **environment)


@pytest.fixture
def client(parts: Parts) -> Iterator[Client]:
    """A blocking client of ``parts``, which are idle, open and empty when the test begins."""
    with Client(parts.address) as connected:
        connected.environment.open() if not connected.status().environment_exists else None
        connected.queue.clear()
        connected.history.clear()
        yield connected


@pytest.fixture
def window(parts: Parts, client: Client) -> Iterator[TerminalWindow]:
    """`qserver watch`, connected."""
    del client
    with watching(parts.address) as opened:
        opened.wait_for("Queue: 0 items")
        yield opened


def scanning(client: Client, gate: Gate, points: int = 3) -> None:
    """A scan is executed and has taken one point; another plan waits behind it."""
    client.queue.add_batch([Plan("gated_scan", gate.path, points), Plan("take_anything", "behind it")])
    client.queue.start()
    gate.open()


def test_a_running_plan_is_shown_with_its_points_readings_and_what_waits_behind_it(
    window: TerminalWindow, client: Client, gate: Gate
) -> None:
    scanning(client, gate)
    screen = window.wait_for(lambda text: "1/3 points" in text and "point 1 is taken" in text)
    first = screen.splitlines()[0]
    assert re.fullmatch(r"connected · 127\.0\.0\.1:\d+", first)
    assert "manager executing_queue" in screen
    assert "▶ gated_scan(" in screen
    assert "Queue: 1 item" in screen
    assert "   0 take_anything('behind it')" in screen
    gate.open(2)
    screen = window.wait_for(lambda text: "3/3 points success" in text and "manager idle" in text)
    assert "det1 against axis" in screen
    assert re.search(r"^3 +2 +1$", screen, re.MULTILINE)
    assert "▶" not in screen


def test_without_a_server_it_says_since_when_and_nothing_moves_and_afterwards_all_is_shown(
    window: TerminalWindow, parts: Parts, client: Client, gate: Gate
) -> None:
    scanning(client, gate)
    window.wait_for("1/3 points")
    with parts.manager_killed():
        screen = window.wait_for("NOT CONNECTED since")
        assert re.search(r"^ NOT CONNECTED since \d\d:\d\d:\d\d \(0:\d\d\)", screen)
        assert re.search(r"^What is below is of \d\d:\d\d:\d\d\.", screen, re.MULTILINE)
        gate.open(2)
        one = window.wait_for("(0:03)").splitlines()
        other = window.wait_for("(0:05)").splitlines()
        assert one[2:] == other[2:]
        assert any("1/3 points" in line for line in other)
    screen = window.wait_for(lambda text: text.startswith("connected") and "3/3 points" in text)
    assert "point 3 is taken" in screen
    assert "could not be followed" not in screen


@pytest.mark.parametrize(("columns", "lines"), [(40, 10), (200, 50), (20, 4), (1, 1)])
def test_it_fits_into_any_window(window: TerminalWindow, client: Client, gate: Gate, columns: int, lines: int) -> None:
    scanning(client, gate)
    window.wait_for("1/3 points")
    window.resize(columns, lines)
    begin = "connected"[: columns - 1]
    screen = window.wait_for(lambda text: text.startswith(begin)).splitlines()
    assert (lines < 10) or any("gated_scan" in line for line in screen)
    window.resize(80, 24)
    window.wait_for(lambda text: "1/3 points" in text and "take_anything" in text)
    gate.open(2)
    window.wait_for("3/3 points success")


def test_a_line_as_wide_as_the_window_is_shown_to_its_last_character(parts: Parts, client: Client, gate: Gate) -> None:
    with watching(parts.address, columns=40) as window:
        window.wait_for("Queue: 0 items")
        scanning(client, gate)
        running = client.queue.page().running_item
        assert running is not None
        screen = window.wait_for("▶ gated_scan(")
        line = next(line for line in screen.splitlines() if line.startswith("▶"))
        assert (len(line), line.endswith(f"… by {running.item.user}")) == (40, True), screen
        gate.open(2)
        window.wait_for("3/3 points success")


def test_the_holder_of_the_lock_sees_who_asks_for_it_and_what_to_type(window: TerminalWindow, parts: Parts) -> None:
    jane, bob = [("qserver-user", "jane")], [("qserver-user", "bob")]
    with grpc.insecure_channel(parts.address) as channel:
        lock = lock_service_pb2_grpc.LockServiceStub(channel)
        lock.AcquireLock(pb.AcquireLockRequest(queue=True, note="alignment", lock_key="k1"), metadata=jane)
        screen = window.wait_for("Locked by jane: queue since ")
        assert re.search(r"since \d\d:\d\d:\d\d: alignment$", screen, re.MULTILINE)
        lock.RequestLock(pb.RequestLockRequest(queue=True, note="my sample", lock_key="k2"), metadata=bob)
        window.wait_for("bob asks for the lock of queue: my sample (until ")
        window.wait_for(lambda text: "qserver lock grant, or lock refuse" in text.replace("\n", " "))
        granted = pb.AnswerLockRequestRequest(answer=lock_pb2.LOCK_ANSWER_GRANT, lock_key="k1")
        lock.AnswerLockRequest(granted, metadata=jane)
        window.wait_for(lambda text: "Locked by bob: queue" in text and "asks" not in text)
        lock.ReleaseLock(pb.ReleaseLockRequest(lock_key="k2"), metadata=bob)
        window.wait_for(lambda text: "Locked by" not in text)


def test_ctrl_c_gives_the_terminal_back_as_it_was(window: TerminalWindow) -> None:
    window.type(b"keys that do not appear" + CTRL_C)
    assert window.wait() == 0
    assert window.is_as_before
    assert window.text().strip() == "Arguments: ['watch']"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_from_elsewhere_it_gives_the_terminal_back_too(window: TerminalWindow, number: signal.Signals) -> None:
    window.process.send_signal(number)
    assert window.wait() == -number
    assert window.is_as_before


def test_stopped_by_ctrl_s_it_goes_on_and_ends_at_ctrl_c(window: TerminalWindow, client: Client, gate: Gate) -> None:
    window.type(CTRL_S)
    with client.watch(["document"]) as events:
        next(events)
        scanning(client, gate)
        next(event for event in events if isinstance(event, DocumentEmitted) and event.document.name == "event")
    window.type(CTRL_Q)
    window.wait_for("1/3 points")
    gate.open(2)
    window.wait_for("3/3 points success")
    window.type(CTRL_S + CTRL_C)
    assert window.wait() == 0
    assert window.is_as_before


def test_it_ends_with_its_window(window: TerminalWindow) -> None:
    window.hang_up()
    assert window.wait() == -signal.SIGHUP


def test_after_a_loss_of_the_store_it_says_that_not_all_could_be_followed(window: TerminalWindow, parts: Parts) -> None:
    with parts.manager_killed():
        window.wait_for("NOT CONNECTED")
        with parts.redis.connect() as store:
            store.flushall()
    screen = window.wait_for("Some changes could not be followed; this is the state now.")
    assert screen.startswith("connected")


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(window: TerminalWindow) -> None:
    window.type(CTRL_Z)
    os.waitid(os.P_PID, window.process.pid, os.WSTOPPED)
    window.wait_for("Arguments: ['watch']")
    assert window.is_as_before
    os.kill(window.process.pid, signal.SIGCONT)
    window.wait_for("Queue: 0 items")
    window.type(CTRL_C)
    assert window.wait() == 0


def test_ctrl_c_while_it_connects_ends_it_quietly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with watching(address) as window:
            connection, _ = silent.accept()
            with connection:
                window.type(CTRL_C)
                assert window.wait() == 0
            assert window.is_as_before
            assert window.text().replace("^C", "").strip() == "Arguments: ['watch']"


def test_without_a_server_from_the_beginning_it_says_so_and_ends() -> None:
    with watching(f"127.0.0.1:{reserved_port()}", columns=200) as window:
        assert window.wait() == 3
        assert "ERROR: No Queue Server answers at" in window.text()
        assert window.is_as_before


def test_without_colours_and_without_unicode_it_is_plain(parts: Parts, client: Client, gate: Gate) -> None:
    with watching(parts.address, NO_COLOR="1", LC_ALL="C") as window:
        window.wait_for("Queue: 0 items")
        scanning(client, gate)
        window.wait_for("1/3 points")
        gate.open(2)
        window.wait_for("3/3 points success")
        assert window.written.isascii()
        assert not re.search(rb"\x1b\[[0-9;]*\b[34][0-8]\b[0-9;]*m", window.written)


def test_a_simple_terminal_gets_lines(parts: Parts, client: Client) -> None:
    with watching(parts.address, columns=200, TERM="dumb") as window:
        window.wait_until_written(b"in the queue")
        client.queue.add(Plan("one_run", "\x1b[2J"))
        window.wait_until_written(rb"added at 0: one_run('\x1b[2J') by")
        window.type(CTRL_C)
        assert window.wait() == 0
        assert b"\x1b[?" not in window.written


def test_names_and_console_text_do_not_act_on_the_terminal(window: TerminalWindow, client: Client) -> None:
    client.queue.add_batch([Plan("one_run", f"{number} 名前 \x1b[2J\x9b2J\x1b]0;x\x07\n") for number in range(50)])
    screen = window.wait_for("… and ")
    assert "   0 one_run('0 名前 \\x1b[2J\\x9b2J\\x1b]0;x\\x07\\n')" in screen
    assert b"\x1b]0" not in window.written
    assert screen.startswith("connected")
