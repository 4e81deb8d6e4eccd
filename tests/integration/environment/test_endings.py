"""Stop, abort, halt and abort-now, by the environment's channel, and what the next plan finds."""

from collections.abc import Iterator

import pytest
from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1 import item_pb2 as pb
from queueserver.worker.v1 import worker_service_pb2 as actions

from tests.integration.environment.environment_child import EnvironmentChild, environment_child
from tests.integration.environment.test_pause import PAUSE, PAUSED, RESUME, STARTUP, begin, let_go

STOP = actions.RUN_ENGINE_ACTION_STOP
ABORT = actions.RUN_ENGINE_ACTION_ABORT
HALT = actions.RUN_ENGINE_ACTION_HALT
ABORT_NOW = actions.RUN_ENGINE_ACTION_ABORT_NOW
Action = actions.RunEngineAction


@pytest.fixture(scope="module")
def ending() -> Iterator[EnvironmentChild]:
    """An environment with plans to pause and to end, for all tests of this module."""
    with environment_child("--startup-script", STARTUP) as child:
        child.ready()
        yield child


def pause(child: EnvironmentChild, plan: str, **kwargs: object) -> int:
    """Start a plan and pause it; answers the number of frames before."""
    since = begin(child, plan, "the plan waits\n", **kwargs)
    child.control(PAUSE)
    child.wait_for_state(PAUSED, since=since)
    return since


@pytest.mark.parametrize(
    ("action", "status", "word", "run", "cleaned"),
    [
        (STOP, pb.EXIT_STATUS_STOPPED, "stopped", "success", 1),
        (ABORT, pb.EXIT_STATUS_ABORTED, "aborted", "abort", 1),
        (HALT, pb.EXIT_STATUS_HALTED, "halted", "abort", 0),
        (ABORT_NOW, pb.EXIT_STATUS_ABORTED, "aborted", "abort", 1),
    ],
)
def test_a_paused_plan_ends_as_it_is_told_and_the_next_one_runs(
    ending: EnvironmentChild,
    action: Action.ValueType,
    status: pb.ExitStatus.ValueType,
    word: str,
    run: str,
    cleaned: int,
) -> None:
    before = ending.count_printed("the plan cleans up")
    since = pause(ending, "waiting")
    ending.control(action, "the ring is down")
    result = ending.result(since=since)
    assert (result.exit_status, result.message, result.traceback) == (status, f"Plan {word}: the ring is down.", "")
    stop = ending.documents("stop")[-1]
    assert stop.exit_status == run
    assert stop.reason == ("" if action == HALT else "the ring is down")
    assert ending.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED
    assert ending.count_printed("the plan cleans up") == before + cleaned


def test_a_running_plan_is_aborted_in_one_call(ending: EnvironmentChild) -> None:
    since = begin(ending, "waiting", "the plan waits\n")
    ending.control(ABORT_NOW, "the ring is down")
    result = ending.result(since=since)
    assert (result.exit_status, result.message) == (pb.EXIT_STATUS_ABORTED, "Plan aborted: the ring is down.")
    assert (ending.documents("stop")[-1].exit_status, ending.documents("stop")[-1].reason) == (
        "abort",
        "the ring is down",
    )
    assert ending.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED


def test_an_abort_comes_before_the_answer_that_a_pause_got(ending: EnvironmentChild) -> None:
    since = pause(ending, "waiting")
    ending.control(RESUME)
    ending.control(ABORT_NOW)
    ending.control(RESUME)
    assert ending.result(since=since).exit_status == pb.EXIT_STATUS_ABORTED


def test_a_plan_without_a_checkpoint_is_aborted_in_one_call(ending: EnvironmentChild) -> None:
    since = begin(ending, "without_checkpoint", "without a checkpoint")
    ending.control(ABORT_NOW)
    result = ending.result(since=since)
    assert (result.exit_status, result.message) == (pb.EXIT_STATUS_ABORTED, "Plan aborted.")


def test_a_plan_that_is_being_made_is_kept_from_beginning(ending: EnvironmentChild) -> None:
    begun = ending.count_printed("the plan has begun")
    since = begin(ending, "slowly_made", "the plan is being made")
    ending.control(ABORT_NOW)
    ending.metadata()
    let_go(ending)
    result = ending.result(since=since)
    assert (result.exit_status, result.message) == (pb.EXIT_STATUS_ABORTED, "Plan aborted.")
    assert ending.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED
    assert ending.count_printed("the plan has begun") == begun


def test_an_abort_right_behind_the_plan_keeps_it_from_beginning_or_ends_it(ending: EnvironmentChild) -> None:
    for _ in range(20):
        since = len(ending.frames)
        ending.submit("x", "waiting")
        ending.control(ABORT_NOW)
        result = ending.result(since=since)
        assert (result.exit_status, result.message) == (pb.EXIT_STATUS_ABORTED, "Plan aborted.")


def test_a_plan_that_blocks_the_run_engine_does_not_hold_up_the_channel_and_is_aborted_when_it_lets_go(
    ending: EnvironmentChild,
) -> None:
    since = begin(ending, "blocking", "the plan blocks\n")
    ending.control(PAUSE)
    ending.control(ABORT_NOW)
    assert ending.metadata()["proposal"] == 17
    let_go(ending)
    assert ending.result(since=since).exit_status == pb.EXIT_STATUS_ABORTED


def test_a_plan_that_fails_to_clean_up_has_failed(ending: EnvironmentChild) -> None:
    since = pause(ending, "waiting", clean_up="fail")
    ending.control(STOP)
    result = ending.result(since=since)
    assert result.exit_status == pb.EXIT_STATUS_FAILED
    assert result.message == "Plan failed: the shutter is stuck"


def test_a_plan_that_can_not_be_halted_without_an_error_is_halted_even_so(ending: EnvironmentChild) -> None:
    since = len(ending.frames)
    ending.submit("x", "clings_to_life")
    ending.wait_for_state(PAUSED, since=since)
    ending.control(HALT)
    result = ending.result(since=since)
    assert (result.exit_status, result.message) == (pb.EXIT_STATUS_HALTED, "Plan halted.")
    assert ending.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_paused_plan_is_aborted_when_the_service_is_stopped(ending: EnvironmentChild) -> None:
    since = pause(ending, "waiting")
    ending.abort("The Worker service is being stopped.")
    result = ending.result(since=since)
    assert result.exit_status == pb.EXIT_STATUS_ABORTED
    assert result.message == "Plan aborted: The Worker service is being stopped."
    assert ending.documents("stop")[-1].reason == "The Worker service is being stopped."


def test_a_plan_is_paused_and_aborted_while_it_floods_the_console(ending: EnvironmentChild) -> None:
    since = begin(ending, "chatty", "the flood begins")
    ending.control(PAUSE)
    ending.wait_for_state(PAUSED, since=since)
    assert f"{99_999:099d}" not in ending.stdout
    ending.control(RESUME)
    ending.control(ABORT_NOW)
    assert ending.result(since=since).exit_status == pb.EXIT_STATUS_ABORTED
    states = [frame.run_engine.state for frame in ending.frames[since:] if frame.HasField("run_engine")]
    assert states[-1] == env.RUN_ENGINE_STATE_IDLE
