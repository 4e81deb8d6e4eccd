"""What is done at the Worker under a request id is done once, and its id belongs to nobody else meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.lifecycle import Environment
from queueserver_manager.domain.refusals.errors import InvalidState, RequestIdReused
from queueserver_manager.operations.commit.idempotent_commands import CommandLogEntry, IdempotentCommands
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.environment import EnvironmentOperations
from queueserver_manager.operations.run_engine import RunEngineOperations
from queueserver_manager.worker_client.port import EngineRequest, RunEngineAction, WorkerRefused

from tests.unit.manager.samples import record_of, request
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term
from tests.unit.manager.scripted_worker import CLOSED, PAUSED, ScriptedWorker, view_of

ENTRY = CommandLogEntry("test", "did it")


def reply(fingerprint: str = "print", request_id: str = "id") -> ReplySpec[Any]:
    return ReplySpec(lambda result, revision: f"{result} at {revision}".encode(), request_id, fingerprint)


class Desk:
    """The operations that go to the Worker, which answers when it may."""

    def __init__(self, o: ScriptedTerm, environment: Environment) -> None:
        self.current_term = o
        view = view_of(environment)
        self.worker = ScriptedWorker(view)
        self.run_engine = RunEngineOperations(o.ledger, view, self.worker, ("/",), lambda: None)
        ids = iter(("one", "two"))
        self.environment = EnvironmentOperations(o.ledger, view, self.worker, lambda: next(ids), lambda: None)

    async def begin(self, call: Any) -> asyncio.Task[bytes]:
        """Begin a call that the Worker does not answer yet."""
        self.worker.may_answer.clear()
        task = asyncio.create_task(call)
        await asyncio.wait_for(self.worker.arrived.wait(), SECONDS)
        return task

    def resume(self, answer: ReplySpec[None]) -> Any:
        return self.run_engine.control(EngineRequest(RunEngineAction.RESUME), answer)

    def abort(self, answer: ReplySpec[None]) -> Any:
        return self.run_engine.control(EngineRequest(RunEngineAction.ABORT), answer)

    async def answers(self, *calls: Any) -> list[Any]:
        """Let the Worker answer; what becomes of the calls."""
        await next_turn()
        self.worker.may_answer.set()
        found = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), SECONDS)
        commands = [self.run_engine._commands, self.environment._commands]
        while under_way := [task for command in commands for task in command._under_way]:
            await asyncio.wait(under_way, timeout=SECONDS)
        return found


@asynccontextmanager
async def desk(environment: Environment = PAUSED) -> AsyncIterator[Desk]:
    async with scripted_term(record=record_of("ab", running_uid="r" if environment is PAUSED else "")) as o:
        yield Desk(o, environment)


async def test_of_two_different_requests_with_one_id_at_the_same_time_the_second_is_refused() -> None:
    async with desk() as d:
        first = await d.begin(d.resume(reply("resume")))
        second = asyncio.create_task(d.abort(reply("abort")))
        done, refused = await d.answers(first, second)
        assert (done, type(refused), len(d.worker.heard)) == (b"None at 0", RequestIdReused, 1)
        with pytest.raises(RequestIdReused):
            await d.abort(reply("abort"))
        assert d.current_term.store.stored.requests["id"].fingerprint == "resume"


async def test_an_edit_with_the_id_of_a_deed_that_is_under_way_is_refused_and_the_other_way_round() -> None:
    async with desk() as d:
        first = await d.begin(d.resume(reply("resume")))
        edit = d.current_term.submit(lambda _: Decision("edited"), reply("edit"))
        done, refused = await d.answers(first, edit)
        assert (done, type(refused)) == (b"None at 0", RequestIdReused)
        answered = await d.current_term.ledger.submit(lambda _: Decision("edited"), reply("edit", "other"))
        assert answered.answer == b"edited at 0"
        with pytest.raises(RequestIdReused):
            await d.abort(reply("abort", "other"))
        assert len(d.worker.heard) == 1


async def test_a_repetition_while_the_first_is_under_way_waits_for_the_same_answer() -> None:
    async with desk(CLOSED) as d:
        first = await d.begin(d.environment.open(reply()))
        again = asyncio.create_task(d.environment.open(reply()))
        assert await d.answers(first, again) == [b"one at 0", b"one at 0"]
        assert await d.environment.open(reply()) == b"one at 0"
        assert d.worker.environment_commands == ["open one"]


async def test_a_refused_deed_is_refused_to_each_who_asked_and_may_be_tried_again() -> None:
    async with desk() as d:
        d.worker.fault = WorkerRefused("NOT_PAUSED", "The plan is not paused.")
        first = await d.begin(d.resume(reply()))
        again = asyncio.create_task(d.resume(reply()))
        assert [type(answer) for answer in await d.answers(first, again)] == [InvalidState] * 2
        assert (len(d.worker.heard), d.current_term.record.requests) == (1, {})
        assert await d.answers(d.resume(reply("another"))) == [b"None at 0"]


async def test_a_deed_whose_caller_has_left_is_done_and_its_repetition_answered() -> None:
    async with desk(CLOSED) as d:
        first = await d.begin(d.environment.open(reply()))
        first.cancel()
        gone, again = await d.answers(first, d.environment.open(reply()))
        assert (type(gone), again) == (asyncio.CancelledError, b"one at 0")
        assert d.worker.environment_commands == ["open one"]


async def test_an_answer_that_can_not_be_kept_is_given_all_the_same() -> None:
    async with desk() as d:
        d.current_term.store.up.clear()
        d.current_term.store.fail(fate_known=True)
        await asyncio.gather(d.current_term.add("c"), return_exceptions=True)
        assert await d.answers(d.resume(reply())) == [b"None at 0"]
        assert d.current_term.ledger.recall_command(reply()) is None


@pytest.mark.parametrize("reply_before_stored", [True, False])
async def test_an_edit_of_unknown_fate_that_turns_out_to_be_stored_does_not_undo_a_deed(
    reply_before_stored: bool,
) -> None:
    async with scripted_term() as o:
        commands = IdempotentCommands(o.ledger)

        async def do() -> str:
            o.record.requests.put(request("id"))
            return "done"

        assert (
            await asyncio.wait_for(commands.once(reply(), do, ENTRY, reply_before_stored=reply_before_stored), SECONDS)
            == b"done at 0"
        )
        while commands._under_way:
            await asyncio.wait(commands._under_way, timeout=SECONDS)
        assert o.ledger._reserved == {}


async def test_deeds_without_an_id_are_all_done() -> None:
    async with desk() as d:
        answers = await d.answers(d.resume(reply(request_id="")), d.resume(reply("other", request_id="")))
        assert (answers[0], type(answers[1])) == (b"None at 0", InvalidState)
        assert (d.current_term.record.requests, d.current_term.ledger._reserved) == ({}, {})
