"""One round: a fresh system, traffic, faults, and the verdict when everything has come to rest."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from queueserver_client import AsyncClient, EventKind, ManagerState, QueueServerError, Status
from queueserver_client.events import StatusChanged
from queueserver_client.models.items import HistoryEntry

from tests.chaos import verdict
from tests.chaos.faults.chance import Chance
from tests.chaos.kinds import KINDS, Stage
from tests.chaos.operating import keep_running
from tests.chaos.recorder import Progress, Recorder
from tests.chaos.told import Told
from tests.chaos.traffic import Customer
from tests.harness.process import ProcessError
from tests.harness.stack import short_directory

CLIENTS = 3
#: Seconds without any event although nothing is wrong any more, after which the system counts as stuck; and seconds
#: until everything that was accepted has been executed, when the faults are over.
_STUCK, _AT_REST = 60.0, 300.0


@dataclass
class Report:
    """What one round did and found."""

    kind: str
    seed: str
    faults: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    submitted: int = 0
    executions: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    log: str = ""


class Round:
    """Traffic and its verdict. Lives in a thread with an event loop; the faults have the thread that made it."""

    def __init__(self, directory: Path, seed: str) -> None:
        self.progress = Progress()
        self.told = Told()
        self._seed = seed
        self._traces = directory / "traces"
        self._enough = asyncio.Event()
        self._customers: list[Customer] = []
        self.recorder = Recorder(self.progress, self._item_ended)
        self._recorded: asyncio.Task[None] | None = None
        self._working: list[asyncio.Task[None]] = []
        self._operating: asyncio.Task[None] | None = None
        self._at_rest = asyncio.Event()

    def _item_ended(self, uid: str) -> None:
        for customer in self._customers:
            customer.waiting.pop(uid, None)
            customer.ended.set()

    async def begin(self, addresses: list[str]) -> None:
        """Open the environment, and start everything that makes traffic."""
        async with AsyncClient(addresses[0], timeout=_STUCK) as client:
            await client.environment.open()
        self._customers = [
            Customer(number, addresses[number % len(addresses)], str(self._traces), self.told, f"{self._seed}/{number}")
            for number in range(CLIENTS)
        ]
        self._recorded = asyncio.create_task(self.recorder.record(addresses[0]))
        # What ends before its first snapshot it would never see.
        await asyncio.wait_for(self.recorder.begun.wait(), _STUCK)
        self._working = [asyncio.create_task(customer.work(self._enough)) for customer in self._customers]
        self._operating = asyncio.create_task(keep_running(addresses[-1], self._at_rest))

    async def end(self, address: str) -> list[str]:
        """Wait until everything is executed; returns what is wrong."""
        self._enough.set()
        assert self._operating is not None
        assert self._recorded is not None
        tasks = [*self._working, self._operating, self._recorded]
        try:
            await _within(_STUCK, "the clients", *self._working)
            async with AsyncClient(address, timeout=_STUCK) as client:
                await _within(_AT_REST, "the queue", asyncio.create_task(until_empty(client)))
                self._at_rest.set()
                await _within(_STUCK, "the operator", self._operating)
                rest = verdict.Rest(
                    queue=[item async for item in client.queue.list()],
                    history=[entry async for entry in client.history.list()],
                )
                recorded = asyncio.create_task(self._until_recorded(len(rest.history)))
                await _within(_STUCK, f"the record of {self._missing(rest.history, await client.status())}", recorded)
            return verdict.problems(self.told, rest, verdict.Traces.read(self._traces), self.recorder)
        except (asyncio.TimeoutError, QueueServerError) as error:
            return [
                f"it did not come to rest: {error!r}",
                *_failures(self._recorded, self._operating),
            ]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _missing(self, history: Sequence[HistoryEntry], status: Status) -> str:
        """Which ends the record does not have, for the report of a round that does not come to rest."""
        recorded = {entry.number for entry in self.recorder.history}
        missing = [entry.number for entry in history if entry.number not in recorded]
        assert self._recorded is not None
        return (
            f"the ends {missing} of {len(history)} (revision {self.recorder.revision} of {status.revision}), "
            f"in {_place(self._recorded)}"
        )

    async def _until_recorded(self, entries: int) -> None:
        for customer in self._customers:
            customer.ended.clear()
        # A watch that began again misses ends for good; the verdict says so.
        while len(self.recorder.history) < entries and not self.recorder.faults:
            await self._customers[0].ended.wait()
            self._customers[0].ended.clear()


async def _within(seconds: float, what: str, *tasks: asyncio.Task[None]) -> None:
    """Wait for the end of tasks. Raises asyncio.TimeoutError with the places where they are after so many seconds."""
    _, waiting = await asyncio.wait(tasks, timeout=seconds)
    if waiting:
        places = "; ".join(map(_place, waiting))
        for task in waiting:
            task.cancel()
        raise asyncio.TimeoutError(f"{what}: {places}")
    for task in tasks:
        task.result()


def _place(task: asyncio.Task[None]) -> str:
    """Where a task waits, from the outermost call to the innermost."""
    awaited: Any = task.get_coro()
    places = []
    while awaited is not None and (frame := getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)):
        places.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return " > ".join(places)


def _failures(*tasks: asyncio.Task[None]) -> Iterator[str]:
    """What ended tasks that should run until the end of the round."""
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            yield f"{task.get_coro().__qualname__} ended: {task.exception()!r}"  # type: ignore[union-attr]


async def until_empty(client: AsyncClient) -> None:
    """Return when nothing is queued and nothing runs."""
    async for change in client.watch([EventKind.STATUS], reconnect_timeout=_STUCK):
        status = change.status if isinstance(change, StatusChanged) else getattr(change, "status", None)
        if status is None or status.manager_state is not ManagerState.IDLE:
            continue
        if not status.items_in_queue and status.running_item_uid is None:
            return


@contextlib.contextmanager
def _loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="traffic", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def play(kind: str, seed: str, faults: int, on_fault: Callable[[str], None]) -> Report:
    """Play one round of a kind."""
    report = Report(kind, seed)
    chance = Chance(seed)
    with (
        short_directory() as directory,
        _loop_in_thread() as loop,
        KINDS[kind][0](directory, loop, chance) as stage,
    ):
        traffic = asyncio.run_coroutine_threadsafe(_begin(stage, directory, seed), loop).result(2 * _STUCK)
        _disturb(stage, traffic, chance, report, faults, on_fault)
        end = traffic.end(stage.system.managers[0].address)
        report.problems += asyncio.run_coroutine_threadsafe(end, loop).result(2 * _AT_REST)
        report.submitted, report.executions = len(traffic.told.submissions), len(traffic.recorder.history)
        report.refused, report.unknown = traffic.told.refused, traffic.told.unknown
        if report.problems:
            report.log = stage.system.log()
    return report


async def _begin(stage: Stage, directory: Path, seed: str) -> Round:
    traffic = Round(directory, seed)
    await traffic.begin([manager.address for manager in stage.system.managers])
    return traffic


def _disturb(
    stage: Stage, traffic: Round, chance: Chance, report: Report, faults: int, on_fault: Callable[[str], None]
) -> None:
    for _ in range(faults):
        if not traffic.progress.wait_for(chance.pause(), _STUCK):
            report.problems.append(f"nothing happened for {_STUCK:.0f} s after: {(report.faults or ['the start'])[-1]}")
            break
        try:
            report.faults.append(chance.fault(stage.faults)())
        except ProcessError as error:
            report.problems.append(f"what a fault had ended did not come back: {error}")
            break
        on_fault(report.faults[-1])
