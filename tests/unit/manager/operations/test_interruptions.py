"""Pause and abort now, also in the moments in which the Worker has nothing to interrupt."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.queue.item import RunningItem
from queueserver_manager.domain.refusals.errors import ItemNotRunning, StorageUnavailable, WorkerUnavailable
from queueserver_manager.worker_client.port import EngineRequest, RunEngineAction, WorkerDown, WorkerRefused

from tests.unit.manager.run_engine_desk import PAUSES, Desk, desk
from tests.unit.manager.samples import outcome, plan, running
from tests.unit.manager.scripted_store import SECONDS
from tests.unit.manager.scripted_worker import PAUSED, RUNNING, snapshot_of


def it_has_ended() -> WorkerRefused:
    return WorkerRefused("EXECUTION_ENDED", "It has ended.")


def it_is_ending() -> WorkerRefused:
    return WorkerRefused("NOT_RUNNING", "It comes to its end.", {"state": "idle"})


async def ask_between_plans(d: Desk, verb: RunEngineAction, then: RunningItem | None, item_uid: str = "") -> None:
    """Ask the Worker when the plan has ended; its answer comes when ``then`` runs.

    As a commit does that was decided before somebody asked.
    """
    d.worker.may_answer.clear()
    d.worker.fault = it_has_ended()
    asking = asyncio.create_task(d.control(verb, item_uid=item_uid))
    await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
    d.begins(then)
    d.worker.may_answer.set()
    await asyncio.wait_for(asking, SECONDS)


_V = RunEngineAction
INTERRUPTIONS = [*PAUSES, _V.ABORT_NOW]
ENDINGS = [(RUNNING, _V.ABORT_NOW), (PAUSED, _V.ABORT_NOW), (PAUSED, _V.STOP), (PAUSED, _V.ABORT), (PAUSED, _V.HALT)]


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_request_names_the_execution_that_it_is_for(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        await d.control(verb, item_uid="r")
        await d.control(verb)
        assert d.worker.heard_for == ["x-1", "x-1"]


@pytest.mark.parametrize("verb", INTERRUPTIONS)
@pytest.mark.parametrize("refusal", [it_has_ended, it_is_ending])
async def test_who_interrupts_a_plan_that_has_just_ended_is_obeyed_by_beginning_nothing_after_it(
    verb: RunEngineAction, refusal: type[WorkerRefused]
) -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = refusal()
        await d.control(verb)
        assert d.stops_after("x-1") == (verb in PAUSES, verb not in PAUSES)
        assert d.worker.heard == [(verb, "why")]
        # It is stored with the running item, and what is stored is all that a new owner has.
        stored = d.current_term.store.stored.running
        assert stored is not None
        assert (stored.pause_pending, stored.end_requested) == (verb in PAUSES, verb not in PAUSES)
        assert d.current_term.record.revisions.queue == 0


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_what_the_worker_has_accepted_is_told_by_its_outcome_and_by_nothing_else(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        await d.control(verb)
        assert d.stops_after("x-1") == (False, False)
        told = replace(outcome(), pause_pending=verb in PAUSES, end_requested=verb not in PAUSES)
        assert d.stops_after("x-1", told) == (verb in PAUSES, verb not in PAUSES)


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_nothing_begins_after_a_plan_while_a_request_is_on_its_way_to_the_worker(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        d.worker.may_answer.clear()
        asking = asyncio.create_task(d.control(verb))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        assert d.stops_after("x-1") == (verb in PAUSES, verb not in PAUSES)
        d.worker.may_answer.set()
        await asyncio.wait_for(asking, SECONDS)


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_the_plan_that_was_begun_in_the_very_moment_is_interrupted_instead(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        await ask_between_plans(d, verb, running(plan("next"), "x-2"))
        assert d.worker.heard_for == ["x-1", "x-2"]
        assert d.stops_after("x-2") == (False, False)


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_commit_that_begins_the_next_plan_is_waited_for_because_it_was_decided_before(
    verb: RunEngineAction,
) -> None:
    async with desk(RUNNING) as d:
        edit = await d.current_term.hold_commit("c")
        d.worker.fault = it_has_ended()
        asking = asyncio.create_task(d.control(verb))
        for _ in range(20):
            await next_turn()
        assert (d.worker.heard, asking.done()) == ([(verb, "why")], False)
        d.begins(running(plan("next"), "x-2"))
        d.current_term.store.may_go_on.set()
        await asyncio.wait_for(edit, SECONDS)
        await asyncio.wait_for(asking, SECONDS)
        assert d.worker.heard_for == ["x-1", "x-2"]


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_when_the_queue_came_to_its_end_meanwhile_nothing_is_left_to_interrupt_and_autostart_ends(
    verb: RunEngineAction,
) -> None:
    async with desk(RUNNING) as d:
        d.current_term.record.autostart = True
        await ask_between_plans(d, verb, None)
        assert (len(d.worker.heard), d.view.pause_pending, d.current_term.record.autostart) == (1, False, False)


@pytest.mark.parametrize("verb", INTERRUPTIONS)
@pytest.mark.parametrize("then", [None, running(plan("next"), "x-2")])
async def test_a_request_that_names_an_item_reaches_no_other_and_changes_nothing_if_it_is_late(
    verb: RunEngineAction, then: RunningItem | None
) -> None:
    async with desk(RUNNING) as d:
        d.current_term.record.autostart = True
        with pytest.raises(ItemNotRunning, match="'r' is not running") as caught:
            await ask_between_plans(d, verb, then, item_uid="r")
        assert caught.value.item_uid == "r"
        assert (d.worker.heard_for, d.current_term.record.autostart, d.current_term.store.commits) == (
            ["x-1"],
            True,
            [],
        )


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_request_that_names_an_item_does_not_stop_the_queue_before_it_is_accepted(
    verb: RunEngineAction,
) -> None:
    async with desk(RUNNING) as d:
        d.worker.may_answer.clear()
        d.worker.fault = it_has_ended()
        asking = asyncio.create_task(d.control(verb, item_uid="r"))
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        assert d.stops_after("x-1") == (False, False)
        d.worker.may_answer.set()
        with pytest.raises(ItemNotRunning):
            await asyncio.wait_for(asking, SECONDS)
        assert d.stops_after("x-1") == (False, False)


async def test_a_pause_for_a_named_item_that_comes_to_its_end_stops_the_queue_after_it() -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = it_is_ending()
        await d.control(_V.PAUSE_DEFERRED, item_uid="r")
        assert d.stops_after("x-1") == (True, False)


@pytest.mark.parametrize(("environment", "verb"), ENDINGS)
async def test_a_request_for_an_item_that_does_not_run_is_refused_before_the_worker_hears_of_it(
    environment: object, verb: RunEngineAction
) -> None:
    async with desk(environment) as d:  # type: ignore[arg-type] # an Environment
        for item_uid in ("a", "unknown"):
            with pytest.raises(ItemNotRunning):
                await d.control(verb, item_uid=item_uid)
        assert d.worker.heard == []


@pytest.mark.parametrize("verb", [_V.STOP, _V.ABORT, _V.HALT])
async def test_the_end_of_a_named_item_that_ends_in_the_very_moment_is_refused_by_that_reason(
    verb: RunEngineAction,
) -> None:
    async with desk(PAUSED) as d:
        d.worker.fault = it_has_ended()
        with pytest.raises(ItemNotRunning):
            await d.control(verb, item_uid="r")


async def test_a_plan_that_is_paused_already_when_the_pause_arrives_does_not_stop_the_queue_later() -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = WorkerRefused("NOT_RUNNING", "It is paused.", {"state": "paused"})
        await d.control(_V.PAUSE_DEFERRED)
        assert d.view.pause_pending
        d.view.set_environment(PAUSED)
        assert (d.view.pause_pending, d.stops_after("x-1")) == (False, (False, False))


@pytest.mark.parametrize("verb", INTERRUPTIONS)
async def test_a_stop_that_redis_does_not_take_is_noted_until_the_plan_is_accounted_for(verb: RunEngineAction) -> None:
    async with desk(RUNNING) as d:
        d.current_term.store.fail(fate_known=True)
        d.worker.fault = it_has_ended()
        await d.control(verb)
        assert d.stops_after("x-1") == (verb in PAUSES, verb not in PAUSES)
        d.view.meet(snapshot_of(RUNNING), executes_item=True)
        assert d.stops_after("x-1") == (verb in PAUSES, verb not in PAUSES)
        d.view.drop_requests()
        assert d.stops_after("x-1") == (False, False)


async def test_a_stop_of_which_it_is_not_known_whether_redis_took_it_is_refused_and_noted() -> None:
    async with desk(RUNNING) as d:
        d.current_term.store.fail(fate_known=False)
        d.worker.fault = it_has_ended()
        with pytest.raises(StorageUnavailable):
            await d.control(_V.ABORT_NOW)
        assert d.stops_after("x-1") == (False, True)


@pytest.mark.parametrize(("environment", "verb"), ENDINGS)
async def test_that_a_plan_was_to_end_is_stored_if_it_is_not_known_whether_the_worker_has_heard_it(
    environment: object, verb: RunEngineAction
) -> None:
    async with desk(environment) as d:  # type: ignore[arg-type] # an Environment
        d.worker.fault = WorkerDown("gone")
        with pytest.raises(WorkerUnavailable):
            await d.control(verb)
        stored = d.current_term.store.stored.running
        assert stored is not None
        assert stored.end_requested
        assert d.stops_after("x-1") == (False, True)


@pytest.mark.parametrize("verb", PAUSES)
async def test_a_pause_of_which_it_is_not_known_whether_the_worker_has_heard_it_is_not_pending(
    verb: RunEngineAction,
) -> None:
    async with desk(RUNNING) as d:
        d.worker.fault = WorkerDown("gone")
        with pytest.raises(WorkerUnavailable):
            await d.control(verb)
        assert (d.view.pause_pending, d.stops_after("x-1")) == (False, (False, False))


async def test_what_was_wanted_of_one_plan_is_not_wanted_of_another() -> None:
    async with desk(RUNNING) as d:
        d.worker.may_answer.clear()
        asking = [asyncio.create_task(d.control(verb)) for verb in INTERRUPTIONS]
        await asyncio.wait_for(d.worker.arrived.wait(), SECONDS)
        for other in ("", "x-2"):
            claim_context = d.view.claim_context(other)
            assert (claim_context.pause_unresolved, claim_context.end_requested) == (False, False)
        d.worker.may_answer.set()
        await asyncio.gather(*asking)


async def test_a_refusal_takes_nothing_back_that_somebody_else_was_promised_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with desk(RUNNING) as d:
        answers: list[asyncio.Future[None]] = []

        async def control(_request: EngineRequest, _execution_id: str) -> None:
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
        assert d.view.pause_pending
