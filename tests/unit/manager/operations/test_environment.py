"""Following the environment: whoever waits hears how it ended, however fast that came."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.lifecycle import EnvironmentFailure, EnvironmentState, PendingCommand
from queueserver_manager.domain.refusals.environment_errors import EnvironmentNotFound
from queueserver_manager.domain.refusals.errors import NotReady
from queueserver_manager.operations.environment import EnvironmentOperations

from tests.unit.manager.scripted_store import SECONDS, scripted_term
from tests.unit.manager.scripted_worker import CLOSED, OPEN, ScriptedWorker, view_of

OPENING = replace(OPEN, environment_id="new", state=EnvironmentState.INITIALIZING)
FAILED = replace(
    CLOSED, environment_id="new", failure=EnvironmentFailure(message="The process was killed.", exit_code=-11)
)


async def test_an_end_that_comes_while_the_last_answer_is_being_sent_is_the_next_answer() -> None:
    async with scripted_term() as o:
        view = view_of(CLOSED)
        operations = EnvironmentOperations(o.ledger, view, ScriptedWorker(), lambda: "new", lambda: None)
        view.set_pending(PendingCommand.OPEN, "new")
        view.set_environment(OPENING)
        async with aclosing(operations.wait("new")) as answers:
            assert await anext(answers) == OPENING
            view.set_environment(FAILED)
            operations.changed()
            assert await anext(answers) == FAILED
            with pytest.raises(StopAsyncIteration):
                await anext(answers)


async def test_an_environment_that_was_never_opened_is_not_waited_for() -> None:
    async with scripted_term() as o:
        operations = EnvironmentOperations(o.ledger, view_of(CLOSED), ScriptedWorker(), lambda: "new", lambda: None)
        with pytest.raises(EnvironmentNotFound):
            await anext(operations.wait("another"))


async def test_the_end_of_the_term_ends_every_wait_also_one_that_begins_afterwards() -> None:
    async with scripted_term() as o:
        view = view_of(CLOSED)
        operations = EnvironmentOperations(o.ledger, view, ScriptedWorker(), lambda: "new", lambda: None)
        view.set_pending(PendingCommand.OPEN, "new")
        view.set_environment(OPENING)
        early, late = operations.wait("new"), operations.wait("new")
        assert await anext(early) == OPENING
        waits = asyncio.ensure_future(anext(early))
        await next_turn()
        operations.end_with(NotReady())
        with pytest.raises(NotReady):
            await asyncio.wait_for(waits, SECONDS)
        assert await anext(late) == OPENING
        with pytest.raises(NotReady):
            await asyncio.wait_for(anext(late), SECONDS)
