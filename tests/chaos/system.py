"""The system under test: a store, a Worker, and two Managers of which one is the owner."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no type information

from tests.chaos.stores import Store
from tests.harness.jumping_clock import set_clock
from tests.harness.process import TestProcess, kill_process
from tests.harness.services import ManagerProcess, WorkerProcess

STARTUP = Path(__file__).with_name("startup")


class Clocks(dict[str, Path]):
    """The file with the clock of each part that has one of its own."""

    def __init__(self, directory: Path, *names: str) -> None:
        super().__init__({name: directory / f"clock-{name.replace(' ', '-')}" for name in names})
        for file in self.values():
            set_clock(file, 0.0)


class System:
    """All processes; each is ended and started again by the faults."""

    def __init__(self, store: Store, worker: WorkerProcess, managers: Sequence[ManagerProcess], clocks: Clocks) -> None:
        self.store = store
        self.worker = worker
        self.managers = managers
        self.clocks = clocks

    def processes(self) -> dict[str, TestProcess]:
        """The processes of the server itself, by name."""
        return {
            "worker": self.worker.process,
            "manager 0": self.managers[0].process,
            "manager 1": self.managers[1].process,
        }

    def restart(self, name: str) -> None:
        """Start one of them again; returns when it listens."""
        if name == "worker":
            self.worker.restart()
        else:
            self.managers[int(name[-1])].restart()

    def set_clock(self, name: str, seconds: float) -> None:
        """Let the wall clock of a part be wrong by so much."""
        set_clock(self.clocks[name], seconds)

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

    def log(self) -> str:
        """The last lines of each process."""
        processes = {**self.processes(), **self.store.processes()}
        return "\n".join(f"--- {name}\n{process.output}" for name, process in processes.items())
