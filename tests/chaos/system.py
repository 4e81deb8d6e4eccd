"""The system under test: one Redis, one Worker behind a cable, two Managers of which one is the owner."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no type information

from tests.harness.jumping_clock import set_clock
from tests.harness.process import TestProcess, kill_process
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess, WorkerProcess

STARTUP = Path(__file__).with_name("startup")


class System:
    """All processes; each is ended and started again by the faults."""

    def __init__(self, directory: Path, worker_address: str) -> None:
        """``worker_address`` is the near end of the cable; its far end is :meth:`worker_socket`."""
        self._clock = directory / "clock"
        set_clock(self._clock, 0.0)
        with contextlib.ExitStack() as opened:
            self.redis = RedisProcess(directory)
            opened.callback(self.redis.close)
            self.worker = WorkerProcess(directory, STARTUP)
            opened.callback(self.worker.close)
            self.managers = [
                opened.enter_context(
                    contextlib.closing(ManagerProcess(self.redis.url, worker_address, clock=self._clock))
                )
                for _ in range(2)
            ]
            self._opened = opened.pop_all()

    @staticmethod
    def worker_socket(directory: Path) -> Path:
        """Where the Worker listens."""
        return directory / "worker.sock"

    def processes(self) -> dict[str, TestProcess]:
        """The processes that the faults may stop, by name."""
        return {
            "worker": self.worker.process,
            "manager 0": self.managers[0].process,
            "manager 1": self.managers[1].process,
        }

    def restart(self, name: str) -> None:
        """Start one of them again; returns when it listens."""
        if name == "redis":
            self.redis.start()
        elif name == "worker":
            self.worker.restart()
        else:
            self.managers[int(name[-1])].restart()

    def set_clock(self, seconds: float) -> None:
        """Let the wall clock of both Managers be wrong by so much."""
        set_clock(self._clock, seconds)

    def kill_environment(self) -> bool:
        """``kill -9`` the process that executes plans; whether there was one."""
        for pid in self._environments():
            with contextlib.suppress(ProcessLookupError):
                kill_process(pid)
                return True
        return False

    def _environments(self) -> Iterator[int]:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.worker.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "queueserver_environment" in " ".join(child.cmdline()):
                        yield child.pid

    def close(self) -> None:
        """End everything."""
        self._opened.close()

    def log(self) -> str:
        """The last lines of each process."""
        return "\n".join(f"--- {name}\n{process.output}" for name, process in self.processes().items())


@contextlib.contextmanager
def running_system(directory: Path, worker_address: str) -> Iterator[System]:
    """The system in a directory whose path is short."""
    system = System(directory, worker_address)
    try:
        yield system
    finally:
        system.close()
