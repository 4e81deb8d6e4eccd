"""Pause and resume, by the environment's channel."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1 import item_pb2 as pb
from queueserver.worker.v1 import worker_service_pb2 as actions

from tests.integration.environment.environment_child import EnvironmentChild, environment_child

PAUSE = actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE
DEFERRED = actions.RUN_ENGINE_ACTION_PAUSE_DEFERRED
RESUME = actions.RUN_ENGINE_ACTION_RESUME
PAUSED = env.RUN_ENGINE_STATE_PAUSED
STARTUP = Path(__file__).with_name("pausing_startup.py")


@pytest.fixture(scope="module")
def pausing() -> Iterator[EnvironmentChild]:
    """An environment with plans to pause, for all tests of this module."""
    with environment_child("--startup-script", STARTUP) as child:
        child.ready()
        yield child


def begin(child: EnvironmentChild, plan: str, text: str, **kwargs: object) -> int:
    """Start a plan and wait until it has printed a text; answers the number of frames before."""
    since, before = len(child.frames), (child.stdout + child.stderr).count(text)
    child.submit("x", plan, **kwargs)
    child.wait_for_output(text, times=before + 1)
    return since


def let_go(child: EnvironmentChild) -> None:
    """Open the gate for which the plan waits."""
    child.process.send_signal(signal.SIGUSR1)


def events(child: EnvironmentChild, since: int) -> list[tuple[int, int]]:
    """Sequence numbers and readings of the events."""
    found = [
        frame.document.document.event for frame in child.frames[since:] if frame.document.document.HasField("event")
    ]
    return [(event.seq_num, event.data["triggers"].integer) for event in found]


def test_a_deferred_pause_lets_the_point_complete_and_does_not_repeat_it(pausing: EnvironmentChild) -> None:
    acknowledged = pausing.stdout.count("Deferred pause acknowledged")
    since = begin(pausing, "points", "the detector waits")
    pausing.control(DEFERRED)
    pausing.wait_for_output("Deferred pause acknowledged", times=acknowledged + 1)
    let_go(pausing)
    pausing.wait_for_state(PAUSED, since=since)
    assert events(pausing, since) == [(1, 1)]
    pausing.control(RESUME)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_COMPLETED
    assert events(pausing, since) == [(1, 1), (2, 2)]


def test_a_deferred_pause_that_was_heard_is_taken_at_the_checkpoint_that_follows(pausing: EnvironmentChild) -> None:
    since = begin(pausing, "blocking_before_a_checkpoint", "the plan blocks before a checkpoint")
    pausing.control(DEFERRED)
    # Its answer comes after the request was heard.
    pausing.metadata()
    let_go(pausing)
    pausing.wait_for_state(PAUSED, since=since)
    pausing.control(RESUME)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_COMPLETED
    assert [frame.run_engine.state for frame in pausing.frames[since:]].count(PAUSED) == 1


def test_an_immediate_pause_repeats_the_interrupted_point_after_resume(pausing: EnvironmentChild) -> None:
    since = begin(pausing, "points", "the detector waits")
    pausing.control(PAUSE)
    pausing.wait_for_state(PAUSED, since=since)
    assert events(pausing, since) == []
    pausing.control(RESUME)
    result = pausing.result(since=since)
    assert (result.exit_status, result.message) == (pb.EXIT_STATUS_COMPLETED, "")
    assert events(pausing, since) == [(1, 2), (2, 3)]
    let_go(pausing)


def test_a_pause_past_the_last_checkpoint_does_not_happen(pausing: EnvironmentChild) -> None:
    acknowledged = pausing.stdout.count("Deferred pause acknowledged")
    since = begin(pausing, "last_point", "the detector waits")
    pausing.control(DEFERRED)
    pausing.wait_for_output("Deferred pause acknowledged", times=acknowledged + 1)
    let_go(pausing)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_COMPLETED
    assert PAUSED not in [frame.run_engine.state for frame in pausing.frames[since:]]
    assert pausing.run("told").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_plan_is_paused_twice_in_a_row(pausing: EnvironmentChild) -> None:
    since = begin(pausing, "waiting", "the plan waits\n")
    pausing.control(PAUSE)
    pausing.wait_for_state(PAUSED, since=since)
    again = len(pausing.frames)
    pausing.control(RESUME)
    pausing.control(PAUSE)
    pausing.wait_for_state(env.RUN_ENGINE_STATE_RUNNING, since=again)
    pausing.wait_for_state(PAUSED, since=again)
    pausing.control(actions.RUN_ENGINE_ACTION_STOP)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_STOPPED


def test_only_the_first_answer_to_a_pause_counts(pausing: EnvironmentChild) -> None:
    since = begin(pausing, "waiting", "the plan waits\n")
    pausing.control(PAUSE)
    pausing.wait_for_state(PAUSED, since=since)
    again = len(pausing.frames)
    for _ in range(3):
        pausing.control(RESUME)
    pausing.wait_for_state(env.RUN_ENGINE_STATE_RUNNING, since=again)
    again = len(pausing.frames)
    pausing.control(PAUSE)
    pausing.wait_for_state(PAUSED, since=again)
    pausing.metadata()
    assert pausing.frames[-1].run_engine.state != env.RUN_ENGINE_STATE_RUNNING
    pausing.control(actions.RUN_ENGINE_ACTION_ABORT)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_ABORTED


def test_an_immediate_pause_overtakes_a_deferred_one(pausing: EnvironmentChild) -> None:
    since = begin(pausing, "waiting", "the plan waits\n")
    pausing.control(DEFERRED)
    pausing.control(PAUSE)
    pausing.wait_for_state(PAUSED, since=since)
    pausing.control(actions.RUN_ENGINE_ACTION_HALT)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_HALTED


@pytest.mark.parametrize("kind", [PAUSE, DEFERRED])
def test_a_pause_asked_for_while_the_plan_is_made_comes_at_its_beginning(
    pausing: EnvironmentChild, kind: "actions.RunEngineAction.ValueType"
) -> None:
    ends = pausing.count_printed("the plan has ended")
    since = begin(pausing, "slowly_made", "the plan is being made")
    pausing.control(kind)
    pausing.metadata()
    let_go(pausing)
    pausing.wait_for_state(PAUSED, since=since)
    assert pausing.count_printed("the plan has ended") == ends
    pausing.control(RESUME)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_plan_that_pauses_itself_is_resumed(pausing: EnvironmentChild) -> None:
    since = len(pausing.frames)
    pausing.submit("x", "pauses_itself")
    pausing.wait_for_state(PAUSED, since=since)
    pausing.control(RESUME)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_COMPLETED
    pausing.wait_for_output("went on after its own pause")


def test_a_plan_that_fails_after_resume_has_failed(pausing: EnvironmentChild) -> None:
    since = len(pausing.frames)
    pausing.submit("x", "fails_after_resume")
    pausing.wait_for_state(PAUSED, since=since)
    pausing.control(RESUME)
    result = pausing.result(since=since)
    assert (result.exit_status, result.failure_cause) == (pb.EXIT_STATUS_FAILED, pb.FAILURE_CAUSE_PLAN_ERROR)
    assert result.message == "Plan failed: nothing left to measure"
    assert "fails_after_resume" in result.traceback


def test_a_device_that_does_not_resume_fails_the_plan(pausing: EnvironmentChild) -> None:
    since = len(pausing.frames)
    pausing.submit("x", "holds_fragile")
    pausing.wait_for_state(PAUSED, since=since)
    pausing.control(RESUME)
    message = pausing.result(since=since).message
    assert message == "Plan failed: device 'fragile' refused to resume: the device does not resume"
    assert pausing.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_plan_that_has_sent_its_last_message_completes_although_a_pause_comes(pausing: EnvironmentChild) -> None:
    pauses = pausing.count_printed("Pausing...")
    assert pausing.run("paused_at_its_end").exit_status == pb.EXIT_STATUS_COMPLETED
    assert pausing.count_printed("Pausing...") > pauses
    assert pausing.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_plan_that_has_sent_its_last_message_completes_although_it_is_to_be_aborted(
    pausing: EnvironmentChild,
) -> None:
    since = begin(pausing, "blocking_at_its_end", "the plan blocks at its end")
    pausing.control(actions.RUN_ENGINE_ACTION_ABORT_NOW)
    # Its answer comes after the request was heard.
    pausing.metadata()
    let_go(pausing)
    assert pausing.result(since=since).exit_status == pb.EXIT_STATUS_COMPLETED
    assert pausing.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_plan_that_can_not_be_resumed_is_aborted_by_the_run_engine_and_says_so(pausing: EnvironmentChild) -> None:
    since = begin(pausing, "without_checkpoint", "without a checkpoint")
    pausing.control(PAUSE)
    result = pausing.result(since=since)
    assert result.exit_status == pb.EXIT_STATUS_ABORTED
    assert "it has no checkpoint" in result.message


def test_requests_without_a_plan_are_ignored(pausing: EnvironmentChild) -> None:
    for action in actions.RunEngineAction.values():
        pausing.control(action)
    assert pausing.run("quick").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_run_engine_that_a_pause_left_unusable_is_told() -> None:
    with environment_child("--startup-script", STARTUP) as child:
        child.ready()
        left = child.run("paused_while_tidying_up")
        refused = child.run("quick")
    assert left.exit_status == pb.EXIT_STATUS_FAILED
    assert "left the RunEngine pausing; destroy the environment" in left.message
    assert refused.failure_cause == pb.FAILURE_CAUSE_NOT_STARTED
