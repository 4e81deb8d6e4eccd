"""The states of the environment and what is said of its end."""

from __future__ import annotations

import itertools

import pytest
from queueserver.common.v1 import environment_pb2
from queueserver_worker.supervisor.process import failure
from queueserver_worker.supervisor.process.lifecycle import TRANSITIONS, State, TransitionError, check


def test_every_state_of_the_contract_but_unknown_has_a_row() -> None:
    assert {state.value for state in TRANSITIONS} == {
        number for number in environment_pb2.EnvironmentState.values() if number
    }
    assert set(TRANSITIONS) == set(State)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_a_transition_is_made_if_the_table_has_it_and_raises_otherwise(before: State, after: State) -> None:
    if after in TRANSITIONS[before]:
        assert check(before, after) is after
    else:
        with pytest.raises(TransitionError):
            check(before, after)


def test_every_state_with_a_process_can_end_in_closed_and_can_be_destroyed() -> None:
    with_process = set(State) - {State.CLOSED}
    assert all(State.CLOSED in TRANSITIONS[state] for state in with_process)
    assert all(State.DESTROYING in TRANSITIONS[state] for state in with_process - {State.DESTROYING})


@pytest.mark.parametrize(
    ("state", "returncode", "sentence"),
    [
        (
            State.EXECUTING_PLAN,
            -9,
            "The environment process was killed by signal 9 (SIGKILL) while the plan ran.",
        ),
        (State.IDLE, 1, "The environment process ended with exit code 1 while it was idle."),
        (State.IDLE, -1000, "The environment process was killed by signal 1000 while it was idle."),
    ],
)
def test_the_end_of_a_process_is_one_sentence(state: State, returncode: int, sentence: str) -> None:
    assert failure.describe_exit(state, returncode) == sentence


def test_the_tail_keeps_the_last_lines_only() -> None:
    tail = failure.Tail()
    for number in range(1000):
        tail.add(f"line {number}\n")
    lines = tail.lines().splitlines()
    assert lines[-1] == "line 999"
    assert len(lines) == 30


def test_a_reported_failure_is_cut_to_a_reasonable_length() -> None:
    reported = environment_pb2.EnvironmentFailure(
        message="m" * 10_000, exception_type="e" * 1000, traceback="t" * 1_000_000 + "end", exit_code=3
    )
    kept = failure.bounded(reported)
    assert len(kept.message) == 2000
    assert len(kept.traceback) == failure.MAX_TEXT
    assert kept.traceback.endswith("end")
    assert not kept.HasField("exit_code")
