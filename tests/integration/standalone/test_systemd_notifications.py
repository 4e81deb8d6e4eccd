"""What the processes tell systemd, received on a socket of the test."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no type information
import pytest
from queueserver_client import Client

from tests.harness.redis import RedisProcess
from tests.harness.service_manager import ServiceManager
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.stack import Stack


@pytest.fixture
def redis(short_path: Path) -> Iterator[RedisProcess]:
    (short_path / "redis").mkdir()
    process = RedisProcess(short_path / "redis", tcp=True)
    try:
        yield process
    finally:
        process.close()


@pytest.fixture
def systemd(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceManager]:
    manager = ServiceManager(short_path)
    for name, value in manager.variables.items():
        monkeypatch.setenv(name, value)
    try:
        yield manager
    finally:
        manager.close()


@pytest.fixture
def server(short_path: Path, systemd: ServiceManager) -> Iterator[Stack]:
    assert systemd.lines == []
    stack = Stack(short_path)
    try:
        yield stack
    finally:
        stack.close()


def test_start_re_manager_tells_what_it_waits_for_when_it_is_ready_and_that_it_ends(
    server: Stack, systemd: ServiceManager
) -> None:
    process = server.launch()
    assert systemd.wait_for("STATUS=") == "STATUS=Waiting for the start of Redis and Worker and Manager"
    systemd.wait_for("STATUS=Waiting for the start of Worker")
    systemd.wait_for("READY=1")
    assert [line for line in systemd.lines if line.startswith("EXTEND_TIMEOUT_USEC=")]
    assert systemd.wait_for("STATUS=") == f"STATUS=Serving on {server.address}"
    ready = len(systemd.lines)
    systemd.wait_for("WATCHDOG=1")
    assert not [line for line in systemd.lines[ready:] if line.startswith("EXTEND_TIMEOUT_USEC=")]
    process.send(signal.SIGTERM)
    systemd.wait_for("STOPPING=1")
    systemd.wait_for("STATUS=Stopping")
    assert process.wait() == 0
    assert systemd.senders == {process.pid}


def test_the_status_shows_a_part_that_is_started_again(server: Stack, systemd: ServiceManager) -> None:
    server.launch()
    systemd.wait_for("READY=1")
    server.kill("manager")
    systemd.wait_for("STATUS=Waiting for the start of Manager")
    systemd.wait_for(f"STATUS=Serving on {server.address}")


def test_no_process_of_the_server_and_no_startup_code_can_speak_for_the_service(
    server: Stack, systemd: ServiceManager
) -> None:
    server.launch()
    systemd.wait_for("READY=1")
    with Client(server.address) as client:
        client.environment.open()
    for part in ("worker", "manager", "environment"):
        variables = psutil.Process(server.pid(part)).environ()
        assert "PATH" in variables
        assert not systemd.variables.keys() & variables.keys()


def test_a_manager_tells_that_it_waits_for_redis_and_for_the_worker(
    redis: RedisProcess, systemd: ServiceManager, short_path: Path
) -> None:
    worker = WorkerProcess(short_path)
    systemd.wait_for("READY=1")
    worker.process.stop()
    systemd.wait_for("STOPPING=1")
    systemd.senders.clear()
    manager = ManagerProcess(redis.url, worker.address)
    try:
        systemd.wait_for("STATUS=Waiting for Redis at redis://127.0.0.1")
        systemd.wait_for("READY=1")
        systemd.wait_for(f"STATUS=Waiting for the Worker at {worker.address}")
        worker.restart()
        systemd.wait_for(f"STATUS=Serving on {manager.address}")
        redis.kill()
        assert "can't be reached" in systemd.wait_for("STATUS=Redis at")
        systemd.wait_for("WATCHDOG=1")
        manager.process.send(signal.SIGTERM)
        systemd.wait_for("STOPPING=1")
        assert manager.process.wait() == 0
        assert manager.process.pid in systemd.senders
    finally:
        manager.close()
        worker.close()


def test_a_manager_tells_that_it_is_a_standby(redis: RedisProcess, systemd: ServiceManager, short_path: Path) -> None:
    worker = WorkerProcess(short_path)
    first = ManagerProcess(redis.url, worker.address)
    systemd.wait_for(f"STATUS=Serving on {first.address}")
    second = ManagerProcess(redis.url, worker.address)
    try:
        systemd.wait_for(f"STATUS=Standby: the Manager at {first.address} owns the queue")
        first.process.stop()
        systemd.wait_for(f"STATUS=Serving on {second.address}")
    finally:
        for process in (first, second, worker):
            process.close()


def test_a_worker_tells_that_it_serves_and_that_it_ends(systemd: ServiceManager, short_path: Path) -> None:
    worker = WorkerProcess(short_path)
    try:
        systemd.wait_for("READY=1")
        assert systemd.wait_for("STATUS=") == f"STATUS=Serving on {worker.address}"
        systemd.wait_for("WATCHDOG=1")
        worker.process.send(signal.SIGTERM)
        systemd.wait_for("STOPPING=1")
        assert worker.process.wait() == 0
        assert systemd.senders == {worker.process.pid}
    finally:
        worker.close()


def test_a_service_that_systemd_aborts_writes_where_it_was(systemd: ServiceManager, short_path: Path) -> None:
    worker = WorkerProcess(short_path)
    try:
        systemd.wait_for("READY=1")
        worker.process.send(signal.SIGABRT)
        worker.process.output.wait_for("queueserver_worker")
        worker.process.output.wait_for("Fatal Python error: Aborted")
    finally:
        worker.close()
