"""Pause and abort now, also in the moments in which the Worker has nothing to interrupt."""

from __future__ import annotations

import asyncio

import pytest
from queueserver_manager.domain.errors import WorkerUnavailable
from queueserver_manager.domain.item import RunningItem
from queueserver_manager.worker_client.port import EngineRequest, RunEngineVerb, WorkerDown, WorkerRefused
from queueserver_rpc.turns import next_turn

from tests.unit.manager.run_engine_desk import PAUSES, Desk, desk
from tests.unit.manager.samples import plan, running
from tests.unit.manager.scripted_store import SECONDS
from tests.unit.manager.scripted_worker import RUNNING


def nothing_runs() -> WorkerRefused:
    return WorkerRefused("NOT_RUNNING", "No plan runs.")


async def one_turn() -> None:
    await next_turn()


async def ask_between_plans(d: Desk, verb: RunEngineVerb, then: RunningItem | None) -> None:
    """Ask the Worker when it has nothing to interrupt; its answer comes when ``then`` runs.

    As a commit does that was decided before somebody asked.
    """
    d.worker.may_answer.clear()
    d.worker.fault = nothing_runs()
    asking = asyncio.create_task(d.control(verb))
    await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
    d.begins(then)
    d.worker.may_answer.set()
    await asyncio.wait_for(asking, SECONDS)


_V = RunEngineVerb
INTERRUPTIONS = [*PAUSES, _V.ABORT_NOW]


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_who_interrupts_a_plan_that_has_just_ended_is_obeyed_by_beginning_nothing_after_it(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = nothing_runs()
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
        d.worker.fault = nothing_runs()
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
        d.worker.fault = nothing_runs()
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        await d.on_their_way.pop("x-1")
        d.worker.may_answer.set()
        await asyncio.wait_for(asking, SECONDS)
        assert d.worker.heard == [(verb, "why")] * 2


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_the_plan_that_was_begun_in_the_very_moment_is_interrupted_instead(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        await ask_between_plans(d, verb, running(plan("next"), "x-2"))
        assert d.worker.heard == [(verb, "why")] * 2
        assert (d.view.pause_for or d.view.end_for) == "x-2"


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_commit_that_begins_the_next_plan_is_waited_for_because_it_was_decided_before(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        edit = await d.office.hold_commit("c")
        d.worker.fault = nothing_runs()
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
        await ask_between_plans(d, verb, None)
        assert (len(d.worker.heard), d.view.pause_for, d.view.end_for) == (1, "", "")


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_plan_that_has_to_be_sent_to_the_worker_again_is_interrupted_when_it_is_there(
    verb: RunEngineVerb,
) -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = nothing_runs()
        await d.control(verb)
        await d.run_engine.deliver("x-1")
        await d.run_engine.deliver("x-1")
        assert d.worker.heard == [(verb, "why")] * 2


async def test_an_interruption_is_delivered_to_no_other_plan_and_a_refusal_of_it_disturbs_nobody() -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = nothing_runs()
        await d.control(_V.ABORT_NOW)
        await d.run_engine.deliver("x-2")
        assert len(d.worker.heard) == 1
        d.worker.fault = nothing_runs()
        await d.control(_V.ABORT_NOW)
        d.worker.fault = WorkerDown("gone")
        await d.run_engine.deliver("x-1")
        assert len(d.worker.heard) == 3


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_autostart_begins_nothing_after_a_plan_that_was_interrupted_as_it_ended(verb: RunEngineVerb) -> None:
    async with desk(RUNNING) as d:
        d.office.record.autostart = True
        await ask_between_plans(d, verb, None)
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

        async def control(_request: EngineRequest) -> None:
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
