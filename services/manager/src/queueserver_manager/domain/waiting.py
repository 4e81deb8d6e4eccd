"""What a plan that is being executed waits for: a person's answer, a suspender, a device.

Times are seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the running plan asks a person."""

    question_id: str
    prompt: str
    asked: float
    #: When the plan fails unless it has an answer; None for never.
    expires: float | None = None
    item_uid: str = ""


@dataclass(frozen=True, slots=True)
class Suspension:
    """Something that suspends the running plan; texts are empty where nothing is known."""

    begun: float
    suspender: str = ""
    signal: str = ""
    device: str = ""
    justification: str = ""
    #: Seconds that the suspender waits after its signal is good again.
    resume_delay: float | None = None
    #: The plan has not begun yet.
    before_plan: bool = False


@dataclass(frozen=True, slots=True)
class AwaitedDevice:
    """A device that the plan waits for."""

    name: str
    action: str = ""
    current: str = ""
    initial: str = ""
    target: str = ""
    unit: str = ""
    #: From 0 to 1.
    fraction_done: float | None = None


@dataclass(frozen=True, slots=True)
class PlanWait:
    """A long wait of the running plan: for devices, for a time, or (neither) for something else."""

    begun: float
    devices: tuple[AwaitedDevice, ...] = ()
    more_devices: int = 0
    #: Seconds that it sleeps.
    sleep: float | None = None
