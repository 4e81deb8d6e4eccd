"""The RunEngine that plans run on: found when the environment opens, replaced when a script says so.

Guarantees: a plan keeps the RunEngine on which it began; another one replaces it when the plan has ended. States
and documents are reported of the present one only. Removing `RE` from the namespace removes nothing here.
"""

import threading
from typing import Any

from queueserver_environment.hooks.interrupts import survive_interrupts
from queueserver_environment.messages.frames import FromEnvironment, RunEngineChanged
from queueserver_environment.plans.interruptions import Interruptions
from queueserver_environment.plans.run_engine import Send, WatchedRunEngine, run_engine_of


class RunEngineHolder:
    """Holds at most one RunEngine, and the control of its plans. Safe from every thread.

    Parameters
    ----------
    send
        Takes the frames.
    question_timeout
        Seconds until an unanswered question of a plan fails; None for ever.

    """

    def __init__(self, send: Send, question_timeout: float | None = None) -> None:
        self._send = send
        self._question_timeout = question_timeout
        self._changing = threading.Lock()
        self._watched: WatchedRunEngine | None = None
        self._control: Interruptions | None = None
        self._next: Any = None
        self._occupied = False

    @property
    def watched(self) -> WatchedRunEngine | None:
        """The RunEngine, watched."""
        return self._watched

    @property
    def control(self) -> Interruptions | None:
        """Where requests for the running plan go; None without a RunEngine."""
        return self._control

    @property
    def engine(self) -> Any:
        """The RunEngine itself, or None."""
        return self._watched.engine if self._watched is not None else None

    @property
    def metadata(self) -> Any:
        """The RunEngine's metadata, or None."""
        return self.engine.md if self.engine is not None else None

    def take_first(self, namespace: dict[str, Any]) -> None:
        """Take the RunEngine that the namespace has when the environment opens. The caller reports its state."""
        with self._changing:
            found = run_engine_of(namespace)
            if found is not None:
                self._install_engine(found)

    def adopt(self, namespace: dict[str, Any]) -> None:
        """Take the RunEngine that the namespace has, if it is another one: now, or when the plan has ended.

        Its state is reported once it is in place.
        """
        with self._changing:
            found = run_engine_of(namespace)
            if found is None:
                return
            self._next = found if found is not self.engine else None
            self._take_next()

    def plan_accepted(self, execution_id: str) -> None:
        """Keep the RunEngine, and take requests, for the next plan. Call it before the next request can come."""
        with self._changing:
            self._occupied = True
            if self._control is not None:
                self._control.plan_accepted(execution_id)

    def answer(self, question_id: str, text: str) -> None:
        """Pass on the answer to a question of a plan. Does not wait."""
        watched = self._watched
        if watched is not None:
            watched.waiting.answer(question_id, text)

    def plan_ended(self) -> None:
        """Let a waiting RunEngine take the place now, if there is one."""
        with self._changing:
            self._occupied = False
            if self._control is not None:
                self._control.plan_ended()
            if self._watched is not None:
                self._watched.waiting.plan_ended()
            self._take_next()

    def _take_next(self) -> None:
        if self._next is None or self._occupied:
            return
        if self._watched is not None and self._control is not None:
            self._control.retire()
            self._watched.release()
        watched = self._install_engine(self._next)
        self._next = None
        self._send(FromEnvironment(run_engine=RunEngineChanged(state=watched.state)))

    def _install_engine(self, engine: Any) -> WatchedRunEngine:
        watched = WatchedRunEngine(engine, self._send, self._question_timeout)
        watched.hooks.also(survive_interrupts)
        self._watched, self._control = watched, Interruptions(watched)
        return watched
