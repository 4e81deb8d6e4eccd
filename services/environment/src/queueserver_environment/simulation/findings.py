"""What a simulation has found so far, as text and as data.

Guarantees: lists are bounded, whatever a plan does; counts are not cut. One thread notes, another may ask for the
result at any moment.
"""

import threading
from typing import Any, Final

from queueserver_environment.clock import nanoseconds
from queueserver_environment.messages.simulation import SimulatedMotion, Simulation, SimulationProblem
from queueserver_environment.plans.failures import shorten
from queueserver_environment.simulation.devices import to_number
from queueserver_environment.simulation.summary import Line, Summary
from queueserver_environment.waiting.texts import MOST_SECONDS

MAX_MOTIONS: Final = 1_000
MAX_READ: Final = 1_000
MAX_PROBLEMS: Final = 100
MAX_OF_DEVICE: Final = 5
"""Problems that are reported for one device."""
MAX_TEXT: Final = 100_000
_NAME: Final = 200
_TARGET: Final = 100
_MESSAGE: Final = 2_000


class Findings:
    """What was found."""

    def __init__(self) -> None:
        self._noting = threading.Lock()
        self._closed = False
        self._summary = Summary()
        self._motions: dict[str, SimulatedMotion] = {}
        self._read: dict[str, None] = {}
        self._problems: list[SimulationProblem] = []
        self._problems_of: dict[str, int] = {}
        self._counts = {"message": 0, "run": 0, "point": 0}
        self._duration: float | None = None

    @property
    def closed(self) -> bool:
        """Whether notes are closed."""
        return self._closed

    @property
    def messages(self) -> int:
        """How many messages were noted."""
        return self._counts["message"]

    def count(self, what: str) -> int:
        """Count a message, a run or a point; returns how many there are."""
        with self._noting:
            self._counts[what] += not self._closed
            return self._counts[what]

    def line(self, text: str) -> None:
        """Note something that happens."""
        with self._noting:
            if not self._closed:
                self._summary.add(Line(shorten(text, _TARGET + _NAME)))

    def move(self, device: str, target: Any) -> None:
        """Note that a device is set."""
        name, text, number = shorten(device, _NAME), _target_text(target), to_number(target)
        with self._noting:
            if self._closed:
                return
            self._summary.add(Line(f"move {name}", text, text, number, number))
            motion = self._motions.get(name)
            if motion is None and len(self._motions) >= MAX_MOTIONS:
                return
            if motion is None:
                motion = self._motions[name] = SimulatedMotion(device=name, first=text, lowest=number, highest=number)
            elif number is None or motion.lowest is None or motion.highest is None:
                motion.lowest = motion.highest = None
            else:
                motion.lowest, motion.highest = min(motion.lowest, number), max(motion.highest, number)
            motion.move_count += 1
            motion.last = text

    def read(self, device: str) -> None:
        """Note that a device is read."""
        with self._noting:
            if not self._closed and len(self._read) < MAX_READ:
                self._read.setdefault(shorten(device, _NAME))

    def problem(self, message: str, device: str = "") -> None:
        """Note something that would fail at the present message."""
        with self._noting:
            times = self._problems_of[device] = self._problems_of.get(device, 0) + 1
            if self._closed or len(self._problems) >= MAX_PROBLEMS or (device and times > MAX_OF_DEVICE):
                return
            self._problems.append(
                SimulationProblem(
                    message=shorten(message, _MESSAGE), device=shorten(device, _NAME), at_message=self.messages
                )
            )

    def sleep(self, seconds: float) -> None:
        """Note that the plan sleeps."""
        text = f"{seconds:.3g}"
        with self._noting:
            if not self._closed:
                self._summary.add(Line("sleep", text, text, form="{what} {targets} s"))
                self._duration = (self._duration or 0.0) + seconds

    def take_time(self, seconds: float) -> None:
        """Note that something takes so long."""
        with self._noting:
            if not self._closed:
                self._duration = (self._duration or 0.0) + seconds

    def result(self, *, truncated: bool) -> Simulation:
        """Close, and return everything that was found until now."""
        with self._noting:
            self._closed = True
            return Simulation(
                text=shorten(self._summary.text(), MAX_TEXT),
                motions=list(self._motions.values()),
                problems=self._problems,
                devices_read=list(self._read),
                truncated=truncated,
                duration=None if self._duration is None else nanoseconds(min(self._duration, MOST_SECONDS)),
                run_count=self._counts["run"],
                point_count=self._counts["point"],
                message_count=self._counts["message"],
            )


def _target_text(target: Any) -> str:
    number = to_number(target)
    if number is not None:
        return f"{number:.6g}"
    try:
        return shorten(str(target), _TARGET)
    except Exception:  # noqa: BLE001 - protects the simulation from a broken __str__ in user code
        return f"<{type(target).__name__}>"
