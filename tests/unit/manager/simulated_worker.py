"""A Worker that keeps its promises and loses everything that may be lost: replies, connections, itself.

It starts an execution id once, keeps an outcome until it is acknowledged, and reports what happens in order. All the
rest goes wrong when a test says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from queueserver_inventory.access import Access
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.inventory import Inventory, Plan
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState, RunEngineState
from queueserver_manager.domain.queue.item import ExitStatus, FailureCause, ItemResult, Outcome, RunningItem
from queueserver_manager.worker_client import port

from tests.unit.manager.samples import NOW

INVENTORY = Inventory({"count": Plan("count", ())}, {}, b"wire")


class Fate(Enum):
    """What becomes of the next command to run a plan."""

    ACCEPTED = 0
    REFUSED = 1
    COMMAND_LOST = 2
    REPLY_LOST = 3
    REPLY_NEVER_COMES = 4


class SimulatedWorker:
    """Implements the Worker protocol. ``is_stored`` tells whether an execution is in the history of the store."""

    def __init__(self, is_stored: Callable[[str], bool]) -> None:
        self._is_stored = is_stored
        self._boots = self._environments = 0
        self._journal: list[port.WorkerEvent] = []
        self._accepted: set[str] = set()
        #: With the next outcomes it tells that a pause was accepted and had no effect.
        self.pause_pending = False
        self._connection: asyncio.Queue[port.WorkerEvent | None] = asyncio.Queue()
        self._up = asyncio.Event()
        self.may_report = asyncio.Event()
        self.may_report.set()
        self._rebooted = asyncio.Event()
        self.fate = Fate.ACCEPTED
        self.environment = Environment("", EnvironmentState.CLOSED)
        self.current: port.Execution | None = None
        #: Outcomes that were not acknowledged, all outcomes there ever were, and what was really executed, in order.
        self.outcomes: dict[str, Outcome] = {}
        self.reported: dict[str, Outcome] = {}
        self.begun: list[port.Execution] = []
        self.restart()

    # What happens to it

    def restart(self) -> None:
        """The service is restarted: what it executed is gone without an outcome; outcomes were on disk."""
        self._boots += 1
        self._journal.clear()
        self._accepted.clear()
        self.current, self.environment = None, Environment("", EnvironmentState.CLOSED)
        self._rebooted.set()
        self._rebooted = asyncio.Event()
        self._up.set()
        self.break_connection()

    def go_away(self) -> None:
        """It can't be reached, and goes on."""
        self._up.clear()
        self.break_connection()

    def come_back(self) -> None:
        """It can be reached again."""
        self._up.set()

    def break_connection(self) -> None:
        """Whoever watches is cut off."""
        self._connection.put_nowait(None)

    def open(self) -> None:
        """A new environment, if there is none."""
        if self.environment.state is EnvironmentState.CLOSED:
            self._environments += 1
            name = f"environment-{self._environments}"
            self._environment_is(Environment(name, EnvironmentState.IDLE, RunEngineState.IDLE))

    def lose_environment(self) -> None:
        """The environment's process dies."""
        if self.environment.state is not EnvironmentState.CLOSED:
            self._end(ExitStatus.FAILED, FailureCause.ENVIRONMENT_LOST, EnvironmentState.CLOSED)

    def finish(self, status: ExitStatus) -> None:
        """The plan that is being executed ends."""
        if self.current is not None:
            cause = FailureCause.PLAN_ERROR if status is ExitStatus.FAILED else FailureCause.NONE
            self._end(status, cause, EnvironmentState.IDLE)

    def report_again(self) -> None:
        """Old outcomes are reported a second time."""
        for outcome in list(self.reported.values())[-3:]:
            self._report(port.ExecutionFinished(outcome))

    def _end(self, status: ExitStatus, cause: FailureCause, left: EnvironmentState) -> None:
        engine = RunEngineState.IDLE if left is EnvironmentState.IDLE else RunEngineState.NONE
        current, self.current = self.current, None
        if current is not None:
            result = ItemResult(status, NOW + len(self.reported), NOW, cause)
            outcome = Outcome(current.execution_id, result, pause_pending=self.pause_pending)
            self.outcomes[current.execution_id] = self.reported[current.execution_id] = outcome
        self._environment_is(Environment(self.environment.environment_id, left, engine))
        if current is not None:
            self._report(port.ExecutionFinished(self.reported[current.execution_id]))

    def _environment_is(self, environment: Environment) -> None:
        self.environment = environment
        self._report(port.EnvironmentChanged(environment))

    def _report(self, event: port.Event) -> None:
        reported = port.WorkerEvent(len(self._journal) + 1, event)
        self._journal.append(reported)
        self._connection.put_nowait(reported)

    # What it is asked for

    async def _reach(self) -> None:
        # As over a network, the answer is not there in the same turn.
        await next_turn()
        await next_turn()
        if not self._up.is_set():
            raise port.WorkerDown("away")

    async def run_plan(self, running: RunningItem, access: Access, acknowledged: Sequence[str]) -> None:
        del access
        await self._reach()
        fate, self.fate = self.fate, Fate.ACCEPTED
        if fate is Fate.COMMAND_LOST:
            raise port.WorkerDown("the command was lost")
        await self.acknowledge(acknowledged)
        execution_id, item = running.execution_id, running.item
        if execution_id not in self._accepted:
            if fate is Fate.REFUSED or self.environment.state is not EnvironmentState.IDLE:
                raise port.WorkerRefused("SCRIPTED", "The Worker has its reasons.")
            self._begin(port.Execution(execution_id, item.uid))
        if fate is Fate.REPLY_LOST:
            raise port.WorkerDown("the reply was lost")
        if fate is Fate.REPLY_NEVER_COMES:
            await self._rebooted.wait()
            raise port.WorkerDown("it was restarted")

    def _begin(self, execution: port.Execution) -> None:
        self._accepted.add(execution.execution_id)
        self.begun.append(execution)
        self.current = execution
        name = self.environment.environment_id
        self._environment_is(Environment(name, EnvironmentState.EXECUTING_PLAN, RunEngineState.RUNNING))
        self._report(port.Other())

    async def acknowledge(self, execution_ids: Sequence[str]) -> None:
        await self._reach()
        for execution_id in execution_ids:
            assert self._is_stored(execution_id), "an outcome is acknowledged that is not stored"
            self.outcomes.pop(execution_id, None)

    async def control_run_engine(self, request: port.EngineRequest, execution_id: str) -> None:
        raise NotImplementedError

    async def metadata(self) -> Mapping[str, Any]:
        raise NotImplementedError

    async def open_environment(self, environment_id: str) -> None:
        raise NotImplementedError

    async def close_environment(self) -> None:
        raise NotImplementedError

    async def destroy_environment(self, user: str) -> None:
        raise NotImplementedError

    async def watch(
        self, boot_id: str, after_sequence: int
    ) -> AsyncIterator[port.WorkerSnapshot | Sequence[port.WorkerEvent]]:
        await self._up.wait()
        connection: asyncio.Queue[port.WorkerEvent | None] = asyncio.Queue()
        self._connection = connection
        name = f"boot-{self._boots}"
        before = self._journal[after_sequence if boot_id == name else 0 :]
        yield port.WorkerSnapshot(
            name,
            len(self._journal),
            1,
            self.environment,
            INVENTORY,
            self.current,
            tuple(self.outcomes.values()),
        )
        if before:
            yield before
        while True:
            event = await connection.get()
            if event is None:
                raise port.WorkerDown("the connection broke")
            await self.may_report.wait()
            yield [event]
