"""The runner hands an item over once at a time, whatever asks it to repeat that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from queueserver_inventory.access import Access
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.queue.item import FailureCause, RunningItem
from queueserver_manager.operations.worker.execution_dispatcher import ExecutionDispatcher
from queueserver_manager.worker_client.port import WorkerDown, WorkerRefused

from tests.unit.manager.samples import NOW, ROOM, record_of, running
from tests.unit.manager.scripted_store import ScriptedTerm, scripted_term
from tests.unit.manager.scripted_worker import OPEN, ScriptedWorker, view_of

#: More turns of the event loop than anything here needs until nothing more happens.
_TURNS = 30


class SlowWorker(ScriptedWorker):
    """Answers commands to run a plan when the test says how."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[asyncio.Future[None]] = []

    async def run_plan(self, running: RunningItem, access: Access, acknowledged: Sequence[str]) -> None:
        del running, access, acknowledged
        self.commands.append(asyncio.get_running_loop().create_future())
        await self.commands[-1]

    async def acknowledge(self, execution_ids: Sequence[str]) -> None:
        del execution_ids


class Desk:
    """A runner whose item r was handed over and not answered, and how often it wanted to compare notes."""

    def __init__(self, opened: ScriptedTerm) -> None:
        self.current_term = opened
        self.worker = SlowWorker()
        self.troubles = 0
        view = view_of(OPEN, confirmed=False)
        self.runner = ExecutionDispatcher(
            opened.ledger, view, self.worker, lambda: NOW, ROOM, lambda _entry: 0, self._note, lambda: None
        )

    def _note(self) -> None:
        self.troubles += 1

    async def hand_over(self) -> int:
        """Hand the running item over; answers how many commands there were so far."""
        assert self.current_term.record.running is not None
        self.runner.dispatch(self.current_term.record.running)
        await settle()
        return len(self.worker.commands)


async def settle() -> None:
    for _ in range(_TURNS):
        await next_turn()


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    record = record_of("a")
    record.running = running(record_of("r").queue.at(0))
    async with scripted_term(record=record) as opened:
        made = Desk(opened)
        assert await made.hand_over() == 1
        yield made
        await made.runner.close()


async def test_an_item_is_not_handed_over_again_while_the_first_command_is_on_its_way() -> None:
    async with desk() as made:
        assert await made.hand_over() == 1
        made.worker.commands[0].set_result(None)
        await settle()
        assert made.current_term.record.running is not None


async def test_an_item_that_was_refused_is_not_handed_over_again_before_that_is_stored() -> None:
    async with desk() as made:
        made.current_term.store.may_go_on.clear()
        made.worker.commands[0].set_exception(WorkerRefused("SCRIPTED", "The Worker has its reasons."))
        assert await made.hand_over() == 1
        made.current_term.store.may_go_on.set()
        await settle()
        (entry,) = made.current_term.store.stored.history.newest(10)
        assert entry.result.failure_cause is FailureCause.NOT_STARTED
        assert len(made.worker.commands) == 1


@pytest.mark.parametrize("answer", [None, WorkerDown("lost")])
async def test_an_item_may_be_handed_over_again_when_the_first_command_is_over(answer: Exception | None) -> None:
    async with desk() as made:
        command = made.worker.commands[0]
        if answer is None:
            command.set_result(None)
        else:
            command.set_exception(answer)
        await settle()
        assert made.troubles == (answer is not None)
        assert await made.hand_over() == 2
