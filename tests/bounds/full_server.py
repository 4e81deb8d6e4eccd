"""A Manager with a full queue and history, whose loop can be measured, and an open environment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from queueserver_client import Client

from tests.bounds.filling import fill_store
from tests.e2e.conftest import STARTUP
from tests.harness.gate import Gate, gate_in
from tests.harness.health import wait_until_met
from tests.harness.loop_stretches import LoopStretches
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.stack import short_directory


@dataclass(frozen=True)
class Server:
    """A Manager that holds as much as it may, with an open environment."""

    address: str
    pids: tuple[int, ...]
    stretches: LoopStretches
    gate: Gate


@contextlib.contextmanager
def full_server() -> Iterator[Server]:
    """Run Redis, Worker and Manager; the logs of both are printed at the end."""
    with short_directory() as directory, gate_in(directory) as gate:
        redis = RedisProcess(directory)
        worker = WorkerProcess(directory, STARTUP)
        fill_store(redis)
        socket = Path(directory) / "stretches"
        manager = ManagerProcess(redis.url, worker.address, stretches=socket)
        try:
            wait_until_met(manager.address)
            with Client(manager.address) as client:
                client.environment.open()
            pids = (manager.process.pid, worker.process.pid)
            yield Server(manager.address, pids, LoopStretches(socket), gate)
        finally:
            print(f"Worker:\n{worker.process.output}\nManager:\n{manager.process.output}")  # noqa: T201 - shown when a test fails
            manager.close()
            worker.close()
            redis.close()
