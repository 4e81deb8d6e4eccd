"""How far the devices are for which a plan waits: the reports of their statuses, combined now and then.

Guarantees: whatever a status does, the plan is not disturbed; news is passed on at most once a second. Statuses are
followed only when the wait has become long. They may report in any thread, and also after the wait.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from queueserver_environment.messages.waiting import AwaitedDevice
from queueserver_environment.waiting.texts import bounded_text, safely

MAX_TEXT: Final = 100
"""Characters of one text."""
MAX_TOLD: Final = 20
"""Devices that are reported at once."""
SECONDS_BETWEEN: Final = 1.0
"""Between two pieces of news."""


@dataclass
class AwaitedStatus:
    """A status for which a plan waits, and what it has reported."""

    status: Any
    #: Of the device; empty if only the status has it.
    name: str = ""
    #: What the device was told to do.
    action: str = ""
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether the device has arrived."""
        return safely(lambda: bool(self.status.done), otherwise=False)

    def message(self) -> AwaitedDevice:
        """Combine what is known."""
        told = dict(self.told)
        device = AwaitedDevice(
            name=self.name or bounded_text(lambda: told.get("name") or self.status.device.name, MAX_TEXT),
            action=self.action,
            current=_value_text(told.get("current")),
            initial=_value_text(told.get("initial")),
            target=_value_text(told.get("target")),
            unit=bounded_text(lambda: told.get("unit"), MAX_TEXT),
        )
        done = safely(lambda: _fraction(told), None)
        if done is not None:
            device.fraction_done = done
        return device


class Progress:
    """Listens to statuses until it is closed. Made and closed in the RunEngine's loop."""

    def __init__(
        self, awaited: Sequence[AwaitedStatus], loop: asyncio.AbstractEventLoop, tell: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._tell = tell
        self._noting = threading.Lock()
        self._due = False
        self._closed = False
        self._next_time = loop.time() + SECONDS_BETWEEN
        for each in awaited[:MAX_TOLD]:
            if not each.is_done:
                safely(partial(self._listen, each), None)

    def close(self) -> None:
        """Report nothing any more. The statuses can't be made to stop."""
        self._closed = True

    def _listen(self, awaited: AwaitedStatus) -> None:
        watch = getattr(awaited.status, "watch", None)
        if watch is not None:
            watch(partial(self._note, awaited))
        awaited.status.add_callback(lambda *_: self._news())

    def _note(self, awaited: AwaitedStatus, *_: Any, **told: Any) -> None:
        if not self._closed:
            awaited.told = {**awaited.told, **told}
            self._news()

    def _news(self) -> None:
        with self._noting:
            if self._due or self._closed:
                return
            self._due = True
        safely(lambda: self._loop.call_soon_threadsafe(self._schedule), None)

    def _schedule(self) -> None:
        self._loop.call_later(max(0.0, self._next_time - self._loop.time()), self._pass_on)

    def _pass_on(self) -> None:
        with self._noting:
            self._due = False
        if not self._closed:
            self._next_time = self._loop.time() + SECONDS_BETWEEN
            self._tell()


def _value_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return bounded_text(lambda: value, MAX_TEXT)


def _fraction(told: dict[str, Any]) -> float | None:
    """Compute it: of the fraction that statuses report, ophyd says how much is left and others how much is done."""
    current, initial, target = (float(told[key]) for key in ("current", "initial", "target"))
    distance = target - initial
    return min(1.0, max(0.0, (current - initial) / distance)) if distance else None
