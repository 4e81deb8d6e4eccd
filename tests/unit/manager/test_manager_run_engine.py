"""Verbs for the RunEngine: passed on at once, in the states that allow them, and waiting for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from queueserver_manager.domain.errors import (
    EnvironmentClosed,
    EnvironmentUnresponsive,
    InvalidState,
    Refused,
    RequestIdReused,
    RunEngineMissing,
    WorkerUnavailable,
)
from queueserver_manager.domain.item import RunningItem
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState, PendingCommand, RunEngineState
from queueserver_manager.operations.environment import EnvironmentOperations
from queueserver_manager.operations.reply import UNHEARD, Reply
from queueserver_manager.operations.run_engine import RunEngineOperations
from queueserver_manager.worker_client.port import RunEngineVerb, StaleEpoch, WorkerDown, WorkerRefused
from queueserver_rpc.turns import next_turn

from tests.unit.manager.samples import plan, record_of, running
from tests.unit.manager.scripted_store import SECONDS, Office, office
from tests.unit.manager.scripted_worker import CLOSED, OPEN, PAUSED, RUNNING, ScriptedWorker, view_of

_V = RunEngineVerb
PAUSES = [_V.PAUSE_DEFERRED, _V.PAUSE_IMMEDIATE]
ENDS = [_V.RESUME, _V.STOP, _V.ABORT, _V.HALT]
NO_ENGINE = replace(OPEN, run_engine=RunEngineState.NONE)
REPLY: Reply[None] = Reply(lambda _result, _revision: b"done", "id", "print")


class Desk:
    """The operations on a record with item r running (or none), a view and a scripted Worker."""

    def __init__(self, o: Office, environment: Environment) -> None:
        self.office = o
        self.view = view_of(environment)
        self.worker = ScriptedWorker(self.view)
        self.stale = 0
        #: Executions that are on their way to the Worker.
        self.on_their_way: dict[str, asyncio.Task[None]] = {}
        self.run_engine = RunEngineOperations(
            o.ledger, self.view, self.worker, ("/a",), self._note_stale, self.on_their_way.get
        )
        self.environment = EnvironmentOperations(o.ledger, self.view, self.worker, lambda: "new", self._note_stale)

    def _note_stale(self) -> None:
        self.stale += 1

    def begins(self, item: RunningItem | None) -> None:
        """The running plan has ended, that is stored, and another one, or none, runs instead."""
        self.office.record.running = item
        self.office.ledger.summary = replace(self.office.ledger.summary, running=item)
        self.view.drop_requests()

    async def control(self, verb: RunEngineVerb, reply: Reply[None] = UNHEARD) -> bytes:
        return await asyncio.wait_for(self.run_engine.control(verb, "why", reply), SECONDS)


@asynccontextmanager
async def desk(environment: Environment, *, runs: bool = True) -> AsyncIterator[Desk]:
    async with office(record=record_of("ab", running_uid="r" if runs else "")) as o:
        yield Desk(o, environment)


@pytest.mark.parametrize(
    ("environment", "verbs"),
    [(RUNNING, [*PAUSES, _V.ABORT_NOW]), (PAUSED, [*ENDS, _V.ABORT_NOW])],
    ids=["running", "paused"],
)
@pytest.mark.parametrize("verb", RunEngineVerb)
@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_verb_is_passed_on_in_the_states_that_allow_it(
    environment: Environment, verbs: list[RunEngineVerb], verb: RunEngineVerb, confirmed: bool
) -> None:
    async with desk(environment) as d:
        d.view.confirmed = confirmed
        if verb in verbs:
            await d.control(verb)
            assert d.worker.heard == [(verb, "why")]
        else:
            with pytest.raises(InvalidState) as caught:
                await d.control(verb)
            running = "EXECUTING_QUEUE" if confirmed else "STARTING_QUEUE"
            assert caught.value.state == ("PAUSED" if environment is PAUSED else running)
            assert d.worker.heard == []


@pytest.mark.parametrize("verb", RunEngineVerb)
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
    verb: RunEngineVerb, environment: Environment, error: type[Refused]
) -> None:
    async with desk(environment, runs=False) as d:
        with pytest.raises(error):
            await d.control(verb)
        assert (d.worker.heard, d.view.pause_for, d.view.leaving_pause) == ([], "", False)


@pytest.mark.parametrize("verb", RunEngineVerb)
async def test_without_a_worker_a_verb_is_refused_at_once(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        d.view.connected = False
        with pytest.raises(WorkerUnavailable):
            await d.control(verb)
        assert d.worker.heard == []


@pytest.mark.parametrize("verb", PAUSES)
async def test_a_pause_is_pending_until_the_plan_is_paused(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        await d.control(verb)
        assert d.view.pause_for
        assert d.view.claimant("x-1").pause_unresolved
        d.view.set_environment(PAUSED)
        assert not d.view.pause_for


@pytest.mark.parametrize("verb", PAUSES)
async def test_a_pause_that_takes_effect_before_its_answer_arrives_is_not_pending(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        d.worker.reports_first = PAUSED
        await d.control(verb)
        assert not d.view.pause_for


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("fault", [WorkerRefused("RUN_ENGINE_MISSING", "None."), WorkerDown("x"), StaleEpoch()])
async def test_a_pause_that_was_refused_is_not_pending_unless_an_earlier_one_is(
    fault: Exception, earlier: bool
) -> None:
    async with desk(RUNNING) as d:
        d.view.pause_for = "x-1" if earlier else ""
        d.worker.fault = fault
        with pytest.raises(Refused):
            await d.control(_V.PAUSE_DEFERRED)
        assert bool(d.view.pause_for) is earlier


@pytest.mark.parametrize(
    ("environment", "verb"), [(RUNNING, _V.ABORT_NOW), *((PAUSED, verb) for verb in (_V.STOP, _V.ABORT, _V.HALT))]
)
async def test_that_a_plan_was_told_to_end_is_known_before_the_worker_answers_and_until_it_has_ended(
    environment: Environment, verb: RunEngineVerb
) -> None:
    async with desk(environment) as d:
        d.worker.may_answer.clear()
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        assert d.view.claimant("x-1").end_requested
        d.view.drop_requests()
        d.worker.may_answer.set()
        await asking
        assert not d.view.claimant("x-1").end_requested


async def test_a_plan_that_is_resumed_was_not_told_to_end() -> None:
    async with desk(PAUSED) as d:
        await d.control(_V.RESUME)
        assert not d.view.claimant("x-1").end_requested


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize(
    ("fault", "stays"), [(WorkerRefused("RUN_ENGINE_MISSING", "None."), False), (WorkerDown("x"), True)]
)
async def test_a_plan_whose_end_was_refused_was_not_told_to_end_unless_nobody_knows(
    fault: Exception, stays: bool, earlier: bool
) -> None:
    async with desk(RUNNING) as d:
        d.view.end_for = "x-1" if earlier else ""
        d.worker.fault = fault
        with pytest.raises(Refused):
            await d.control(_V.ABORT_NOW)
        assert bool(d.view.end_for) is (earlier or stays)


async def one_turn() -> None:
    await next_turn()


INTERRUPTIONS = [*PAUSES, _V.ABORT_NOW]
NOTHING_RUNS = WorkerRefused("NOT_RUNNING", "No plan runs.")


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_who_interrupts_a_plan_that_has_just_ended_is_obeyed_by_beginning_nothing_after_it(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = NOTHING_RUNS
        await d.control(verb)
        claimant = d.view.claimant("x-1")
        assert (claimant.pause_unresolved, claimant.end_requested) == (verb in PAUSES, verb not in PAUSES)
        assert d.worker.heard == [(verb, "why")]


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_plan_that_is_on_its_way_to_the_worker_is_interrupted_when_it_is_there(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        arrived = asyncio.Event()

        async def arrive() -> None:
            await arrived.wait()
            del d.on_their_way["x-1"]

        d.on_their_way["x-1"] = asyncio.create_task(arrive())
        d.worker.fault = NOTHING_RUNS
        asking = asyncio.create_task(d.control(verb))
        for _ in range(20):
            await next_turn()
        assert (d.worker.heard, asking.done()) == ([(verb, "why")], False)
        arrived.set()
        await asyncio.wait_for(asking, SECONDS)
        assert d.worker.heard == [(verb, "why")] * 2


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_plan_that_arrives_at_the_worker_right_behind_the_interruption_is_interrupted(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        d.on_their_way["x-1"] = asyncio.create_task(one_turn())
        d.worker.may_answer.clear()
        d.worker.fault = NOTHING_RUNS
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        await d.on_their_way.pop("x-1")
        d.worker.may_answer.set()
        await asyncio.wait_for(asking, SECONDS)
        assert d.worker.heard == [(verb, "why")] * 2


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_the_plan_that_was_begun_in_the_very_moment_is_interrupted_instead(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        d.worker.may_answer.clear()
        d.worker.fault = NOTHING_RUNS
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        # As a commit does that was decided before somebody asked.
        d.begins(running(plan("next"), "x-2"))
        d.worker.may_answer.set()
        await asyncio.wait_for(asking, SECONDS)
        assert d.worker.heard == [(verb, "why")] * 2
        assert (d.view.pause_for or d.view.end_for) == "x-2"


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_commit_that_begins_the_next_plan_is_waited_for_because_it_was_decided_before(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        edit = await d.office.hold_commit("c")
        d.worker.fault = NOTHING_RUNS
        asking = asyncio.create_task(d.control(verb))
        for _ in range(20):
            await next_turn()
        assert (d.worker.heard, asking.done()) == ([(verb, "why")], False)
        d.begins(running(plan("next"), "x-2"))
        d.office.store.may_go_on.set()
        await asyncio.wait_for(edit, SECONDS)
        await asyncio.wait_for(asking, SECONDS)
        assert d.worker.heard == [(verb, "why")] * 2
        assert (d.view.pause_for or d.view.end_for) == "x-2"


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_when_the_queue_came_to_its_end_meanwhile_nothing_is_left_to_interrupt_and_nothing_stays_noted(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        d.worker.may_answer.clear()
        d.worker.fault = NOTHING_RUNS
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        d.begins(None)
        d.worker.may_answer.set()
        await asyncio.wait_for(asking, SECONDS)
        assert (len(d.worker.heard), d.view.pause_for, d.view.end_for) == (1, "", "")


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_plan_that_has_to_be_sent_to_the_worker_again_is_interrupted_when_it_is_there(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = NOTHING_RUNS
        await d.control(verb)
        await d.run_engine.deliver("x-1")
        await d.run_engine.deliver("x-1")
        assert d.worker.heard == [(verb, "why")] * 2


async def test_an_interruption_is_delivered_to_no_other_plan_and_a_refusal_of_it_disturbs_nobody() -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = NOTHING_RUNS
        await d.control(_V.ABORT_NOW)
        await d.run_engine.deliver("x-2")
        assert len(d.worker.heard) == 1
        d.worker.fault = NOTHING_RUNS
        await d.control(_V.ABORT_NOW)
        d.worker.fault = WorkerDown("gone")
        await d.run_engine.deliver("x-1")
        assert len(d.worker.heard) == 3


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_autostart_begins_nothing_after_a_plan_that_was_interrupted_as_it_ended(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        d.office.record.autostart = True
        d.worker.may_answer.clear()
        d.worker.fault = NOTHING_RUNS
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        d.begins(None)
        d.worker.may_answer.set()
        await asyncio.wait_for(asking, SECONDS)
        assert not d.office.record.autostart


async def test_what_was_wanted_of_one_plan_is_not_wanted_of_another() -> None:
    async with desk(RUNNING) as d:
        await d.control(_V.PAUSE_DEFERRED)
        await d.control(_V.ABORT_NOW)
        for other in ("", "x-2"):
            claimant = d.view.claimant(other)
            assert (claimant.pause_unresolved, claimant.end_requested) == (False, False)


async def test_a_refusal_takes_nothing_back_that_somebody_else_was_promised_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with desk(RUNNING) as d:
        answers: list[asyncio.Future[None]] = []

        async def control(_verb: RunEngineVerb, _note: str) -> None:
            answers.append(asyncio.get_running_loop().create_future())
            await answers[-1]

        monkeypatch.setattr(d.worker, "control_run_engine", control)
        first, second = (asyncio.create_task(d.control(verb)) for verb in PAUSES)
        while len(answers) < 2:
            await next_turn()
        answers[1].set_result(None)
        await asyncio.wait_for(second, SECONDS)
        answers[0].set_exception(WorkerDown("gone"))
        with pytest.raises(WorkerUnavailable):
            await asyncio.wait_for(first, SECONDS)
        assert d.view.claimant("x-1").pause_unresolved


async def test_a_pause_is_over_with_its_item() -> None:
    async with desk(RUNNING) as d:
        await d.control(_V.PAUSE_DEFERRED)
        d.view.drop_requests()
        assert not d.view.pause_for
        d.view.set_environment(PAUSED)
        assert d.view.item_paused
        d.view.drop_requests()
        assert not d.view.item_paused


@pytest.mark.parametrize("verb", [*ENDS, _V.ABORT_NOW])
async def test_a_plan_that_leaves_its_pause_is_executing_at_once(verb: RunEngineVerb) -> None:
    async with desk(PAUSED) as d:
        await d.control(verb)
        assert d.view.state(has_running_item=True, has_foreground_task=False).name == "EXECUTING_QUEUE"
        d.view.set_environment(RUNNING)
        assert not d.view.leaving_pause
        d.view.set_environment(PAUSED)
        assert d.view.state(has_running_item=True, has_foreground_task=False).name == "PAUSED"


@pytest.mark.parametrize("verb", [*ENDS, _V.ABORT_NOW])
async def test_a_plan_that_left_its_pause_before_the_answer_arrives_may_pause_again(verb: RunEngineVerb) -> None:
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
        assert (d.view.leaving_pause, d.stale, d.office.ledger.recall_deed(REPLY)) == (False, stale, None)
        if isinstance(fault, WorkerRefused) and isinstance(caught.value, InvalidState):
            assert caught.value.message == f"Can't resume the plan: {fault.message}"
            assert (caught.value.state, caught.value.allowed) == ("PAUSED", ("PAUSED",))


async def test_a_repeated_verb_is_answered_and_not_passed_on_again() -> None:
    async with desk(PAUSED) as d:
        assert await d.control(_V.RESUME, REPLY) == b"done"
        while d.run_engine._deeds._under_way:
            await asyncio.wait(d.run_engine._deeds._under_way)
        d.view.set_environment(RUNNING)
        assert await d.control(_V.RESUME, REPLY) == b"done"
        assert len(d.worker.heard) == 1
        assert list(d.office.store.stored.requests) == ["id"]
        with pytest.raises(RequestIdReused):
            await d.control(_V.RESUME, replace(REPLY, fingerprint="another"))


async def test_no_commit_in_flight_delays_an_emergency() -> None:
    async with desk(RUNNING) as d:
        edit = await d.office.hold_commit("c")
        assert await d.control(_V.ABORT_NOW, REPLY) == b"done"
        assert await d.control(_V.PAUSE_IMMEDIATE) == b""
        assert [verb for verb, _ in d.worker.heard] == [_V.ABORT_NOW, _V.PAUSE_IMMEDIATE]
        assert not edit.done()
        destroyed: Reply[str] = Reply(lambda environment_id, _revision: environment_id.encode())
        assert await asyncio.wait_for(d.environment.destroy(destroyed), SECONDS) == b"environment"
        assert (d.worker.environment_commands, d.view.pending) == (["destroy"], PendingCommand.DESTROY)
        d.office.store.may_go_on.set()
        await asyncio.wait_for(edit, SECONDS)


async def test_a_store_that_is_away_delays_no_emergency() -> None:
    async with desk(RUNNING) as d:
        d.office.store.up.clear()
        d.office.store.fail(fate_known=True)
        await asyncio.gather(d.office.add("c"), return_exceptions=True)
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
