"""What the running plan waits for, in words and as dictionaries."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queueserver_client import AwaitedDevice, Environment, PlanWait, Question, Suspension

_SHOWN_DEVICES = 5


def waiting_words(environment: Environment, *, with_progress: bool = True) -> list[str]:
    """A line for each thing that the running plan waits for; none if it continues.

    How far devices are changes every second; lines that stay omit it.
    """
    words: list[str] = []
    if environment.question is not None:
        words.append(question_words(environment.question))
    words += [_suspension_words(suspension) for suspension in environment.suspensions]
    if environment.plan_wait is not None:
        words.append(_wait_words(environment.plan_wait, with_progress=with_progress))
    return words


def question_words(question: Question) -> str:
    """What the plan asks, and how to answer."""
    until = f" until {_clock(question.expire_time)}" if question.expire_time is not None else ""
    return f"the plan asks: {question.prompt!r} (answer{until}: qserver re answer TEXT)"


def waiting_dict(environment: Environment) -> dict[str, Any]:
    """The keys of the status that show what the running plan waits for."""
    return {
        "question": environment.question,
        "suspensions": list(environment.suspensions),
        "plan_wait": environment.plan_wait,
    }


def _suspension_words(suspension: Suspension) -> str:
    by = f" by {suspension.suspender}" if suspension.suspender else ""
    why = f": {suspension.justification}" if suspension.justification else ""
    before = " before it has begun" if suspension.before_plan else ""
    return f"the plan has been suspended{before} since {_clock(suspension.start_time)}{by}{why}"


def _wait_words(wait: PlanWait, *, with_progress: bool) -> str:
    since = _clock(wait.start_time)
    if wait.sleep is not None:
        return f"the plan has been sleeping since {since}, for {round(wait.sleep, 1):g} s in all"
    if not wait.devices:
        return f"the plan has been waiting since {since}"
    names = [_device_words(device) if with_progress else device.name for device in wait.devices[:_SHOWN_DEVICES]]
    more = len(wait.devices) - len(names) + wait.more_devices
    names += [f"{more} more"] if more else []
    return f"the plan has been waiting since {since} for {', '.join(names)}"


def _device_words(device: AwaitedDevice) -> str:
    place = f" at {device.current}" if device.current else ""
    place += f" of {device.target}" if device.target else ""
    place += f" {device.unit}" if place and device.unit else ""
    done = f" ({device.fraction_done:.0%})" if device.fraction_done is not None else ""
    return f"{device.name}{place}{done}"


def _clock(time: datetime) -> str:
    return f"{time.astimezone():%H:%M:%S}"
