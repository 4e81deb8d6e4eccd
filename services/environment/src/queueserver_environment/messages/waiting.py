"""What the running plan waits for."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Question:
    """A question that a plan asks a person."""

    question_id: str = ""
    prompt: str = ""
    ask_time: int | None = None
    expire_time: int | None = None
    item_uid: str = ""


@dataclass(slots=True)
class Suspension:
    """A suspender that holds a plan."""

    suspender: str = ""
    signal: str = ""
    device: str = ""
    justification: str = ""
    start_time: int | None = None
    resume_delay: int | None = None
    before_plan: bool = False


@dataclass(slots=True)
class AwaitedDevice:
    """A device for which a plan waits."""

    name: str = ""
    action: str = ""
    current: str = ""
    initial: str = ""
    target: str = ""
    unit: str = ""
    fraction_done: float | None = None


@dataclass(slots=True)
class PlanWait:
    """A long wait of a plan."""

    start_time: int | None = None
    devices: list[AwaitedDevice] = field(default_factory=list)
    more_device_count: int = 0
    sleep: int | None = None


@dataclass(slots=True)
class RunEngineWaits:
    """Everything that the RunEngine waits for."""

    question: Question | None = None
    suspensions: list[Suspension] = field(default_factory=list)
    plan_wait: PlanWait | None = None
