from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_process.systemd import SYSTEMD_VARIABLES, SystemdNotifier


@pytest.fixture
def systemd(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(short_path / "notify"))
        receiver.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(short_path / "notify"))
        yield receiver


def _pending(receiver: socket.socket) -> list[str]:
    receiver.setblocking(False)
    messages: list[str] = []
    try:
        while True:
            messages.append(receiver.recv(4096).decode())
    except BlockingIOError:
        return messages


def test_a_service_tells_its_state_in_lines(systemd: socket.socket) -> None:
    notifier = SystemdNotifier()
    notifier.status("Waiting\nfor Redis")
    notifier.status("Waiting for Redis")
    notifier.ready("Serving")
    notifier.stopping("Ending")
    assert _pending(systemd) == ["STATUS=Waiting for Redis", "READY=1\nSTATUS=Serving", "STOPPING=1\nSTATUS=Ending"]


@pytest.mark.usefixtures("systemd")
def test_no_child_can_speak_for_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "1000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    SystemdNotifier()
    assert not set(SYSTEMD_VARIABLES) & os.environ.keys()


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    SystemdNotifier().ready("Serving")


def test_a_name_in_the_abstract_namespace_is_understood(monkeypatch: pytest.MonkeyPatch, short_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{short_path}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{short_path}")
        SystemdNotifier().ready("Serving")
        assert _pending(receiver) == ["READY=1\nSTATUS=Serving"]


def test_what_systemd_did_not_take_is_told_with_the_next_message(systemd: socket.socket, short_path: Path) -> None:
    notifier = SystemdNotifier()
    (short_path / "notify").rename(short_path / "away")
    notifier.ready("Serving")
    (short_path / "away").rename(short_path / "notify")
    notifier.status("Waiting for Redis")
    assert _pending(systemd) == ["READY=1\nSTATUS=Waiting for Redis"]


async def test_the_watchdog_is_fed_while_all_is_well_and_only_then(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    asked = asyncio.Event()
    answers = iter([True, False])

    def is_well() -> bool:
        answer = next(answers, None)
        if answer is None:
            asked.set()
        return bool(answer)

    SystemdNotifier().feed_watchdog(is_well)
    await asyncio.wait_for(asked.wait(), 10)
    assert _pending(systemd) == ["WATCHDOG=1\nEXTEND_TIMEOUT_USEC=2000"]


async def test_a_service_that_is_ready_needs_no_more_time_to_start(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    notifier = SystemdNotifier()
    notifier.ready("Serving")
    notifier.feed_watchdog()
    assert _pending(systemd) == ["READY=1\nSTATUS=Serving", "WATCHDOG=1"]


@pytest.mark.parametrize(("name", "value"), [("WATCHDOG_PID", "1"), ("WATCHDOG_USEC", ""), ("WATCHDOG_USEC", "x")])
async def test_the_watchdog_of_another_process_or_none_is_not_fed(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    monkeypatch.setenv(name, value)
    SystemdNotifier().feed_watchdog()
    assert _pending(systemd) == []
