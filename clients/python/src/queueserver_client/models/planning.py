"""Findings about items before they are executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_client.models.item_warnings import ItemWarning, item_warnings
from queueserver_client.models.items import violations
from queueserver_client.models.wire_enum import name_of_reason
from queueserver_client.violations import Violation, told_once

if TYPE_CHECKING:
    from queueserver.common.v1 import simulation_pb2
    from queueserver.manager.v1 import planning_service_pb2


@dataclass(frozen=True)
class ItemVerdict:
    """Whether an item would be accepted."""

    valid: bool
    #: Otherwise the reason with which adding it would be refused, for example "ITEM_INVALID".
    reason: str = ""
    #: Otherwise one sentence that names the way out.
    message: str = ""
    #: Otherwise the wrong fields.
    violations: Sequence[Violation] = ()
    #: Message and violations are empty because too many items were wrong: validate this one with fewer others.
    details_left_out: bool = False
    #: If it is valid: texts in it that are probably mistakes.
    warnings: Sequence[ItemWarning] = ()

    def __str__(self) -> str:
        return told_once(self.message, self.violations)

    @classmethod
    def from_proto(cls, proto: planning_service_pb2.ItemVerdict) -> ItemVerdict:
        """Read the message of the contract."""
        found = violations(proto.field_violations)
        odd = item_warnings(proto.warnings)
        return cls(proto.valid, name_of_reason(proto.reason), proto.message, found, proto.details_left_out, odd)


@dataclass(frozen=True)
class SimulatedMotion:
    """What one device would do."""

    device: str
    #: How often it would be set.
    moves: int
    #: Lowest and highest target; None if a target is not a number.
    lowest: float | None
    highest: float | None
    #: First and last target, as text.
    first: str
    last: str

    @classmethod
    def from_proto(cls, proto: simulation_pb2.SimulatedMotion) -> SimulatedMotion:
        """Read the message of the contract."""
        lowest = proto.lowest if proto.HasField("lowest") else None
        highest = proto.highest if proto.HasField("highest") else None
        return cls(proto.device, proto.move_count, lowest, highest, proto.first, proto.last)


@dataclass(frozen=True)
class SimulationProblem:
    """Something that would fail."""

    message: str
    #: Name of the device that it is about; empty if none.
    device: str = ""
    #: Number of the message at which it was found, from 1.
    at_message: int = 0


@dataclass(frozen=True)
class Simulation:
    """What a plan would do. Nothing moved to find it out."""

    #: For people: one line for each run, move and trigger, with repetitions counted.
    text: str
    #: What would move, by order of first move.
    motions: Sequence[SimulatedMotion]
    #: Empty if all is well.
    problems: Sequence[SimulationProblem]
    runs: int
    #: Events that it would emit.
    points: int
    messages: int
    #: Names of the devices that it would read.
    devices_read: Sequence[str]
    #: Seconds that it would take at least; None if that is not known.
    duration: float | None
    #: It was cut: this shows the beginning only.
    truncated: bool
    #: Texts in the item that are probably mistakes.
    warnings: Sequence[ItemWarning] = ()

    @classmethod
    def from_proto(cls, proto: simulation_pb2.Simulation, warnings: Sequence[ItemWarning] = ()) -> Simulation:
        """Read the message of the contract."""
        return cls(
            text=proto.text,
            motions=tuple(SimulatedMotion.from_proto(motion) for motion in proto.motions),
            problems=tuple(SimulationProblem(one.message, one.device, one.at_message) for one in proto.problems),
            runs=proto.run_count,
            points=proto.point_count,
            messages=proto.message_count,
            devices_read=tuple(proto.devices_read),
            duration=proto.duration.ToTimedelta().total_seconds() if proto.HasField("duration") else None,
            truncated=proto.truncated,
            warnings=warnings,
        )
