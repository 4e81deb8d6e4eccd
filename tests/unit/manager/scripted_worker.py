"""A Worker in memory that does what a test tells it to. What a real one does is tested with real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from queueserver_inventory.access import Access
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState, RunEngineState
from queueserver_manager.domain.queue.item import Item, RunningItem
from queueserver_manager.domain.tasks.tasks import Task
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.worker_client.port import EngineRequest, RunEngineAction, WorkerEvent, WorkerSnapshot

from tests.unit.manager.samples import NOW

CLOSED = Environment("", EnvironmentState.CLOSED)
OPEN = Environment("environment", EnvironmentState.IDLE, RunEngineState.IDLE)
RUNNING = Environment("environment", EnvironmentState.EXECUTING_PLAN, RunEngineState.RUNNING)
PAUSED = Environment("environment", EnvironmentState.IDLE, RunEngineState.PAUSED)
#: A pause that nobody asked for by itself: the plan is being aborted.
ABORTING = Environment("environment", EnvironmentState.EXECUTING_PLAN, RunEngineState.PAUSED)


def view_of(environment: Environment, *, confirmed: bool = True) -> WorkerView:
    """What a Manager knows of a connected Worker with this environment; ids are id-1, id-2, …"""
    ids = (f"id-{number}" for number in range(1, 1000))
    view = WorkerView(lambda: None, lambda: NOW, lambda: next(ids))
    view.meet(snapshot_of(environment), executes_item=confirmed)
    return view


def snapshot_of(environment: Environment) -> WorkerSnapshot:
    """What a Worker with this environment reports that executes nothing and keeps no outcome."""
    return WorkerSnapshot("boot", 0, 1, environment, None, None, ())


class ScriptedWorker:
    """Implements the Worker protocol for commands that are answered or refused at once."""

    def __init__(self, view: WorkerView | None = None) -> None:
        self.view = view
        self.heard: list[tuple[RunEngineAction, str]] = []
        #: For which executions.
        self.heard_for: list[str] = []
        self.environment_commands: list[str] = []
        #: What the next command raises.
        self.fault: Exception | None = None
        #: What the Worker reports before its answer arrives.
        self.reports_first: Environment | None = None
        self.answer: Mapping[str, Any] = {}
        #: A command that has arrived, and leave for it to be answered.
        self.arrived = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def _command(self) -> None:
        self.arrived.set()
        await self.may_answer.wait()
        if self.reports_first is not None and self.view is not None:
            self.view.set_environment(self.reports_first)
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault

    async def open_environment(self, environment_id: str) -> None:
        self.environment_commands.append(f"open {environment_id}")
        await self._command()

    async def close_environment(self) -> None:
        self.environment_commands.append("close")
        await self._command()

    async def destroy_environment(self, user: str) -> None:
        del user
        self.environment_commands.append("destroy")
        await self._command()

    async def run_plan(self, running: RunningItem, access: Access, acknowledged: Sequence[str]) -> None:
        raise NotImplementedError

    async def run_task(self, task: Task, access: Access) -> None:
        raise NotImplementedError

    async def simulate_plan(self, item: Item, access: Access, message_limit: int) -> bytes:
        del item, access, message_limit
        await self._command()
        return b""

    async def control_run_engine(self, request: EngineRequest, execution_id: str) -> None:
        self.heard.append((request.verb, request.note))
        self.heard_for.append(execution_id)
        await self._command()

    async def metadata(self) -> Mapping[str, Any]:
        await self._command()
        return self.answer

    async def acknowledge(self, execution_ids: Sequence[str]) -> None:
        raise NotImplementedError

    async def watch(self, boot_id: str, after_sequence: int) -> AsyncIterator[WorkerSnapshot | Sequence[WorkerEvent]]:
        del boot_id, after_sequence
        await asyncio.Event().wait()
        yield ()
