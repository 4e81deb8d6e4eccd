"""What a plan waits for, between the contract and the domain."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import environment_pb2, waiting_pb2

from queueserver_manager.domain.lifecycle import Environment
from queueserver_manager.domain.waiting import AwaitedDevice, PlanWait, Question, Suspension
from queueserver_manager.wire.items import set_time

_TEXTS_OF_SUSPENSION = ("suspender", "signal", "device", "justification")
_TEXTS_OF_DEVICE = ("name", "action", "current", "initial", "target", "unit")


def question_from_proto(message: environment_pb2.EnvironmentStatus) -> Question | None:
    """What the plan asks, if anything."""
    if not message.HasField("question"):
        return None
    asked = message.question
    return Question(
        question_id=asked.question_id,
        prompt=asked.prompt,
        asked=_seconds(asked.ask_time),
        expires=_seconds(asked.expire_time) if asked.HasField("expire_time") else None,
        item_uid=asked.item_uid,
    )


def suspensions_from_proto(message: environment_pb2.EnvironmentStatus) -> tuple[Suspension, ...]:
    """What suspends the plan."""
    return tuple(
        Suspension(
            begun=_seconds(told.start_time),
            resume_delay=_duration(told.resume_delay) if told.HasField("resume_delay") else None,
            before_plan=told.before_plan,
            **{name: getattr(told, name) for name in _TEXTS_OF_SUSPENSION},
        )
        for told in message.suspensions
    )


def plan_wait_from_proto(message: environment_pb2.EnvironmentStatus) -> PlanWait | None:
    """What the plan has waited for, for a long time, if for anything."""
    if not message.HasField("plan_wait"):
        return None
    told = message.plan_wait
    return PlanWait(
        begun=_seconds(told.start_time),
        devices=tuple(
            AwaitedDevice(
                **{name: getattr(device, name) for name in _TEXTS_OF_DEVICE},
                fraction_done=device.fraction_done if device.HasField("fraction_done") else None,
            )
            for device in told.devices
        ),
        more_devices=told.more_device_count,
        sleep=_duration(told.sleep) if told.HasField("sleep") else None,
    )


def fill_waiting(message: environment_pb2.EnvironmentStatus, environment: Environment) -> None:
    """Put what the plan waits for into the message of its environment."""
    if environment.question is not None:
        _fill_question(message.question, environment.question)
    for suspension in environment.suspensions:
        told = message.suspensions.add(before_plan=suspension.before_plan)
        set_time(told.start_time, suspension.begun)
        for name in _TEXTS_OF_SUSPENSION:
            setattr(told, name, getattr(suspension, name))
        if suspension.resume_delay is not None:
            told.resume_delay.FromNanoseconds(round(suspension.resume_delay * 1e9))
    if environment.plan_wait is not None:
        _fill_plan_wait(message.plan_wait, environment.plan_wait)


def _fill_question(message: waiting_pb2.Question, question: Question) -> None:
    message.question_id, message.prompt, message.item_uid = question.question_id, question.prompt, question.item_uid
    set_time(message.ask_time, question.asked)
    if question.expires is not None:
        set_time(message.expire_time, question.expires)


def _fill_plan_wait(message: waiting_pb2.PlanWait, wait: PlanWait) -> None:
    set_time(message.start_time, wait.begun)
    message.more_device_count = wait.more_devices
    for device in wait.devices:
        message.devices.add(
            **{name: getattr(device, name) for name in _TEXTS_OF_DEVICE}, fraction_done=device.fraction_done
        )
    if wait.sleep is not None:
        message.sleep.FromNanoseconds(round(wait.sleep * 1e9))


def _seconds(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9


def _duration(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9
