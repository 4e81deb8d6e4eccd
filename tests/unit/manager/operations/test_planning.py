"""Simulation: what the Worker refuses is told as what it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState
from queueserver_manager.domain.refusals import environment_errors, errors
from queueserver_manager.operations.planning import PlanningOperations
from queueserver_manager.operations.validation.allowed_inventory_cache import AllowedInventoryCache
from queueserver_manager.operations.validation.submissions import Prepared, Submissions
from queueserver_manager.worker_client.port import StaleEpoch, WorkerDown, WorkerOutdated, WorkerRefused

from tests.unit.manager.samples import NOW
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term
from tests.unit.manager.scripted_worker import CLOSED, OPEN, ScriptedWorker, view_of


def planning(o: ScriptedTerm, worker: ScriptedWorker, environment: Environment = OPEN) -> PlanningOperations:
    allowances = AllowedInventoryCache(o.ledger)
    submissions = Submissions(allowances, lambda: NOW, lambda: "new", lambda _item, _message: Prepared(0, 0))
    return PlanningOperations(o.ledger, view_of(environment), worker, submissions, allowances)


@pytest.mark.parametrize(
    ("fault", "expected", "words"),
    [
        (WorkerRefused("ENVIRONMENT_CLOSED", "it is closing"), environment_errors.EnvironmentClosed, "it is closing"),
        (WorkerRefused("RUN_ENGINE_MISSING", "none"), environment_errors.RunEngineMissing, "define RE"),
        (WorkerRefused("FIELD_INVALID", "Correct the item."), errors.ItemInvalid, "Correct the item"),
        (WorkerRefused("REQUEST_UNDECODABLE", "too deep"), errors.ItemInvalid, "too deep"),
        (WorkerRefused("NO_SUCH_REASON", "defect"), WorkerRefused, "defect"),
        (WorkerOutdated("it lacks a method"), errors.WorkerUnavailable, "older than this Manager"),
        (TimeoutError(), errors.EnvironmentUnresponsive, "does not answer"),
        (WorkerDown("gone"), errors.WorkerUnavailable, "can't be reached"),
        (StaleEpoch(), errors.WorkerUnavailable, "can't be reached"),
    ],
    ids=lambda value: getattr(value, "reason", None) or getattr(value, "__name__", None) or type(value).__name__,
)
async def test_a_refusal_of_the_worker_is_told_as_what_it_is(
    fault: Exception, expected: type[Exception], words: str
) -> None:
    worker = ScriptedWorker()
    async with scripted_term("a") as o:
        worker.fault = fault
        with pytest.raises(expected, match=words):
            await asyncio.wait_for(planning(o, worker).simulate_queued("a", 0), SECONDS)
        simulation, item = await asyncio.wait_for(planning(o, worker).simulate_queued("a", 0), SECONDS)
        assert (simulation, item.uid) == (b"", "a")


@pytest.mark.parametrize(
    ("environment", "expected", "words"),
    [
        (CLOSED, environment_errors.EnvironmentClosed, "open it"),
        (replace(OPEN, state=EnvironmentState.INITIALIZING), errors.InvalidState, "wait until the environment is open"),
        (
            replace(OPEN, state=EnvironmentState.DESTROYING),
            errors.InvalidState,
            "is being destroyed: open a new one first",
        ),
    ],
    ids=["closed", "opening", "destroying"],
)
async def test_without_an_open_environment_the_way_to_one_is_told(
    environment: Environment, expected: type[Exception], words: str
) -> None:
    async with scripted_term("a") as o:
        with pytest.raises(expected, match=words):
            await planning(o, ScriptedWorker(), environment).simulate_queued("a", 0)
