"""Redis, Worker and Manager without a supervisor, so that a test decides when what is dead comes back."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.harness.health import wait_until_met
from tests.harness.redis import RedisProcess
from tests.harness.services import DEMO_STARTUP, ManagerProcess, WorkerProcess
from tests.harness.stack import short_directory


class Parts:
    """One of each, each killed and started again by the test. The Manager keeps its port."""

    def __init__(self, directory: Path, startup: Path, *options: str) -> None:
        """``options`` are the Manager's."""
        with contextlib.ExitStack() as opened:
            self.redis = RedisProcess(directory)
            opened.callback(self.redis.close)
            self.worker = WorkerProcess(directory, startup)
            opened.callback(self.worker.close)
            self.manager = ManagerProcess(self.redis.url, self.worker.address, *options)
            opened.callback(self.manager.close)
            self._opened = opened.pop_all()

    @property
    def address(self) -> str:
        """Where clients connect."""
        return self.manager.address

    def kill_manager(self) -> None:
        """``kill -9``; it stays away until :meth:`start_manager`."""
        self.manager.process.kill()

    def start_manager(self) -> None:
        """Start it again; returns when it owns the queue and has met the Worker, if there is one, or is a standby."""
        self.manager.restart()
        # It serves without the Worker if that takes longer than a moment, as it may on a machine with much to do.
        if self.worker.process.running:
            wait_until_met(self.address)

    @contextlib.contextmanager
    def manager_killed(self) -> Iterator[None]:
        """The Manager is dead inside and back afterwards."""
        self.kill_manager()
        try:
            yield
        finally:
            self.start_manager()

    @contextlib.contextmanager
    def redis_killed(self) -> Iterator[None]:
        """Redis is dead inside and back afterwards."""
        self.redis.kill()
        try:
            yield
        finally:
            self.redis.start()

    @contextlib.contextmanager
    def redis_frozen(self) -> Iterator[None]:
        """Redis hangs inside and goes on afterwards."""
        self.redis.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.redis.send(signal.SIGCONT)

    def close(self) -> None:
        """End everything."""
        self._opened.close()

    def log(self) -> str:
        """Last lines of Worker and Manager."""
        return f"Worker:\n{self.worker.process.output}\nManager:\n{self.manager.process.output}"


@contextlib.contextmanager
def running_parts(startup: Path = DEMO_STARTUP) -> Iterator[Parts]:
    """Parts in a fresh directory; they and their processes are gone afterwards."""
    with short_directory() as directory:
        parts = Parts(directory, startup)
        try:
            yield parts
        finally:
            parts.close()
