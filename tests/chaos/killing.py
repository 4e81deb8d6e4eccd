"""A queue of 200 plans, during which one part after another is killed and started again, ten times."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from queueserver_client import AsyncClient, ExitStatus, ItemHandle, Plan, Status

from tests.chaos import verdict
from tests.chaos.operating import keep_running
from tests.chaos.recorder import Progress, Recorder
from tests.chaos.round import until_empty
from tests.chaos.status_record import StatusRecord
from tests.chaos.status_verdict import Agreement, Kill, compare
from tests.chaos.told import Told

PLANS, KILLS = 200, 10
#: Of so many plans one lasts so long that a wrong status could be seen.
_PER_KILL = PLANS // KILLS
_STEPS, _LONG_STEPS = 2, 120
#: Seconds for which a part is away, at most, and until a kill in the middle of a long plan.
_AWAY, _INTO_PLAN = 2.5, 1.0
#: Seconds until everything has come to rest.
_AT_REST = 240.0


class Parts(Protocol):
    """The parts of a server, which can be killed and started again. Its methods block."""

    @property
    def addresses(self) -> str:
        """Where clients find the Managers, with commas between them."""

    def kill(self, name: str) -> None:
        """``kill -9``."""

    def start(self, name: str) -> None:
        """Start it again."""

    def away(self, name: str) -> tuple[float, float]:
        """When its processes had ended, and when it was started again: seconds of the wall clock, of the last time."""


@dataclass
class Outcome:
    """What was done and found."""

    kills: list[Kill] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    agreement: Agreement = field(default_factory=Agreement)
    attempts: int = 0

    def __str__(self) -> str:
        lines = [f"{kill.name} killed at {kill.at:.2f}, back after {kill.back - kill.at:.2f} s" for kill in self.kills]
        lines.append(f"{self.attempts} attempts at {PLANS} plans; the longest times for which the status was wrong:")
        lines += [f"  {seconds:.2f} s: it said {what}" for what, seconds in sorted(self.agreement.longest.items())]
        return "\n".join([*lines, *self.problems])


class _Killing:
    """Kills parts in an order that a seed decides: at every second time in the middle of a long plan."""

    def __init__(self, parts: Parts, names: Sequence[str], seed: str) -> None:
        self._parts = parts
        self._random = random.Random(seed)  # noqa: S311 - to be repeated
        self._order = [names[number % len(names)] for number in range(KILLS)]
        self._random.shuffle(self._order)
        self._never = threading.Event()

    async def work(self, status: StatusRecord, handles: Sequence[ItemHandle]) -> list[Kill]:
        """Kill ten times; returns what was done."""
        places = {handle.uid: place for place, handle in enumerate(handles)}
        kills = []
        for number, name in enumerate(self._order):
            first, is_long = number * _PER_KILL, number % 2 == 0
            place = _long_place(number) if is_long else first + self._random.randrange(_PER_KILL // 2)

            def is_there(status: Status, place: int = place) -> bool:
                # A client whose Manager is cut off from Redis is shown nothing new until all plans may have ended.
                over = status.items_in_history >= PLANS
                return over or places.get(status.running_item_uid or "", -1) >= place

            await asyncio.wait_for(status.until(is_there), _AT_REST)
            seconds = self._random.random() * (_INTO_PLAN if is_long else 0.1)
            kills.append(await asyncio.to_thread(self._one, name, seconds))
        return kills

    def _one(self, name: str, seconds: float) -> Kill:
        self._never.wait(seconds)
        self._parts.kill(name)
        if self._random.random() < 0.5:
            self._never.wait(self._random.random() * _AWAY)
        self._parts.start(name)
        return Kill(name, *self._parts.away(name))


def _long_place(number: int) -> int:
    """Place in the queue of the long plan among those of a kill."""
    return number * _PER_KILL + _PER_KILL // 2


async def outlive(
    parts: Parts, names: Sequence[str], seed: str, traces: str, read_traces: Callable[[], str]
) -> Outcome:
    """Play it; ``traces`` is the file for plans. What is wrong is in the outcome."""
    outcome, told, status = Outcome(), Told(), StatusRecord()
    ended, at_rest = asyncio.Event(), asyncio.Event()
    recorder = Recorder(Progress(), lambda _: ended.set())
    async with AsyncClient(parts.addresses, timeout=_AT_REST) as client:
        await client.environment.open()
        recording = [
            asyncio.create_task(recorder.record(parts.addresses)),
            asyncio.create_task(status.record(parts.addresses)),
        ]
        handles = await _submit(client, told, traces)
        operating = asyncio.create_task(keep_running(parts.addresses, at_rest))
        try:
            outcome.kills = await _Killing(parts, names, seed).work(status, handles)
            await asyncio.wait_for(until_empty(client), _AT_REST)
            at_rest.set()
            await operating
            rest = verdict.Rest([], [entry async for entry in client.history.list()])
            while len(recorder.history) < len(rest.history):
                ended.clear()
                await asyncio.wait_for(ended.wait(), _AT_REST)
        finally:
            for task in (operating, *recording):
                task.cancel()
            await asyncio.gather(operating, *recording, return_exceptions=True)
    status.end()
    found = verdict.Traces.of(read_traces())
    labels = {entry.item.uid: verdict.label_of(entry.item) for entry in rest.history}
    outcome.attempts = len(rest.history)
    outcome.agreement = compare(status.shown, found, labels, outcome.kills)
    outcome.problems = [
        *verdict.problems(told, rest, found, recorder),
        *_not_completed_once(told, rest),
        *outcome.agreement.problems,
    ]
    return outcome


async def _submit(client: AsyncClient, told: Told, traces: str) -> list[ItemHandle]:
    submissions = [told.submit(0) for _ in range(PLANS)]
    long_ones = set(map(_long_place, range(KILLS)))
    plans = [
        Plan("traced", traces, one.label, steps=_LONG_STEPS if one.number in long_ones else _STEPS)
        for one in submissions
    ]
    handles = list(await client.queue.add_batch(plans))
    for one, handle in zip(submissions, handles, strict=True):
        one.uid = handle.uid
    return handles


def _not_completed_once(told: Told, rest: verdict.Rest) -> list[str]:
    completed = Counter(
        verdict.label_of(entry.item) for entry in rest.history if entry.result.exit_status is ExitStatus.COMPLETED
    )
    return [f"{label} was completed {completed[label]} times" for label in told.submissions if completed[label] != 1]
