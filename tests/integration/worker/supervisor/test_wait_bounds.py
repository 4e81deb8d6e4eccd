"""What the supervisor tells of what a plan waits for, and which answers it accepts."""

from __future__ import annotations

import pytest
from queueserver.common.v1.environment_pb2 import EnvironmentStatus as View
from queueserver.common.v1.waiting_pb2 import AwaitedDevice, PlanWait, Question, Suspension
from queueserver.worker.v1.environment_channel_pb2 import RunEngineWaits
from queueserver_worker.supervisor.errors import QuestionNotFoundError
from queueserver_worker.supervisor.executions.waits import Waits


def asking(question_id: str) -> RunEngineWaits:
    return RunEngineWaits(question=Question(question_id=question_id, prompt="?"))


def test_what_the_environment_tells_is_bounded() -> None:
    view = View()
    long = "x" * 100_000
    told = RunEngineWaits(
        question=Question(question_id=long, prompt=long, item_uid=long),
        suspensions=[Suspension(suspender=long, signal=long, device=long, justification=long)] * 1_000,
        plan_wait=PlanWait(devices=[AwaitedDevice(name=long, action=long, current=long, target=long)] * 1_000),
    )
    assert Waits(view).update(told, "item")
    assert view.ByteSize() < 100_000
    assert view.question.item_uid == "item"
    assert (len(view.suspensions), len(view.plan_wait.devices)) == (20, 20)


def test_what_is_told_again_is_no_news() -> None:
    waits = Waits(View())
    assert not waits.update(RunEngineWaits(), "")
    assert waits.update(asking("a"), "item")
    assert not waits.update(asking("a"), "item")
    assert waits.update(RunEngineWaits(), "item")


def test_an_answer_is_for_its_question_and_given_once() -> None:
    view = View()
    waits = Waits(view)
    waits.update(asking("a"), "item")
    with pytest.raises(QuestionNotFoundError) as other:
        waits.accept_answer("b", "yes")
    assert other.value.question_id == "a"
    assert waits.accept_answer("a", "yes") == "a"
    assert not view.HasField("question")
    assert waits.accept_answer("a", "yes") == ""
    for question_id, text in (("a", "no"), ("", "yes")):
        with pytest.raises(QuestionNotFoundError) as none:
            waits.accept_answer(question_id, text)
        assert none.value.question_id == ""
    # The environment tells of it once more, because it has not heard the answer yet.
    assert not waits.update(asking("a"), "item")
    assert waits.update(asking("c"), "item")
    assert waits.accept_answer("", "yes") == "c"


def test_a_plan_that_has_ended_waits_for_nothing() -> None:
    view = View()
    waits = Waits(view)
    waits.update(
        RunEngineWaits(question=asking("a").question, suspensions=[Suspension()], plan_wait=PlanWait()), "item"
    )
    waits.clear()
    assert view == View()
