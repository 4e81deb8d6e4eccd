"""Addresses that others than this machine's own programs can reach are listened on only where that is said."""

from __future__ import annotations

import sys
from pathlib import Path

import grpc
import psutil  # type: ignore[import-untyped]  # it has no type information
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from queueserver_client import AsyncClient

from tests.harness.process import TestProcess
from tests.harness.redis import RedisProcess
from tests.harness.services import DEMO_STARTUP, ManagerProcess, WorkerProcess
from tests.harness.stack import Stack, running_stack

LEAVE = "--insecure-listen"
WARNING = "can run any code on this machine and move its devices, because no credentials are required"
SERVICES = ["manager", "worker", "start-re-manager"]


def arguments(service: str, directory: Path) -> list[str]:
    if service == "manager":
        return ["queueserver_manager", "--redis", f"unix://{directory}/none", "--worker", f"unix:{directory}/none"]
    if service == "worker":
        return ["queueserver_worker", "--state-dir", str(directory), "--startup-dir", str(DEMO_STARTUP)]
    return ["queueserver_standalone", "--data-dir", str(directory / "data")]


def ended(service: str, directory: Path, *options: str, **environment: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", *arguments(service, directory), *options]
    process = TestProcess(service, command, environment=environment, announces=False)
    try:
        code = process.wait()
        process.output.wait_until_ended()
        return code, process.output.lines()
    finally:
        process.close()


@pytest.mark.parametrize("service", SERVICES)
def test_without_leave_no_service_listens_there_and_one_line_says_why(service: str, tmp_path: Path) -> None:
    code, (line,) = ended(service, tmp_path, "--listen", "0.0.0.0:0")
    assert code == 1
    assert "Can't listen on 0.0.0.0:0: anyone who reaches it could run any code on this machine" in line
    assert f"add {LEAVE}" in line
    assert not (tmp_path / "data").exists()


async def health_metadata(address: str) -> dict[str, str]:
    async with grpc.aio.insecure_channel(address) as channel:
        checked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        told = dict(await checked.initial_metadata())
        assert told == dict(await watched.initial_metadata())
        watched.cancel()
        return {key: value for key, value in told.items() if key.startswith("qserver")}


async def test_with_leave_log_status_and_health_checks_say_that_everybody_is_let_in(
    redis_server: RedisProcess, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = WorkerProcess(short_path, DEMO_STARTUP, "--listen", "0.0.0.0:0", LEAVE)
    monkeypatch.setenv("QSERVER_INSECURE_LISTEN", "1")
    manager = ManagerProcess(redis_server.url, worker.address, "--listen", "0.0.0.0:0")
    try:
        for process in (worker.process, manager.process):
            assert process.output.wait_for(WARNING).startswith("[W ")
        async with AsyncClient(manager.address) as client, client.watch() as watch:
            async for _ in watch:
                status = await client.status()
                if status.worker.value == "up":
                    break
        assert (status.insecure_listen, status.worker_insecure_listen) == (True, True)
        for address in (worker.address, manager.address):
            assert await health_metadata(address) == {"qserver-insecure-listen": "true"}
    finally:
        manager.close()
        worker.close()


async def test_on_loopback_there_is_nothing_to_say(stack: Stack, client: AsyncClient) -> None:
    status = await client.status()
    assert (status.insecure_listen, status.worker_insecure_listen) == (False, False)
    assert await health_metadata(stack.address) == {"qserver-insecure-listen": "false"}
    assert WARNING not in stack.log()
    # The embedded Redis is reached by its unix socket only.
    assert psutil.Process(stack.pid("redis")).net_connections("inet") == []


async def test_a_whole_server_listens_on_a_unix_socket_that_only_its_owner_can_use(short_path: Path) -> None:
    socket = short_path / "clients"
    with running_stack("--listen", f"unix:{socket}") as stack:
        assert stack.address == f"unix:{socket}"
        assert socket.stat().st_mode & 0o777 == 0o600
        async with AsyncClient(stack.address) as client:
            assert (await client.status()).insecure_listen is False
        stack.kill_and_wait_for_restart("manager")
        async with AsyncClient(stack.address) as client:
            assert (await client.status()).role.value == "owner"
    assert not socket.exists()
