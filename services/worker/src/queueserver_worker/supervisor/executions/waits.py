"""What the running plan waits for, as it is published, and which question may be answered.

Guarantees: the environment's reports are bounded before they are passed on; an answered question is not published any
more, and is answered once. Changes of the view are published by the caller.
"""

from __future__ import annotations

from queueserver.common.v1.environment_pb2 import EnvironmentStatus as View
from queueserver.common.v1.waiting_pb2 import AwaitedDevice, PlanWait, Question, Suspension
from queueserver.worker.v1.environment_channel_pb2 import RunEngineWaits

from queueserver_worker.supervisor.errors import QuestionNotFoundError

MAX_PROMPT = 2_000
MAX_SUSPENSIONS = 20
MAX_SUSPENSION_TEXT = 500
MAX_DEVICES = 20
MAX_DEVICE_TEXT = 100
_MAX_ID = 100


class Waits:
    """The waits in the published view. Its methods are called in the loop."""

    def __init__(self, view: View) -> None:
        self._view = view
        #: The question that was answered last, and the answer.
        self._answered = ("", "")

    def update(self, waits: RunEngineWaits, item_uid: str) -> bool:
        """The environment reported what the plan waits for; returns whether that is news."""
        view = self._view
        before = RunEngineWaits(suspensions=view.suspensions)
        if view.HasField("question"):
            before.question.CopyFrom(view.question)
        if view.HasField("plan_wait"):
            before.plan_wait.CopyFrom(view.plan_wait)
        bounded = _bounded(waits, item_uid)
        if bounded.question.question_id == self._answered[0]:
            bounded.ClearField("question")
        if bounded == before:
            return False
        self._clear_view()
        view.suspensions.extend(bounded.suspensions)
        if bounded.HasField("question"):
            view.question.CopyFrom(bounded.question)
        if bounded.HasField("plan_wait"):
            view.plan_wait.CopyFrom(bounded.plan_wait)
        return True

    def accept_answer(self, question_id: str, text: str) -> str:
        """Accept the answer to a question, whichever is asked if the id is empty.

        Returns the id of the question, or an empty text if just this answer was accepted before. Raises
        QuestionNotFoundError.
        """
        asked = self._view.question.question_id
        if not asked or question_id not in ("", asked):
            if question_id and (question_id, text) == self._answered:
                return ""
            raise QuestionNotFoundError(asked)
        self._answered = (asked, text)
        self._view.ClearField("question")
        return asked

    def clear(self) -> None:
        """Nothing is waited for any more: the plan has ended."""
        self._clear_view()

    def _clear_view(self) -> None:
        for name in ("question", "suspensions", "plan_wait"):
            self._view.ClearField(name)


def _bounded(waits: RunEngineWaits, item_uid: str) -> RunEngineWaits:
    bounded = RunEngineWaits(suspensions=[_suspension(each) for each in waits.suspensions[:MAX_SUSPENSIONS]])
    if waits.question.question_id:
        bounded.question.CopyFrom(_question(waits.question, item_uid))
    if waits.HasField("plan_wait"):
        bounded.plan_wait.CopyFrom(_plan_wait(waits.plan_wait))
    return bounded


def _question(reported: Question, item_uid: str) -> Question:
    question = Question(
        question_id=reported.question_id[:_MAX_ID], prompt=reported.prompt[:MAX_PROMPT], item_uid=item_uid
    )
    question.ask_time.CopyFrom(reported.ask_time)
    if reported.HasField("expire_time"):
        question.expire_time.CopyFrom(reported.expire_time)
    return question


def _suspension(reported: Suspension) -> Suspension:
    suspension = Suspension(before_plan=reported.before_plan, start_time=reported.start_time)
    for name in ("suspender", "signal", "device", "justification"):
        setattr(suspension, name, getattr(reported, name)[:MAX_SUSPENSION_TEXT])
    if reported.HasField("resume_delay"):
        suspension.resume_delay.CopyFrom(reported.resume_delay)
    return suspension


def _plan_wait(reported: PlanWait) -> PlanWait:
    wait = PlanWait(start_time=reported.start_time, devices=[_device(each) for each in reported.devices[:MAX_DEVICES]])
    wait.more_device_count = reported.more_device_count
    if reported.HasField("sleep"):
        wait.sleep.CopyFrom(reported.sleep)
    return wait


def _device(reported: AwaitedDevice) -> AwaitedDevice:
    device = AwaitedDevice()
    for name in ("name", "action", "current", "initial", "target", "unit"):
        setattr(device, name, getattr(reported, name)[:MAX_DEVICE_TEXT])
    if reported.HasField("fraction_done"):
        device.fraction_done = reported.fraction_done
    return device
