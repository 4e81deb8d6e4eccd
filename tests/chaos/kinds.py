"""The kinds of rounds: the system of each, and what happens to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.cable import Cable
from tests.chaos.faults.cable import CableFaults
from tests.chaos.faults.chance import Chance, Fault
from tests.chaos.faults.network import NetworkFaults
from tests.chaos.faults.one_redis import OneRedisFaults
from tests.chaos.faults.processes import ProcessFaults
from tests.chaos.faults.redis_group import RedisGroupFaults
from tests.chaos.networks import networks
from tests.chaos.stores import OneRedis, RedisGroup
from tests.chaos.system import STARTUP, Clocks, System
from tests.harness.jumping_clock import can_be_preloaded, preloaded
from tests.harness.redis import RedisProcess, new_password
from tests.harness.services import ManagerProcess, WorkerProcess

_SERVICES = ("manager 0", "manager 1", "worker")


@dataclass(frozen=True)
class Stage:
    """A system, and what may happen to it."""

    system: System
    faults: dict[Fault, int]


Kind = Callable[[Path, asyncio.AbstractEventLoop, Chance], AbstractContextManager[Stage]]


@contextlib.contextmanager
def _one_machine(directory: Path, loop: asyncio.AbstractEventLoop, chance: Chance) -> Iterator[Stage]:
    """One Redis whose clock jumps too, and a cable between Managers and Worker; all on unix sockets."""
    with ExitStack() as opened:
        cable = Cable(directory / "cable.sock", directory / "worker.sock")
        asyncio.run_coroutine_threadsafe(cable.mend(), loop).result(30.0)
        opened.callback(lambda: asyncio.run_coroutine_threadsafe(cable.cut(), loop).result(30.0))
        clocks = Clocks(directory, *_SERVICES, *(["redis"] if can_be_preloaded() else []))
        environment = preloaded(clocks["redis"]) if "redis" in clocks else None
        store = opened.enter_context(closing(OneRedis(RedisProcess(directory, environment=environment))))
        worker = opened.enter_context(closing(WorkerProcess(directory, STARTUP, clock=clocks["worker"])))
        managers = [
            opened.enter_context(closing(ManagerProcess(store.url, cable.address, clock=clocks[f"manager {number}"])))
            for number in range(2)
        ]
        system = System(store, worker, managers, clocks)
        parts = ProcessFaults(system, chance), OneRedisFaults(store, chance), CableFaults(cable, loop, chance)
        yield Stage(system, {fault: weight for part in parts for fault, weight in part.kinds.items()})


@contextlib.contextmanager
def _failovers(directory: Path, loop: asyncio.AbstractEventLoop, chance: Chance) -> Iterator[Stage]:
    """Three redis-servers and three Sentinels; one replica has to have a change, and each that follows."""
    del loop
    with ExitStack() as opened:
        clocks = Clocks(directory, *_SERVICES)
        store = opened.enter_context(closing(RedisGroup(directory)))
        worker = opened.enter_context(closing(WorkerProcess(directory, STARTUP, clock=clocks["worker"])))
        options = ("--redis-replicas", "1")
        managers = [
            opened.enter_context(
                closing(ManagerProcess(store.url, worker.address, *options, clock=clocks[f"manager {number}"]))
            )
            for number in range(2)
        ]
        system = System(store, worker, managers, clocks)
        parts = ProcessFaults(system, chance), RedisGroupFaults(store, chance)
        yield Stage(system, {fault: weight for part in parts for fault, weight in part.kinds.items()})


@contextlib.contextmanager
def _networks(directory: Path, loop: asyncio.AbstractEventLoop, chance: Chance) -> Iterator[Stage]:
    """Each Manager and the Worker on a host of its own."""
    del loop
    with ExitStack() as opened:
        clocks = Clocks(directory, *_SERVICES)
        between = opened.enter_context(networks())
        redis = RedisProcess(directory, tcp=True, password=new_password(), host=between.redis_host)
        store = opened.enter_context(closing(OneRedis(redis)))
        listen = f"{between.worker_host}:5000"
        worker = WorkerProcess(
            directory,
            STARTUP,
            "--insecure-listen",
            listen=listen,
            clock=clocks["worker"],
            inside=between.worker.inside,
        )
        opened.callback(worker.close)
        managers = [
            opened.enter_context(
                closing(
                    ManagerProcess(
                        store.url,
                        listen,
                        "--insecure-listen",
                        clock=clocks[f"manager {number}"],
                        host=between.manager_hosts[number],
                        inside=between.managers[number].inside,
                    )
                )
            )
            for number in range(2)
        ]
        system = System(store, worker, managers, clocks)
        parts = ProcessFaults(system, chance), OneRedisFaults(store, chance), NetworkFaults(between, chance)
        yield Stage(system, {fault: weight for part in parts for fault, weight in part.kinds.items()})


#: In the order in which rounds are of them, each with its share of the faults: those of the others take longer.
KINDS: dict[str, tuple[Kind, int]] = {
    "one-machine": (_one_machine, 3),
    "failovers": (_failovers, 1),
    "networks": (_networks, 1),
}
