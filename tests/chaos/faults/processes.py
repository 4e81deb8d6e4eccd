"""Faults of the Managers, the Worker, the environment, and of everything at once."""

from __future__ import annotations

import signal

from tests.chaos.faults.chance import Chance, Fault, stopped
from tests.chaos.system import System
from tests.harness.full_disk import disk_full_for


class ProcessFaults:
    """What every kind of round has."""

    def __init__(self, system: System, chance: Chance) -> None:
        self._system = system
        self._chance = chance
        self.kinds: dict[Fault, int] = {
            self._kill_manager: 6,
            self._kill_worker: 3,
            self._kill_environment: 3,
            self._kill_everything: 2,
            self._end_manager: 2,
            self._end_worker: 1,
            self._stop_manager: 4,
            self._stop_worker: 2,
            self._fill_disk: 1,
            self._set_clock: 2,
        }

    def _manager(self) -> str:
        return self._chance.one_of(["manager 0", "manager 1"])

    def _kill(self, name: str) -> str:
        self._system.processes()[name].kill()
        seconds = self._chance.for_a_while() if self._chance.heads() else 0.0
        self._system.restart(name)
        return f"kill -9 {name}, back after {seconds:.2f} s"

    def _kill_manager(self) -> str:
        return self._kill(self._manager())

    def _kill_worker(self) -> str:
        return self._kill("worker")

    def _kill_environment(self) -> str:
        return "kill -9 environment" if self._system.kill_environment() else "no environment to kill"

    def _kill_everything(self) -> str:
        processes, store = self._system.processes(), self._system.store
        store.settle()
        names = self._chance.shuffled(list(processes))
        for process in (*store.processes().values(), *(processes[name] for name in names)):
            process.send(signal.SIGKILL)
        for process in processes.values():
            process.wait()
        store.come_back()
        names = self._chance.shuffled(names)
        for name in names:
            self._system.restart(name)
        return f"kill -9 everything, back in the order redis, {', '.join(names)}"

    def _end(self, name: str) -> str:
        self._system.processes()[name].stop()
        self._system.restart(name)
        return f"SIGTERM {name}"

    def _end_manager(self) -> str:
        return self._end(self._manager())

    def _end_worker(self) -> str:
        return self._end("worker")

    def _stop(self, name: str) -> str:
        with stopped(self._system.processes()[name].pid):
            seconds = self._chance.for_a_while()
        return f"SIGSTOP {name} for {seconds:.2f} s"

    def _stop_manager(self) -> str:
        return self._stop(self._manager())

    def _stop_worker(self) -> str:
        return self._stop("worker")

    def _fill_disk(self) -> str:
        with disk_full_for(self._system.worker.process.pid):
            seconds = self._chance.for_a_while()
        return f"disk full for worker for {seconds:.2f} s"

    def _set_clock(self) -> str:
        part = self._chance.one_of(list(self._system.clocks))
        seconds = self._chance.clock()
        self._system.set_clock(part, seconds)
        return f"the clock of {part} is wrong by {seconds:.0f} s from now on"
