"""What only a whole term shows: requests that concern one item do not outlive it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from queueserver_inventory.access import Access
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.events import QueueStopped, StopReason
from queueserver_manager.domain.lifecycle import PendingCommand, RunEngineState
from queueserver_manager.domain.queue.item import ExitStatus, RunningItem
from queueserver_manager.domain.queue.queue_run import stop_after
from queueserver_manager.domain.refusals.errors import NotReady
from queueserver_manager.operations.commit.reply import NO_REPLY
from queueserver_manager.worker_client.port import EngineRequest, RunEngineAction, WorkerRefused

from tests.integration.manager.test_protocol_model import JANE, Machine
from tests.unit.manager.simulated_worker import Fate


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A term with three items in the queue, the first of which is being executed."""
    made = Machine()
    try:
        made.add(index=0, count=3)
        made.start(fate=Fate.ACCEPTED)
        assert made.worker.current is not None
        yield made
    finally:
        made.teardown()


def test_a_pause_that_came_too_late_stops_the_queue_and_is_then_over(machine: Machine) -> None:
    assert machine.record.running is not None
    uid = machine.record.running.execution_id
    stopping = machine.term.ledger.submit(lambda record: stop_after(record, uid, pause=True))
    assert machine.loop.run_until_complete(stopping).result
    machine.finish(status=ExitStatus.COMPLETED, twice=False)
    assert (machine.record.running, len(machine.record.queue)) == (None, 2)
    assert machine.store.log[-1].event == QueueStopped(StopReason.PAUSE)
    machine.start(fate=Fate.ACCEPTED)
    machine.finish(status=ExitStatus.COMPLETED, twice=False)
    assert machine.record.running is not None


@pytest.mark.parametrize("status", [ExitStatus.ABORTED, ExitStatus.HALTED, ExitStatus.STOPPED])
def test_leaving_a_pause_is_over_when_the_plan_has_ended(machine: Machine, status: ExitStatus) -> None:
    view = machine.term.view

    async def leave_a_pause() -> None:
        view.set_environment(replace(view.status.environment, run_engine=RunEngineState.PAUSED))
        view.leave_pause()

    machine.loop.run_until_complete(leave_a_pause())
    assert view.status.leaving_pause
    machine.finish(status=status, twice=False)
    assert (machine.record.running, view.status.leaving_pause) == (None, False)


def test_who_waits_for_an_environment_is_sent_away_when_the_term_ends(machine: Machine) -> None:
    async def wait() -> None:
        machine.term.view.set_pending(PendingCommand.OPEN, "new")
        waits = asyncio.ensure_future(anext(machine.term.environment.wait("new")))
        await machine._settle()
        assert not waits.done()
        await machine._manager_dies()
        await machine._settle()
        assert isinstance(waits.exception(), NotReady)

    machine.loop.run_until_complete(wait())


@pytest.mark.parametrize("turns", range(6))
def test_all_who_wait_are_sent_away_also_if_the_end_of_the_term_is_noticed_twice(machine: Machine, turns: int) -> None:
    async def wait() -> None:
        machine.term.view.set_pending(PendingCommand.OPEN, "new")
        waits = asyncio.ensure_future(anext(machine.term.environment.wait("new")))
        await machine._settle()
        machine.job.cancel()
        for _ in range(turns):
            await next_turn()
        await machine._manager_dies()
        await machine._settle()
        assert isinstance(waits.exception(), NotReady)
        assert isinstance(machine.term.feed.ended, NotReady)

    machine.loop.run_until_complete(wait())


@pytest.mark.parametrize("verb", [RunEngineAction.ABORT_NOW, RunEngineAction.PAUSE_IMMEDIATE])
def test_who_interrupts_a_plan_whose_command_was_lost_names_the_execution_that_is_sent_again(
    verb: RunEngineAction, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, heard = Machine(), []

    async def control(request: EngineRequest, execution_id: str) -> None:
        heard.append((request.verb, execution_id))

    monkeypatch.setattr(made.worker, "control_run_engine", control)

    async def start_and_interrupt() -> None:
        await made.term.queue_run.start(JANE, NO_REPLY)
        await made.term.run_engine.control(EngineRequest(verb, "why"), NO_REPLY)
        await made._settle()

    try:
        made.add(index=0, count=3)
        made.worker.fate = Fate.COMMAND_LOST
        made.loop.run_until_complete(start_and_interrupt())
        assert made.worker.current is not None
        # A Worker keeps it until the execution arrives.
        assert heard == [(verb, made.worker.current.execution_id)]
    finally:
        made.teardown()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("verb", "reason"),
    [(RunEngineAction.ABORT_NOW, StopReason.REQUESTED), (RunEngineAction.PAUSE_IMMEDIATE, StopReason.PAUSE)],
)
def test_who_interrupts_a_plan_that_has_ended_stops_the_queue_also_if_the_manager_is_restarted_before_it_hears_of_that(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, restarted: bool, verb: RunEngineAction, reason: StopReason
) -> None:
    async def control(_request: EngineRequest, _execution_id: str) -> None:
        raise WorkerRefused("EXECUTION_ENDED", "It has ended.")

    monkeypatch.setattr(machine.worker, "control_run_engine", control)
    assert isinstance(machine.do(machine.term.run_engine.control(EngineRequest(verb, "why"), NO_REPLY)), bytes)
    if restarted:
        machine.the_manager_is_restarted()
    machine.finish(status=ExitStatus.COMPLETED, twice=False)
    assert (machine.record.running, len(machine.record.queue)) == (None, 2)
    assert machine.store.log[-1].event == QueueStopped(reason)


def test_what_a_worker_tells_with_an_outcome_stops_the_queue(machine: Machine) -> None:
    machine.worker.pause_pending = True
    machine.finish(status=ExitStatus.COMPLETED, twice=False)
    machine.worker.pause_pending = False
    assert machine.store.log[-1].event == QueueStopped(StopReason.PAUSE)


def test_the_command_that_starts_the_next_plan_acknowledges_the_outcome_of_the_one_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So between two plans there is one call, and the Worker keeps one outcome at most."""
    acknowledged: list[Sequence[str]] = []
    run_plan = machine.worker.run_plan

    async def note_and_run(running: RunningItem, access: Access, execution_ids: Sequence[str]) -> None:
        acknowledged.append(execution_ids)
        await run_plan(running, access, execution_ids)

    monkeypatch.setattr(machine.worker, "run_plan", note_and_run)
    assert machine.record.running is not None
    first = machine.record.running.execution_id
    machine.finish(status=ExitStatus.COMPLETED, twice=False)
    assert (acknowledged, machine.worker.outcomes) == ([[first]], {})
