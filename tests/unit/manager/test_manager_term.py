"""What only a whole term shows: requests that concern one item do not outlive it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from queueserver_manager.domain.errors import NotReady
from queueserver_manager.domain.events import QueueStopped, StopReason
from queueserver_manager.domain.item import ExitStatus
from queueserver_manager.domain.lifecycle import PendingCommand

from tests.unit.manager.simulated_worker import Fate
from tests.unit.manager.test_manager_protocol_model import Machine


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
    machine.term.view.pause_requested = True
    machine.finish(status=ExitStatus.COMPLETED, twice=False)
    assert (machine.record.running, len(machine.record.queue)) == (None, 2)
    assert machine.store.log[-1].event == QueueStopped(StopReason.PAUSE)
    assert not machine.term.view.pause_requested
    machine.start(fate=Fate.ACCEPTED)
    machine.finish(status=ExitStatus.COMPLETED, twice=False)
    assert machine.record.running is not None


@pytest.mark.parametrize("status", [ExitStatus.ABORTED, ExitStatus.HALTED, ExitStatus.STOPPED])
def test_leaving_a_pause_is_over_when_the_plan_has_ended(machine: Machine, status: ExitStatus) -> None:
    machine.term.view.leaving_pause = True
    machine.finish(status=status, twice=False)
    assert (machine.record.running, machine.term.view.leaving_pause) == (None, False)


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
