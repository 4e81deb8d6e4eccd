"""Each request in each state that does not allow it: refused with the states, and with advice that fits."""

from __future__ import annotations

import pytest
from queueserver_manager.domain.lifecycle import ALLOWED, ManagerState, Operation
from queueserver_manager.domain.refusals.errors import InvalidState, QueueRunning
from queueserver_manager.domain.refusals.state_refusals import advice, check, refuse_second_start

_S = ManagerState
ON_A_PLAN = (
    Operation.PAUSE,
    Operation.RESUME,
    Operation.STOP_PLAN,
    Operation.ABORT_PLAN,
    Operation.HALT_PLAN,
    Operation.ABORT_NOW,
    Operation.STOP_QUEUE,
)
RUNNING = (_S.STARTING_QUEUE, _S.EXECUTING_QUEUE)


@pytest.mark.parametrize("action", Operation)
@pytest.mark.parametrize("state", ManagerState)
def test_an_action_is_allowed_or_refused_with_the_state_and_the_allowed_ones(
    action: Operation, state: ManagerState
) -> None:
    allowed = sorted(ALLOWED[action], key=lambda option: option.name)
    if state in allowed:
        check(action, state)
        return
    with pytest.raises(InvalidState) as caught:
        check(action, state)
    error = caught.value
    assert (error.state, error.allowed) == (state, allowed)
    for name in (*(option.name for option in (state, *allowed)), action.value):
        assert name in error.message
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    ("action", "states"),
    [
        (Operation.OPEN_ENVIRONMENT, [_S.CREATING_ENVIRONMENT]),
        (Operation.CLOSE_ENVIRONMENT, [_S.CLOSING_ENVIRONMENT, _S.DESTROYING_ENVIRONMENT]),
        (Operation.PAUSE, [_S.PAUSED]),
    ],
)
def test_what_is_so_already_is_said_to_be_so(action: Operation, states: list[ManagerState]) -> None:
    for state in states:
        assert "already" in advice(action, state)


@pytest.mark.parametrize("action", ON_A_PLAN)
@pytest.mark.parametrize("state", [_S.IDLE, _S.CREATING_ENVIRONMENT, _S.CLOSING_ENVIRONMENT, _S.EXECUTING_TASK])
def test_without_a_plan_there_is_nothing_to_act_upon_and_no_advice_to_start_one(
    action: Operation, state: ManagerState
) -> None:
    told = advice(action, state)
    assert "no plan" in told or "does not run" in told
    assert "destroy" not in told
    assert "start the queue" not in told
    assert "wait" not in told


@pytest.mark.parametrize("action", [Operation.STOP_PLAN, Operation.ABORT_PLAN, Operation.HALT_PLAN])
def test_a_running_plan_is_to_be_paused_before_it_is_told_to_end(action: Operation) -> None:
    for state in RUNNING:
        assert advice(action, state) == "pause the plan first, or abort it at once"


def test_a_plan_that_runs_needs_no_resuming_and_no_pause_for_it() -> None:
    for state in RUNNING:
        assert advice(Operation.RESUME, state) == "it is not paused, so there is nothing to resume"


def test_advice_is_a_clause_that_names_no_state() -> None:
    for action in Operation:
        for state in set(ManagerState) - ALLOWED[action]:
            told = advice(action, state)
            assert told
            assert not told.endswith(".")
            assert not any(other.name in told for other in ManagerState if "_" in other.name)


@pytest.mark.parametrize("state", [*RUNNING, _S.PAUSED])
@pytest.mark.parametrize("stop_pending", [False, True])
def test_a_queue_that_runs_is_not_started_and_nothing_has_to_be_stopped_for_it(
    state: ManagerState, *, stop_pending: bool
) -> None:
    with pytest.raises(QueueRunning, match="running already") as caught:
        refuse_second_start(state, stop_pending=stop_pending)
    assert (caught.value.state, caught.value.allowed) == (state, [_S.IDLE])
    assert ("resume" in caught.value.message) == (state is _S.PAUSED)
    assert ("cancel that" in caught.value.message) == (stop_pending and state is not _S.PAUSED)


def test_what_keeps_the_queue_from_running_is_left_to_the_state() -> None:
    for state in set(ManagerState) - {*RUNNING, _S.PAUSED}:
        refuse_second_start(state, stop_pending=False)


def test_the_refusal_says_what_to_do() -> None:
    with pytest.raises(InvalidState) as caught:
        check(Operation.STOP_QUEUE, _S.IDLE)
    assert caught.value.message == (
        "Can't stop the queue while the Manager is IDLE (possible when EXECUTING_QUEUE or STARTING_QUEUE): "
        "the queue does not run, so there is nothing to stop; to keep it from starting by itself, disable autostart."
    )
