"""The faults: what is done to the system, one after another or several at a time, in an order that a seed decides."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import psutil  # type: ignore[import-untyped]  # it has no type information

from tests.chaos.cable import Cable
from tests.chaos.system import System
from tests.harness.full_disk import disk_full_for

#: Seconds for which something is away or stands still.
_SHORT, _LONG = 0.05, 5.0

Fault = Callable[[], str]


class Faults:
    """Chooses and carries out faults. Used by the thread that starts the processes."""

    def __init__(self, system: System, cable: Cable, loop: asyncio.AbstractEventLoop, seed: str) -> None:
        self._system = system
        self._cable = cable
        self._loop = loop
        self._random = random.Random(seed)  # noqa: S311 - to be repeated
        self._never = threading.Event()
        self._kinds: dict[Fault, int] = {
            self._kill_manager: 6,
            self._kill_worker: 3,
            self._kill_environment: 3,
            self._kill_redis: 3,
            self._kill_everything: 2,
            self._end_manager: 2,
            self._end_worker: 1,
            self._end_redis: 1,
            self._stop_manager: 4,
            self._stop_worker: 2,
            self._stop_redis: 2,
            self._cut_cable: 3,
            self._hang_cable: 2,
            self._fill_disk: 2,
            self._set_clock: 1,
        }

    def one(self) -> str:
        """Carry out the next fault and mend it; returns what it was."""
        kinds = list(self._kinds)
        return self._random.choices(kinds, [self._kinds[kind] for kind in kinds])[0]()

    def pause(self) -> int:
        """For how many events to wait before the next fault."""
        return self._random.choice([0, 1, 3, 10, 30])

    def _for_a_while(self) -> float:
        """Seconds: mostly short, sometimes longer than a lease lasts. Waits for them."""
        seconds: float = _SHORT * (_LONG / _SHORT) ** self._random.random()
        self._never.wait(seconds)
        return seconds

    def _manager(self) -> str:
        return self._random.choice(["manager 0", "manager 1"])

    def _kill(self, name: str) -> str:
        self._system.processes()[name].kill()
        seconds = self._for_a_while() if self._random.random() < 0.5 else 0.0
        self._system.restart(name)
        return f"kill -9 {name}, back after {seconds:.2f} s"

    def _kill_manager(self) -> str:
        return self._kill(self._manager())

    def _kill_worker(self) -> str:
        return self._kill("worker")

    def _kill_environment(self) -> str:
        return "kill -9 environment" if self._system.kill_environment() else "no environment to kill"

    def _kill_redis(self) -> str:
        self._system.redis.kill()
        seconds = self._for_a_while()
        self._system.restart("redis")
        return f"kill -9 redis, back after {seconds:.2f} s"

    def _kill_everything(self) -> str:
        names = list(self._system.processes())
        self._random.shuffle(names)
        self._system.redis.send(signal.SIGKILL)
        for name in names:
            self._system.processes()[name].send(signal.SIGKILL)
        for name in names:
            self._system.processes()[name].wait()
        self._system.redis.kill()
        self._random.shuffle(names)
        for name in ["redis", *names]:
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

    def _end_redis(self) -> str:
        self._system.redis.stop()
        self._system.restart("redis")
        return "SIGTERM redis"

    @contextlib.contextmanager
    def _stopped(self, pid: int) -> Iterator[None]:
        process = psutil.Process(pid)
        process.suspend()
        try:
            yield
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def _stop(self, name: str, pid: int) -> str:
        with self._stopped(pid):
            seconds = self._for_a_while()
        return f"SIGSTOP {name} for {seconds:.2f} s"

    def _stop_manager(self) -> str:
        name = self._manager()
        return self._stop(name, self._system.processes()[name].pid)

    def _stop_worker(self) -> str:
        return self._stop("worker", self._system.worker.process.pid)

    def _stop_redis(self) -> str:
        return self._stop("redis", self._system.redis.pid)

    def _cut_cable(self) -> str:
        self._in_loop(self._cable.cut())
        seconds = self._for_a_while()
        self._in_loop(self._cable.mend())
        return f"no connection between Manager and Worker for {seconds:.2f} s"

    def _hang_cable(self) -> str:
        self._in_loop(self._cable.hang())
        seconds = self._for_a_while()
        self._in_loop(self._cable.flow())
        return f"nothing passes between Manager and Worker for {seconds:.2f} s"

    def _fill_disk(self) -> str:
        name, pid = self._random.choice(
            [("redis", self._system.redis.pid), ("worker", self._system.worker.process.pid)]
        )
        with disk_full_for(pid):
            seconds = self._for_a_while()
        if self._system.redis.running:
            return f"disk full for {name} for {seconds:.2f} s"
        # With appendfsync always, it ends rather than to accept what it can't store.
        self._system.redis.kill()
        self._system.restart("redis")
        return f"disk full for {name} for {seconds:.2f} s, which redis left"

    def _set_clock(self) -> str:
        seconds = self._random.choice([-86_400.0, -3_600.0, -5.0, 0.0, 5.0, 3_600.0, 86_400.0])
        self._system.set_clock(seconds)
        return f"the Managers' clock is wrong by {seconds:.0f} s from now on"

    def _in_loop(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30.0)
