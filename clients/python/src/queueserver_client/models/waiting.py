"""What the running plan waits for: a person's answer, a suspender, a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from queueserver_client.models.wire_enum import to_datetime

if TYPE_CHECKING:
    from queueserver.common.v1 import waiting_pb2


@dataclass(frozen=True)
class Question:
    """A question that the running plan asks a person; ``client.run_engine.answer`` answers it."""

    #: A UUID, a new one each time the plan asks.
    question_id: str
    #: What it asks, as the plan wrote it; may be empty.
    prompt: str
    ask_time: datetime
    #: When the plan fails unless it has an answer; None if the question waits for ever.
    expire_time: datetime | None = None
    #: uid of the item whose plan asks; empty if it was not started by the queue.
    item_uid: str = ""

    @classmethod
    def from_proto(cls, proto: waiting_pb2.Question) -> Question:
        """Read the message of the contract."""
        return cls(
            question_id=proto.question_id,
            prompt=proto.prompt,
            ask_time=to_datetime(proto.ask_time),
            expire_time=to_datetime(proto.expire_time) if proto.HasField("expire_time") else None,
            item_uid=proto.item_uid,
        )


@dataclass(frozen=True)
class Suspension:
    """Something that suspends the running plan, for example because the beam is gone. The plan continues by itself."""

    #: Class name of the suspender, for example "SuspendBoolLow"; empty if there is none.
    suspender: str
    #: Name of the signal that it watches, and of the device that the signal belongs to; empty without one.
    signal: str
    device: str
    #: Why, in the suspender's own words.
    justification: str
    #: Since when it holds the plan.
    start_time: datetime
    #: Seconds that the suspender waits after its signal is good again; None if that is not known.
    resume_delay: float | None = None
    #: It was tripped before the plan began, so that the plan has not begun yet.
    before_plan: bool = False

    @classmethod
    def from_proto(cls, proto: waiting_pb2.Suspension) -> Suspension:
        """Read the message of the contract."""
        return cls(
            suspender=proto.suspender,
            signal=proto.signal,
            device=proto.device,
            justification=proto.justification,
            start_time=to_datetime(proto.start_time),
            resume_delay=proto.resume_delay.ToTimedelta().total_seconds() if proto.HasField("resume_delay") else None,
            before_plan=proto.before_plan,
        )


@dataclass(frozen=True)
class AwaitedDevice:
    """A device that the running plan waits for. What the device does not report is empty or None."""

    name: str
    #: What it was told to do, for example "set" or "trigger".
    action: str = ""
    #: Where it is, where it was when it began, and where it goes, in its unit.
    current: str = ""
    initial: str = ""
    target: str = ""
    unit: str = ""
    #: How much of it is done, from 0 to 1.
    fraction_done: float | None = None

    @classmethod
    def from_proto(cls, proto: waiting_pb2.AwaitedDevice) -> AwaitedDevice:
        """Read the message of the contract."""
        return cls(
            name=proto.name,
            action=proto.action,
            current=proto.current,
            initial=proto.initial,
            target=proto.target,
            unit=proto.unit,
            fraction_done=proto.fraction_done if proto.HasField("fraction_done") else None,
        )


@dataclass(frozen=True)
class PlanWait:
    """What the running plan has waited for, for two seconds or longer: devices, or a time that it sleeps."""

    start_time: datetime
    #: The devices that have not arrived, at most 20; none if it sleeps or waits for something other than a device.
    devices: Sequence[AwaitedDevice] = ()
    #: How many more there are.
    more_devices: int = 0
    #: Seconds that it sleeps; None if it does not.
    sleep: float | None = None

    @classmethod
    def from_proto(cls, proto: waiting_pb2.PlanWait) -> PlanWait:
        """Read the message of the contract."""
        return cls(
            start_time=to_datetime(proto.start_time),
            devices=tuple(AwaitedDevice.from_proto(device) for device in proto.devices),
            more_devices=proto.more_device_count,
            sleep=proto.sleep.ToTimedelta().total_seconds() if proto.HasField("sleep") else None,
        )
