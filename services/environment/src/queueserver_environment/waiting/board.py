"""What the RunEngine waits for at this moment, as it is reported to the supervisor.

Guarantees: reports are complete. Questions are reported and withdrawn at once, so that after a reported pause there is
no question any more; the rest is reported with the first change, and later ones together, at most four times a second.
The last report is the present state. Safe from every thread.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from queueserver_environment.messages.frames import FromEnvironment
from queueserver_environment.messages.waiting import PlanWait, Question, RunEngineWaits, Suspension

SECONDS_BETWEEN: Final = 0.25
"""Between two messages to the supervisor."""


class WaitingBoard:
    """Reports what one RunEngine waits for.

    Parameters
    ----------
    loop
        The RunEngine's event loop.
    send
        Takes the frames.

    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[FromEnvironment], None]) -> None:
        self._loop = loop
        self._send = send
        #: Also while a message is sent, so that none overtakes another.
        self._changing = threading.Lock()
        self._waits = RunEngineWaits()
        self._told = RunEngineWaits()
        self._next_time = 0.0
        self._due = False

    def set_question(self, question: Question | None) -> None:
        """Report what is asked; None if nothing is."""
        with self._changing:
            self._waits.question = question
            self._tell()

    def set_suspensions(self, suspensions: Sequence[Suspension]) -> None:
        """Report what suspends the plan."""
        with self._changing:
            self._waits.suspensions = list(suspensions)
            self._tell_soon()

    def set_plan_wait(self, wait: PlanWait | None) -> None:
        """Report what the plan has waited for, for a long time; None if for nothing."""
        with self._changing:
            self._waits.plan_wait = wait
            self._tell_soon()

    def clear(self) -> None:
        """It waits for nothing."""
        with self._changing:
            self._waits = RunEngineWaits()
            self._tell()

    def silence(self) -> None:
        """Report nothing any more."""
        with self._changing:
            self._send = _say_nothing

    def _tell_soon(self) -> None:
        if not self._due and self._waits != self._told:
            self._due = True
            # Also from the loop's own thread: changes in one iteration are reported together.
            self._loop.call_soon_threadsafe(self._schedule)

    def _schedule(self) -> None:
        self._loop.call_later(max(0.0, self._next_time - self._loop.time()), self._tell_what_is_due)

    def _tell_what_is_due(self) -> None:
        with self._changing:
            self._due = False
            self._tell()

    def _tell(self) -> None:
        if self._waits != self._told:
            self._next_time = self._loop.time() + SECONDS_BETWEEN
            self._told = replace(self._waits)
            self._send(FromEnvironment(waits=self._told))


def _say_nothing(_: FromEnvironment) -> None:
    """Discard a frame of a RunEngine that is watched no longer."""
