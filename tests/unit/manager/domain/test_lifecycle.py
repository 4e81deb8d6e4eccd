"""The Manager's states: what they follow from, what may follow them, what they allow."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from queueserver_manager.domain.lifecycle import (
    ALLOWED,
    TRANSITIONS,
    Environment,
    EnvironmentState,
    ManagerState,
    Operation,
    PendingCommand,
    RunEngineState,
    Situation,
    manager_state,
)

_S, _E, _P, _R = ManagerState, EnvironmentState, PendingCommand, RunEngineState


def situation(
    environment: EnvironmentState,
    pending: PendingCommand = _P.NONE,
    run_engine: RunEngineState = _R.IDLE,
    *,
    ready: bool = True,
    item: bool = False,
    confirmed: bool = False,
) -> Situation:
    return Situation(ready, item, confirmed, pending, Environment("e", environment, run_engine))


def test_every_state_has_its_transitions_and_stays_within_the_states() -> None:
    assert set(TRANSITIONS) == set(ManagerState)
    for state, following in TRANSITIONS.items():
        assert following <= set(ManagerState)
        assert state is _S.INITIALIZING or state not in following


def test_from_every_state_there_is_a_way_to_idle_and_back_to_the_beginning() -> None:
    for state in ManagerState:
        assert state is _S.IDLE or _S.IDLE in TRANSITIONS[state]
        assert _S.INITIALIZING in TRANSITIONS[state]


def test_every_state_but_idle_is_reached_from_another() -> None:
    for state in ManagerState:
        others = [other for other in ManagerState if other not in (state, _S.INITIALIZING)]
        assert any(state in TRANSITIONS[other] for other in others)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (Situation(), _S.INITIALIZING),
        (situation(_E.IDLE, ready=False, item=True, confirmed=True), _S.INITIALIZING),
        (situation(_E.CLOSED), _S.IDLE),
        (situation(_E.UNKNOWN), _S.IDLE),
        (situation(_E.IDLE), _S.IDLE),
        (situation(_E.CLOSED, _P.OPEN), _S.CREATING_ENVIRONMENT),
        (situation(_E.INITIALIZING, _P.OPEN), _S.CREATING_ENVIRONMENT),
        (situation(_E.INITIALIZING), _S.CREATING_ENVIRONMENT),
        (situation(_E.IDLE, _P.CLOSE), _S.CLOSING_ENVIRONMENT),
        (situation(_E.CLOSING, _P.CLOSE), _S.CLOSING_ENVIRONMENT),
        (situation(_E.CLOSING), _S.CLOSING_ENVIRONMENT),
        (situation(_E.IDLE, _P.DESTROY), _S.DESTROYING_ENVIRONMENT),
        (situation(_E.DESTROYING), _S.DESTROYING_ENVIRONMENT),
        (situation(_E.EXECUTING_PLAN, _P.DESTROY, item=True, confirmed=True), _S.DESTROYING_ENVIRONMENT),
        (situation(_E.DESTROYING, item=True, confirmed=True), _S.DESTROYING_ENVIRONMENT),
        (situation(_E.IDLE, item=True), _S.STARTING_QUEUE),
        (situation(_E.IDLE, item=True, confirmed=True), _S.EXECUTING_QUEUE),
        (situation(_E.EXECUTING_PLAN, run_engine=_R.RUNNING, item=True, confirmed=True), _S.EXECUTING_QUEUE),
        (situation(_E.EXECUTING_PLAN, run_engine=_R.PAUSING, item=True, confirmed=True), _S.EXECUTING_QUEUE),
        (situation(_E.IDLE, run_engine=_R.PAUSED, item=True, confirmed=True), _S.PAUSED),
        (situation(_E.IDLE, run_engine=_R.PAUSED, item=True), _S.PAUSED),
        (situation(_E.EXECUTING_PLAN, run_engine=_R.PAUSED, item=True, confirmed=True), _S.EXECUTING_QUEUE),
        (situation(_E.EXECUTING_PLAN, run_engine=_R.PAUSED, item=True), _S.STARTING_QUEUE),
        (situation(_E.IDLE, run_engine=_R.PAUSED), _S.IDLE),
        (situation(_E.EXECUTING_PLAN, _P.CLOSE, item=True, confirmed=True), _S.EXECUTING_QUEUE),
    ],
)
def test_the_state_follows_from_the_situation(given: Situation, state: ManagerState) -> None:
    assert manager_state(given) is state


def test_a_paused_plan_that_was_told_to_go_on_or_end_is_no_longer_paused() -> None:
    paused = situation(_E.IDLE, run_engine=_R.PAUSED, item=True, confirmed=True)
    assert manager_state(replace(paused, leaving_pause=True)) is _S.EXECUTING_QUEUE


@pytest.mark.parametrize("part", ["has_running_item", "has_foreground_task"])
def test_what_a_destroyed_environment_executed_does_not_go_on_until_it_is_accounted_for(part: str) -> None:
    gone = replace(situation(_E.CLOSED, confirmed=True), destroyed=True)
    assert manager_state(gone) is _S.IDLE
    assert manager_state(replace(gone, **{part: True})) is _S.DESTROYING_ENVIRONMENT  # type: ignore[arg-type] # a bool


def test_every_situation_has_a_state_and_a_claimed_item_is_never_idle() -> None:
    for environment, pending, run_engine, item, confirmed in itertools.product(
        _E, _P, _R, (False, True), (False, True)
    ):
        state = manager_state(situation(environment, pending, run_engine, item=item, confirmed=confirmed))
        assert state is not _S.INITIALIZING
        assert not (item and state is _S.IDLE)
        if not item:
            assert state not in (_S.STARTING_QUEUE, _S.EXECUTING_QUEUE, _S.PAUSED)


def test_every_action_says_where_it_is_allowed() -> None:
    assert set(ALLOWED) == set(Operation)
    assert all(ALLOWED.values())


@pytest.mark.parametrize("state", EnvironmentState)
def test_an_environment_exists_unless_it_is_closed_or_unknown(state: EnvironmentState) -> None:
    assert Environment(state=state).exists == (state.name not in ("UNKNOWN", "CLOSED"))


@pytest.mark.parametrize("state", [_S.STARTING_QUEUE, _S.EXECUTING_QUEUE, _S.PAUSED, _S.EXECUTING_TASK])
def test_a_worker_that_is_told_to_end_closes_its_environment_whatever_goes_on(state: ManagerState) -> None:
    assert _S.CLOSING_ENVIRONMENT in TRANSITIONS[state]


def test_no_environment_opens_while_something_is_executed() -> None:
    for state in (_S.STARTING_QUEUE, _S.EXECUTING_QUEUE, _S.PAUSED, _S.EXECUTING_TASK, _S.CLOSING_ENVIRONMENT):
        assert _S.CREATING_ENVIRONMENT not in TRANSITIONS[state]
