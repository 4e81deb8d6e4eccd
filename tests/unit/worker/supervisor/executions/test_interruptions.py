"""Which requests for the running plan are accepted, in each state."""

from __future__ import annotations

import contextlib

import pytest
from queueserver.common.v1 import environment_pb2 as env
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver_worker.supervisor.errors import NotPausedError, NotRunningError
from queueserver_worker.supervisor.executions.interruptions import (
    ACTIONS,
    RunEngineAction,
    RunEngineControl,
    RunEngineState,
)

DEFERRED = pb.RUN_ENGINE_ACTION_PAUSE_DEFERRED
IMMEDIATE = pb.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE
RESUME = pb.RUN_ENGINE_ACTION_RESUME
STOP = pb.RUN_ENGINE_ACTION_STOP
ABORT = pb.RUN_ENGINE_ACTION_ABORT
HALT = pb.RUN_ENGINE_ACTION_HALT
ABORT_NOW = pb.RUN_ENGINE_ACTION_ABORT_NOW
ANSWERS = (RESUME, STOP, ABORT, HALT)
RUNNING = env.RUN_ENGINE_STATE_RUNNING
PAUSED = env.RUN_ENGINE_STATE_PAUSED


def executing(*states: RunEngineState) -> RunEngineControl:
    """A control whose execution was accepted and whose RunEngine went through these states."""
    control = RunEngineControl()
    control.state_changed(env.RUN_ENGINE_STATE_IDLE)
    control.execution_accepted()
    for state in states:
        control.state_changed(state)
    return control


def allowed(*states: RunEngineState) -> set[RunEngineAction]:
    """Which requests are accepted after these states, each by itself."""
    accepted = set()
    for action in ACTIONS:
        with contextlib.suppress(NotRunningError, NotPausedError):
            executing(*states).accept(action)
            accepted.add(action)
    return accepted


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), {DEFERRED, IMMEDIATE, ABORT_NOW}),
        ((RUNNING,), {DEFERRED, IMMEDIATE, ABORT_NOW}),
        ((RUNNING, env.RUN_ENGINE_STATE_SUSPENDING), {DEFERRED, IMMEDIATE, ABORT_NOW}),
        ((RUNNING, env.RUN_ENGINE_STATE_PAUSING), {DEFERRED, IMMEDIATE, ABORT_NOW}),
        ((RUNNING, PAUSED, env.RUN_ENGINE_STATE_STOPPING), {ABORT_NOW}),
        ((RUNNING, env.RUN_ENGINE_STATE_IDLE), {ABORT_NOW}),
    ],
)
def test_pauses_are_accepted_while_the_plan_goes_on_or_has_not_begun(
    states: tuple[RunEngineState, ...], expected: set[RunEngineAction]
) -> None:
    assert allowed(*states) == expected


def test_answers_and_abort_now_are_accepted_while_the_plan_is_paused_and_pauses_are_not() -> None:
    assert allowed(RUNNING, PAUSED) == {*ANSWERS, ABORT_NOW}


def test_nothing_is_accepted_without_an_execution() -> None:
    control = executing(RUNNING, PAUSED)
    control.execution_ended()
    for action in ACTIONS:
        with pytest.raises(NotPausedError if action in ANSWERS else NotRunningError) as refused:
            control.accept(action)
        assert "idle" in str(refused.value)
    assert not control.paused


def test_a_pause_is_pending_until_the_plan_has_paused_or_ended() -> None:
    control = executing(RUNNING)
    assert control.accept(DEFERRED)
    control.state_changed(env.RUN_ENGINE_STATE_PAUSING)
    assert control.pause_pending
    control.state_changed(PAUSED)
    assert (control.pause_pending, control.paused) == (False, True)
    control.accept(RESUME)
    control.accept(IMMEDIATE)
    control.state_changed(RUNNING)
    assert (control.pause_pending, control.paused) == (True, False)
    control.execution_ended()
    assert not control.pause_pending


def test_what_was_asked_for_already_is_accepted_and_is_no_news() -> None:
    control = executing(RUNNING)
    news = [control.accept(action) for action in (DEFERRED, DEFERRED, IMMEDIATE, IMMEDIATE, DEFERRED)]
    control.state_changed(PAUSED)
    news += [control.accept(action) for action in (STOP, STOP, ABORT_NOW, ABORT_NOW)]
    assert news == [True, False, True, False, False, True, False, True, False]


@pytest.mark.parametrize("answer", ANSWERS)
def test_only_one_answer_to_a_pause_is_accepted(answer: RunEngineAction) -> None:
    control = executing(RUNNING, PAUSED)
    control.accept(answer)
    assert not control.paused
    for other in set(ANSWERS) - {answer}:
        with pytest.raises(NotPausedError, match="being"):
            control.accept(other)


def test_nothing_undoes_an_abort() -> None:
    control = executing(RUNNING)
    control.accept(ABORT_NOW)
    for state in (env.RUN_ENGINE_STATE_PAUSING, PAUSED):
        control.state_changed(state)
        assert not control.paused
        for action in (DEFERRED, IMMEDIATE, *ANSWERS):
            with pytest.raises((NotRunningError, NotPausedError), match="being aborted"):
                control.accept(action)


def test_the_next_execution_begins_with_nothing_asked_for() -> None:
    control = executing(RUNNING)
    control.accept(ABORT_NOW)
    control.execution_ended()
    control.execution_accepted()
    assert control.accept(IMMEDIATE)


def test_a_state_that_nobody_knows_is_named_as_unknown() -> None:
    control = executing(RUNNING)
    control.state_changed(99)  # type: ignore[arg-type] # the environment may send any number
    with pytest.raises(NotPausedError, match="in an unknown state"):
        control.accept(RESUME)
