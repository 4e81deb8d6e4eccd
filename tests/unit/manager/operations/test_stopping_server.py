"""A stop that is safe never meets a start: whichever is decided first, the other is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.refusals.errors import InvalidState, ServerStopping
from queueserver_manager.domain.tasks.tasks import KeptTask, Task, TaskKind
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.queue_run import QueueRunOperations
from queueserver_manager.operations.server import ServerOperations, StopMode

from tests.unit.manager.samples import NOW
from tests.unit.manager.scripted_store import SECONDS, scripted_term
from tests.unit.manager.scripted_worker import OPEN, ScriptedWorker, view_of

EMPTY: ReplySpec[Any] = ReplySpec(lambda _result, _revision: b"")
JANE = Caller("jane", "primary")


@pytest.mark.parametrize("start_first", [False, True])
async def test_a_start_behind_a_commit_and_a_safe_stop_are_never_both_accepted(start_first: bool) -> None:
    async with scripted_term("abc") as o:
        view = view_of(OPEN)
        stops: list[str] = []
        server = ServerOperations(o.ledger, view, ScriptedWorker(view), lambda: stops.append("stop"))
        execution = QueueRunOperations(o.ledger, view, None)  # type: ignore[arg-type] # it makes no item here
        adding = await o.hold_commit("d")
        calls = [lambda: execution.start(JANE, EMPTY), lambda: server.stop(StopMode.WHEN_IDLE, EMPTY)]
        tasks = []
        for call in calls if start_first else reversed(calls):
            tasks.append(asyncio.ensure_future(call()))
            for _ in range(5):
                await next_turn()
        # The first commit ends, and the next one, if there is one, waits.
        o.store.begun.clear()
        o.store.may_go_on.set()
        o.store.may_go_on.clear()
        await adding
        for _ in range(20):
            await next_turn()
        o.store.may_go_on.set()
        answers = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), SECONDS)
        refused = [answer for answer in answers if isinstance(answer, (InvalidState, ServerStopping))]
        assert len(refused) == 1
        assert (o.record.running is None) == bool(stops)


async def test_a_task_in_the_background_that_has_not_reached_the_worker_keeps_the_server_from_being_stopped() -> None:
    async with scripted_term() as o:
        view = view_of(OPEN)
        task = Task(1, "task", TaskKind.FUNCTION, "f", True, "jane", "primary", NOW, "boot", "environment")
        o.record.tasks.put(KeptTask(task))
        server = ServerOperations(o.ledger, view, ScriptedWorker(view), lambda: None)
        with pytest.raises(InvalidState, match="while a task runs in the background"):
            await asyncio.wait_for(server.stop(StopMode.WHEN_IDLE, EMPTY), SECONDS)
        assert not view.stopping


async def test_a_stop_that_was_accepted_is_carried_out_although_the_term_ends_while_its_answer_is_stored() -> None:
    async with scripted_term() as o:
        view = view_of(OPEN)
        stops: list[str] = []
        server = ServerOperations(o.ledger, view, ScriptedWorker(view), lambda: stops.append("stop"))
        o.store.may_go_on.clear()
        stopping = asyncio.ensure_future(server.stop(StopMode.AT_ONCE, replace(EMPTY, request_id="id")))
        await asyncio.wait_for(o.store.begun.wait(), SECONDS)
        assert not stops
        await o.close()
        await asyncio.wait_for(asyncio.gather(stopping, return_exceptions=True), SECONDS)
        assert stops == ["stop"]
