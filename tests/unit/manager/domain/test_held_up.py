"""What holds up a running plan, as sentences and on the wire."""

from __future__ import annotations

import pytest
from queueserver.common.v1 import environment_pb2
from queueserver_manager.domain.held_up import question_sentence, suspension_sentence, wait_sentence
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState, RunEngineState
from queueserver_manager.domain.waiting import AwaitedDevice, PlanWait, Question, Suspension
from queueserver_manager.rpc.status_message import environment_to_proto
from queueserver_manager.worker_client.convert import environment_from_proto

BEGUN = 1_000_000_000.0
SINCE = "2001-09-09 01:46:40 UTC"
SUSPENSIONS = [
    (
        Suspension(BEGUN),
        f"The running plan has been suspended since {SINCE}; it continues by itself when the suspender releases it.",
    ),
    (
        Suspension(BEGUN, "SuspendFloor", "current", "ring", "Signal current = 5 fell below 10.", 30.0),
        (
            f"The running plan has been suspended since {SINCE} by SuspendFloor watching the signal current of ring "
            "(Signal current = 5 fell below 10); it continues by itself 30 seconds after the signal is good again."
        ),
    ),
    (
        Suspension(BEGUN, "SuspendBoolLow", "shutter", before_plan=True, resume_delay=0.0),
        (
            f"The running plan has not begun: it has been suspended since {SINCE} by SuspendBoolLow watching the "
            "signal shutter; it continues by itself when the signal is good again."
        ),
    ),
]
WAITS = [
    (PlanWait(BEGUN), f"The running plan has been waiting since {SINCE} for something that is not a device."),
    (PlanWait(BEGUN, sleep=2.5), f"The running plan has been sleeping since {SINCE}, for 2.5 seconds in all."),
    (
        PlanWait(BEGUN, (AwaitedDevice("motor", "set", "1", "0", "4", "mm", 0.25), AwaitedDevice("det")), 3),
        f"The running plan has been waiting since {SINCE} for motor (set, at 1 mm, to 4 mm, 25% done), det, 3 more.",
    ),
    (PlanWait(BEGUN, sleep=7.96698), f"The running plan has been sleeping since {SINCE}, for 8 seconds in all."),
]


@pytest.mark.parametrize(("suspension", "sentence"), SUSPENSIONS)
def test_a_suspension_is_a_sentence_with_all_that_is_known(suspension: Suspension, sentence: str) -> None:
    assert suspension_sentence(suspension) == sentence


@pytest.mark.parametrize(("wait", "sentence"), WAITS)
def test_a_wait_is_a_sentence_with_all_that_is_known(wait: PlanWait, sentence: str) -> None:
    assert wait_sentence(wait) == sentence


def test_a_question_is_shown_with_its_limit_and_not_longer_than_a_sentence_may_be() -> None:
    assert question_sentence(Question("q", "Ready?", BEGUN, BEGUN + 60)) == (
        f"The running plan has been waiting for an answer since {SINCE}: 'Ready?' (it fails if there is none until "
        "2001-09-09 01:47:40 UTC)."
    )
    assert len(question_sentence(Question("q", "x" * 2000, BEGUN))) < 500


def test_everything_that_a_plan_waits_for_reaches_clients_as_the_worker_told_it() -> None:
    environment = Environment(
        "environment",
        EnvironmentState.EXECUTING_PLAN,
        RunEngineState.RUNNING,
        question=Question("q", "Ready?", BEGUN, BEGUN + 1, "item"),
        suspensions=tuple(suspension for suspension, _ in SUSPENSIONS),
        plan_wait=WAITS[2][0],
    )
    assert environment_from_proto(environment_to_proto(environment)) == environment
    bare = Environment("environment", plan_wait=WAITS[1][0])
    assert environment_from_proto(environment_to_proto(bare)) == bare
    assert not environment_to_proto(Environment()).HasField("question")
    assert environment_from_proto(environment_pb2.EnvironmentStatus()).suspensions == ()
