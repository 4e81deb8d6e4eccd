"""Autostart: starts when it may, not otherwise, once, and never misses its moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.events import Announcement, QueueStarted
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState, PendingCommand, RunEngineState
from queueserver_manager.domain.queue.queue_edits import set_autostart
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.autostart import AUTOSTART_USER, Autostart

from tests.unit.manager.samples import plan, record_of
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term
from tests.unit.manager.scripted_worker import CLOSED, OPEN, PAUSED, RUNNING, snapshot_of, view_of


class Desk:
    """A ledger whose commits make autostart look, as in a term."""

    def __init__(self, o: ScriptedTerm, environment: Environment) -> None:
        self.current_term = o
        self.view = view_of(environment)
        self.autostart = Autostart(o.ledger, self.view)
        o.ledger._on_commit = self._committed

    async def _committed(self, announcements: list[Announcement]) -> None:
        self.current_term.announced += announcements
        self.autostart.look()

    async def settle(self) -> None:
        """Until autostart has nothing under way."""
        while (starting := self.autostart._starting) is not None:
            await asyncio.wait([starting], timeout=SECONDS)
            await next_turn()

    @property
    def running(self) -> str:
        running = self.current_term.record.running
        return running.item.uid if running else ""

    @property
    def starts(self) -> list[QueueStarted]:
        return [one.event for one in self.current_term.announced if isinstance(one.event, QueueStarted)]


def ready(queue: str = "ab") -> Record:
    record = record_of(queue)
    record.autostart = True
    return record


@asynccontextmanager
async def desk(record: Record, environment: Environment = OPEN) -> AsyncIterator[Desk]:
    async with scripted_term(record=record) as o:
        yield Desk(o, environment)


async def test_the_queue_starts_by_itself() -> None:
    async with desk(ready()) as d:
        d.autostart.look()
        await d.settle()
        assert (d.running, d.starts) == ("a", [QueueStarted(AUTOSTART_USER)])
        assert d.current_term.record.queue_activity.active


async def test_it_starts_when_it_is_switched_on() -> None:
    async with desk(record_of("ab")) as d:
        d.autostart.look()
        await d.settle()
        assert d.running == ""
        await asyncio.wait_for(d.current_term.submit(lambda record: set_autostart(record, enabled=True)), SECONDS)
        await d.settle()
        assert d.running == "a"


async def test_it_starts_when_an_item_is_added() -> None:
    async with desk(ready("")) as d:
        await asyncio.wait_for(d.current_term.add("a"), SECONDS)
        await d.settle()
        assert d.running == "a"


@pytest.mark.parametrize(
    "environment",
    [
        CLOSED,
        Environment(),
        RUNNING,
        PAUSED,
        replace(OPEN, state=EnvironmentState.INITIALIZING),
        replace(OPEN, state=EnvironmentState.CLOSING),
        replace(OPEN, state=EnvironmentState.DESTROYING),
        *(replace(OPEN, run_engine=engine) for engine in RunEngineState if engine is not RunEngineState.IDLE),
    ],
    ids=lambda environment: f"{environment.state.name} {environment.run_engine.name}",
)
async def test_it_waits_for_an_environment_that_can_execute(environment: Environment) -> None:
    async with desk(ready(), environment) as d:
        d.autostart.look()
        await d.settle()
        assert (d.running, d.starts) == ("", [])
        d.view.set_environment(OPEN)
        d.autostart.look()
        await d.settle()
        assert d.running == "a"


async def test_it_waits_for_the_worker_and_for_commands_under_way() -> None:
    async with desk(ready()) as d:
        d.view.lose()
        d.autostart.look()
        d.view.meet(snapshot_of(OPEN), executes_item=False)
        d.view.set_pending(PendingCommand.CLOSE, "environment")
        d.autostart.look()
        await d.settle()
        assert d.running == ""


async def test_it_waits_for_a_decision_about_a_held_item() -> None:
    record = ready()
    record.queue.put(replace(plan("a"), held=True), record.queue.rank_of("a"))
    async with desk(record) as d:
        d.autostart.look()
        await d.settle()
        assert (d.running, d.current_term.store.commits) == ("", [])


async def test_it_does_not_start_twice_or_while_an_item_runs() -> None:
    async with desk(ready("abc")) as d:
        for _ in range(5):
            d.autostart.look()
        await d.settle()
        d.autostart.look()
        await d.settle()
        assert (d.running, len(d.starts), len(d.current_term.record.queue)) == ("a", 1, 2)


async def test_it_does_not_start_when_it_was_switched_off_in_the_meantime() -> None:
    async with desk(ready()) as d:
        switched = d.current_term.submit(lambda record: set_autostart(record, enabled=False))
        await next_turn()
        d.autostart.look()
        await d.settle()
        await asyncio.wait_for(switched, SECONDS)
        assert (d.running, d.starts) == ("", [])


async def test_what_changes_while_an_attempt_comes_to_nothing_is_not_missed() -> None:
    async with desk(ready()) as d:
        edit = await d.current_term.hold_commit("c")
        d.autostart.look()
        other = d.current_term.add("d")
        await next_turn()
        d.view.set_environment(RUNNING)
        d.current_term.store.begun.clear()
        d.current_term.store.may_go_on.set()
        await asyncio.wait_for(edit, SECONDS)
        d.current_term.store.may_go_on.clear()
        await asyncio.wait_for(d.current_term.store.begun.wait(), SECONDS)
        d.view.set_environment(OPEN)
        d.autostart.look()
        d.current_term.store.may_go_on.set()
        await asyncio.wait_for(other, SECONDS)
        await d.settle()
        assert d.running == "a"


async def test_while_the_store_is_away_nothing_is_tried() -> None:
    async with desk(ready()) as d:
        d.current_term.store.up.clear()
        d.current_term.store.fail(fate_known=True)
        d.autostart.look()
        await d.settle()
        d.autostart.look()
        assert d.autostart._starting is None
        d.current_term.store.up.set()
        await asyncio.wait_for(d.current_term.ledger.storage_back.wait(), SECONDS)
        d.autostart.look()
        await d.settle()
        assert d.running == "a"


async def test_a_ledger_that_is_closed_is_not_asked_again_and_again() -> None:
    async with desk(ready()) as d:
        await next_turn()
        d.current_term.work.cancel()
        await asyncio.gather(d.current_term.work, return_exceptions=True)
        d.autostart.look()
        await d.settle()
        assert (d.running, d.autostart._starting) == ("", None)
