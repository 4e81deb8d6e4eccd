"""Verbs for the RunEngine: passed on at once, in the states that allow them, and waiting for nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from queueserver_manager.domain.lifecycle import (
    Environment,
    EnvironmentState,
    ManagerState,
    PendingCommand,
    RunEngineState,
)
from queueserver_manager.domain.refusals.environment_errors import EnvironmentClosed, RunEngineMissing
from queueserver_manager.domain.refusals.errors import (
    EnvironmentUnresponsive,
    InvalidState,
    Refused,
    RequestIdReused,
    WorkerUnavailable,
)
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.worker_client.port import (
    RunEngineAction,
    StaleEpoch,
    WorkerDown,
    WorkerOutdated,
    WorkerRefused,
)

from tests.unit.manager.run_engine_desk import PAUSES, desk
from tests.unit.manager.scripted_store import SECONDS
from tests.unit.manager.scripted_worker import CLOSED, OPEN, PAUSED, RUNNING, snapshot_of

_V = RunEngineAction
ENDS = [_V.RESUME, _V.STOP, _V.ABORT, _V.HALT]
NO_ENGINE = replace(OPEN, run_engine=RunEngineState.NONE)
REPLY: ReplySpec[None] = ReplySpec(lambda _result, _revision: b"done", "id", "print")


@pytest.mark.parametrize(
    ("environment", "verbs"),
    [(RUNNING, [*PAUSES, _V.ABORT_NOW]), (PAUSED, [*ENDS, _V.ABORT_NOW])],
    ids=["running", "paused"],
)
@pytest.mark.parametrize("verb", RunEngineAction)
@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_verb_is_passed_on_in_the_states_that_allow_it(
    environment: Environment, verbs: list[RunEngineAction], verb: RunEngineAction, confirmed: bool
) -> None:
    async with desk(environment) as d:
        if not confirmed:
            d.view.await_confirmation()
        if verb in verbs:
            await d.control(verb)
            assert d.worker.heard == [(verb, "why")]
        else:
            with pytest.raises(InvalidState) as caught:
                await d.control(verb)
            running = ManagerState.EXECUTING_QUEUE if confirmed else ManagerState.STARTING_QUEUE
            assert caught.value.state == (ManagerState.PAUSED if environment is PAUSED else running)
            assert d.worker.heard == []


@pytest.mark.parametrize("verb", RunEngineAction)
@pytest.mark.parametrize(
    ("environment", "error"),
    [
        (CLOSED, EnvironmentClosed),
        (Environment(), EnvironmentClosed),
        (NO_ENGINE, RunEngineMissing),
        (OPEN, InvalidState),
        (replace(OPEN, state=EnvironmentState.DESTROYING), InvalidState),
    ],
)
async def test_when_nothing_runs_a_verb_is_refused(
    verb: RunEngineAction, environment: Environment, error: type[Refused]
) -> None:
    async with desk(environment, runs=False) as d:
        with pytest.raises(error):
            await d.control(verb)
        assert (d.worker.heard, d.view.pause_pending, d.view.status.leaving_pause) == ([], False, False)


@pytest.mark.parametrize("verb", RunEngineAction)
async def test_without_a_worker_a_verb_is_refused_at_once(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        d.view.lose()
        with pytest.raises(WorkerUnavailable):
            await d.control(verb)
        assert d.worker.heard == []


@pytest.mark.parametrize("verb", PAUSES)
async def test_a_pause_is_pending_until_the_plan_is_paused(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        await d.control(verb)
        assert d.view.pause_pending
        d.view.set_environment(replace(RUNNING, pause_pending=True))
        assert d.view.pause_pending
        d.view.set_environment(PAUSED)
        assert not d.view.pause_pending


async def test_it_is_known_whether_a_pause_that_is_pending_is_one_at_once() -> None:
    async with desk(RUNNING) as d:
        await d.control(_V.PAUSE_DEFERRED)
        assert d.view.status.pause_at_once_for == ""
        await d.control(_V.PAUSE_IMMEDIATE)
        assert d.view.status.pause_at_once_for == "x-1"
        d.view.set_environment(PAUSED)
        assert d.view.status.pause_at_once_for == ""


@pytest.mark.parametrize("verb", PAUSES)
async def test_a_pause_that_the_worker_reports_is_pending_for_as_long_as_it_reports_it(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        await d.control(verb)
        d.view.set_environment(replace(RUNNING, pause_pending=True))
        d.view.set_environment(RUNNING)
        assert not d.view.pause_pending
        await d.control(verb)
        d.view.meet(snapshot_of(RUNNING), executes_item=True)
        assert not d.view.pause_pending


@pytest.mark.parametrize("verb", PAUSES)
async def test_a_pause_that_takes_effect_before_its_answer_arrives_is_not_pending(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        d.worker.reports_first = PAUSED
        await d.control(verb)
        assert not d.view.pause_pending


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("fault", [WorkerRefused("RUN_ENGINE_MISSING", "None."), WorkerDown("x"), StaleEpoch()])
async def test_a_pause_that_was_refused_is_not_pending_unless_an_earlier_one_is(
    fault: Exception, earlier: bool
) -> None:
    async with desk(RUNNING) as d:
        if earlier:
            await d.control(_V.PAUSE_DEFERRED)
        d.worker.fault = fault
        with pytest.raises(Refused):
            await d.control(_V.PAUSE_DEFERRED)
        assert d.view.pause_pending is earlier


@pytest.mark.parametrize(
    ("environment", "verb"), [(RUNNING, _V.ABORT_NOW), *((PAUSED, verb) for verb in (_V.STOP, _V.ABORT, _V.HALT))]
)
async def test_that_a_plan_was_told_to_end_is_known_before_the_worker_answers_and_until_it_has_ended(
    environment: Environment, verb: RunEngineAction
) -> None:
    async with desk(environment) as d:
        d.worker.may_answer.clear()
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        assert d.view.claim_context("x-1").end_requested
        d.view.drop_requests()
        d.worker.may_answer.set()
        await asking
        assert not d.view.claim_context("x-1").end_requested


async def test_a_plan_that_is_resumed_was_not_told_to_end() -> None:
    async with desk(PAUSED) as d:
        await d.control(_V.RESUME)
        assert not d.view.claim_context("x-1").end_requested


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize(
    ("fault", "stays"), [(WorkerRefused("RUN_ENGINE_MISSING", "None."), False), (WorkerDown("x"), True)]
)
async def test_a_plan_whose_end_was_refused_was_not_told_to_end_unless_nobody_knows(
    fault: Exception, stays: bool, earlier: bool
) -> None:
    async with desk(RUNNING) as d:
        if earlier:
            d.worker.fault = WorkerRefused("EXECUTION_ENDED", "It has ended.")
            await d.control(_V.ABORT_NOW)
        d.worker.fault = fault
        with pytest.raises(Refused):
            await d.control(_V.ABORT_NOW)
        assert d.stops_after("x-1") == (False, earlier or stays)


async def test_a_pause_is_over_with_its_item() -> None:
    async with desk(RUNNING) as d:
        await d.control(_V.PAUSE_DEFERRED)
        d.view.drop_requests()
        assert not d.view.pause_pending
        d.view.set_environment(PAUSED)
        assert d.view.status.item_paused
        d.view.drop_requests()
        assert not d.view.status.item_paused


@pytest.mark.parametrize("verb", [*ENDS, _V.ABORT_NOW])
async def test_a_plan_that_leaves_its_pause_is_executing_at_once(verb: RunEngineAction) -> None:
    async with desk(PAUSED) as d:
        await d.control(verb)
        assert d.view.state(has_running_item=True, has_foreground_task=False).name == "EXECUTING_QUEUE"
        d.view.set_environment(RUNNING)
        assert not d.view.status.leaving_pause
        d.view.set_environment(PAUSED)
        assert d.view.state(has_running_item=True, has_foreground_task=False).name == "PAUSED"


@pytest.mark.parametrize("verb", [*ENDS, _V.ABORT_NOW])
async def test_a_plan_that_left_its_pause_before_the_answer_arrives_may_pause_again(verb: RunEngineAction) -> None:
    async with desk(PAUSED) as d:
        d.worker.reports_first = RUNNING
        await d.control(verb)
        d.view.set_environment(PAUSED)
        assert d.view.state(has_running_item=True, has_foreground_task=False).name == "PAUSED"


@pytest.mark.parametrize(
    ("fault", "error", "stale"),
    [
        (WorkerRefused("NOT_PAUSED", "The plan is not paused."), InvalidState, 0),
        (WorkerRefused("NOT_RUNNING", "No plan runs."), InvalidState, 0),
        (WorkerRefused("RUN_ENGINE_MISSING", "There is none."), RunEngineMissing, 0),
        (WorkerOutdated("it lacks a method"), WorkerUnavailable, 0),
        (WorkerDown("gone"), WorkerUnavailable, 0),
        (StaleEpoch(), WorkerUnavailable, 1),
    ],
    ids=repr,
)
async def test_what_the_worker_refuses_is_refused_and_leaves_no_trace(
    fault: Exception, error: type[Refused], stale: int
) -> None:
    async with desk(PAUSED) as d:
        d.worker.fault = fault
        with pytest.raises(error) as caught:
            await d.control(_V.RESUME, REPLY)
        assert (d.view.status.leaving_pause, d.stale, d.current_term.ledger.recall_command(REPLY)) == (
            False,
            stale,
            None,
        )
        if isinstance(fault, WorkerRefused) and isinstance(caught.value, InvalidState):
            assert caught.value.message == f"Can't resume the plan: {fault.message}"
            assert (caught.value.state, caught.value.allowed) == (ManagerState.PAUSED, [ManagerState.PAUSED])


async def test_a_repeated_verb_is_answered_and_not_passed_on_again() -> None:
    async with desk(PAUSED) as d:
        assert await d.control(_V.RESUME, REPLY) == b"done"
        while d.run_engine._commands._under_way:
            await asyncio.wait(d.run_engine._commands._under_way)
        d.view.set_environment(RUNNING)
        assert await d.control(_V.RESUME, REPLY) == b"done"
        assert len(d.worker.heard) == 1
        assert list(d.current_term.store.stored.requests) == ["id"]
        with pytest.raises(RequestIdReused):
            await d.control(_V.RESUME, replace(REPLY, fingerprint="another"))


async def test_no_commit_in_flight_delays_an_emergency() -> None:
    async with desk(RUNNING) as d:
        edit = await d.current_term.hold_commit("c")
        assert await d.control(_V.ABORT_NOW, REPLY) == b"done"
        assert await d.control(_V.PAUSE_IMMEDIATE) == b""
        assert [verb for verb, _ in d.worker.heard] == [_V.ABORT_NOW, _V.PAUSE_IMMEDIATE]
        assert not edit.done()
        destroyed: ReplySpec[str] = ReplySpec(lambda environment_id, _revision: environment_id.encode())
        assert await asyncio.wait_for(d.environment.destroy("anna", destroyed), SECONDS) == b"environment"
        assert (d.worker.environment_commands, d.view.status.pending) == (["destroy"], PendingCommand.DESTROY)
        d.current_term.store.may_go_on.set()
        await asyncio.wait_for(edit, SECONDS)


async def test_a_store_that_is_away_delays_no_emergency() -> None:
    async with desk(RUNNING) as d:
        d.current_term.store.up.clear()
        d.current_term.store.fail(fate_known=True)
        await asyncio.gather(d.current_term.add("c"), return_exceptions=True)
        assert await d.control(_V.ABORT_NOW, REPLY) == b"done"
        assert d.worker.heard == [(_V.ABORT_NOW, "why")]


async def test_metadata_are_shown_as_far_as_permitted() -> None:
    async with desk(OPEN, runs=False) as d:
        d.worker.answer = {"a": 1, "b": 2}
        assert await d.run_engine.metadata() == {"a": 1}


@pytest.mark.parametrize(
    ("environment", "fault", "error"),
    [
        (CLOSED, None, EnvironmentClosed),
        (NO_ENGINE, None, RunEngineMissing),
        (replace(NO_ENGINE, state=EnvironmentState.INITIALIZING), None, InvalidState),
        (replace(OPEN, state=EnvironmentState.CLOSING), None, InvalidState),
        (OPEN, WorkerRefused("ENVIRONMENT_CLOSED", "It is closed."), EnvironmentClosed),
        (OPEN, TimeoutError(), EnvironmentUnresponsive),
        (OPEN, WorkerDown("gone"), WorkerUnavailable),
    ],
)
async def test_metadata_that_can_not_be_had_are_refused(
    environment: Environment, fault: Any, error: type[Refused]
) -> None:
    async with desk(environment, runs=False) as d:
        d.worker.fault = fault
        with pytest.raises(error):
            await d.run_engine.metadata()
