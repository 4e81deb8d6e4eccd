"""Simulations and what they found."""

from dataclasses import dataclass, field

from queueserver_environment.messages.items import Item, SubmitterAccess


@dataclass(slots=True)
class SimulatePlanRequest:
    """What to simulate."""

    item: Item | None = None
    access: SubmitterAccess | None = None
    message_limit: int = 0


@dataclass(slots=True)
class SimulatedMotion:
    """Where a device would be set."""

    device: str = ""
    move_count: int = 0
    lowest: float | None = None
    highest: float | None = None
    first: str = ""
    last: str = ""


@dataclass(slots=True)
class SimulationProblem:
    """Something that would fail."""

    message: str = ""
    device: str = ""
    at_message: int = 0


@dataclass(slots=True)
class Simulation:
    """What a plan would do."""

    text: str = ""
    motions: list[SimulatedMotion] = field(default_factory=list)
    problems: list[SimulationProblem] = field(default_factory=list)
    run_count: int = 0
    point_count: int = 0
    message_count: int = 0
    devices_read: list[str] = field(default_factory=list)
    duration: int | None = None
    truncated: bool = False
