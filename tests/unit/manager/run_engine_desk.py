"""The verbs for the RunEngine on a record in memory, with a scripted Worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from queueserver_manager.domain.lifecycle import Environment
from queueserver_manager.domain.queue.item import Outcome, RunningItem
from queueserver_manager.operations.commit.reply import NO_REPLY, ReplySpec
from queueserver_manager.operations.environment import EnvironmentOperations
from queueserver_manager.operations.run_engine import RunEngineOperations
from queueserver_manager.worker_client.port import EngineRequest, RunEngineAction

from tests.unit.manager.samples import outcome as an_outcome
from tests.unit.manager.samples import record_of
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term
from tests.unit.manager.scripted_worker import ScriptedWorker, view_of

PAUSES = [RunEngineAction.PAUSE_DEFERRED, RunEngineAction.PAUSE_IMMEDIATE]


class Desk:
    """The operations on a record with item r running (or none), a view and a scripted Worker."""

    def __init__(self, o: ScriptedTerm, environment: Environment) -> None:
        self.current_term = o
        self.view = view_of(environment)
        self.worker = ScriptedWorker(self.view)
        self.stale = 0
        self.run_engine = RunEngineOperations(o.ledger, self.view, self.worker, ("/a",), self._note_stale)
        self.environment = EnvironmentOperations(o.ledger, self.view, self.worker, lambda: "new", self._note_stale)

    def _note_stale(self) -> None:
        self.stale += 1

    def begins(self, item: RunningItem | None) -> None:
        """The running plan has ended, that is stored, and another one, or none, runs instead."""
        self.current_term.record.running = item
        self.current_term.ledger.summary = replace(self.current_term.ledger.summary, running=item)
        self.view.drop_requests()

    async def control(self, verb: RunEngineAction, reply: ReplySpec[None] = NO_REPLY, item_uid: str = "") -> bytes:
        request = EngineRequest(verb, "why", item_uid=item_uid)
        return await asyncio.wait_for(self.run_engine.control(request, reply), SECONDS)

    def stops_after(self, execution_id: str, outcome: Outcome | None = None) -> tuple[bool, bool]:
        """Whether the queue stops after the running plan because of a pause, and because it was to end."""
        running = self.current_term.record.running
        assert running is not None
        assert running.execution_id == execution_id
        claim_context = self.view.claim_context(execution_id).after(running, outcome or an_outcome(execution_id))
        return claim_context.pause_unresolved, claim_context.end_requested


@asynccontextmanager
async def desk(environment: Environment, *, runs: bool = True) -> AsyncIterator[Desk]:
    async with scripted_term(record=record_of("ab", running_uid="r" if runs else "")) as o:
        yield Desk(o, environment)
