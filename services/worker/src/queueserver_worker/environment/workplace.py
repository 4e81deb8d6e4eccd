"""Everything that takes commands once the startup code is loaded, put together around its namespace.

Imported when the startup code has run, because what it needs takes time to import, and signs of life come before.
"""

import queue
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from queueserver.worker.v1.environment_channel_pb2 import EnvironmentReady, ToEnvironment

from queueserver_worker.environment.engine_seat import EngineSeat
from queueserver_worker.environment.execution import PlanExecutor
from queueserver_worker.environment.kept_list import KeptList
from queueserver_worker.environment.metadata import MetadataReader
from queueserver_worker.environment.offer import Offer
from queueserver_worker.environment.run_engine import Send
from queueserver_worker.environment.simulation.simulator import Simulator
from queueserver_worker.environment.tasks.runner import TaskRunner
from queueserver_worker.environment.tasks.scripts import ScriptRunner

Work: TypeAlias = "queue.SimpleQueue[Callable[[], None] | None]"
"""What the main thread has to do, in order; None ends it."""


class Workplace:
    """Takes commands for one namespace.

    Parameters
    ----------
    namespace
        The namespace of the startup code.
    folder
        Where modules of the startup code lie; None if it has no folder.
    work
        Takes what the main thread has to do.
    send
        Takes the frames.
    flush
        Brings everything printed so far on its way.
    kept
        The file that lists plans and devices.
    question_timeout
        Seconds until a question of a plan that has no answer fails; None for ever.

    """

    def __init__(
        self,
        namespace: dict[str, Any],
        folder: Path | None,
        work: Work,
        send: Send,
        flush: Callable[[], None],
        kept: KeptList,
        question_timeout: float | None = None,
    ) -> None:
        self._work = work
        self._seat = EngineSeat(send, question_timeout)
        self._seat.take_first(namespace)
        self._offer = Offer(namespace, self._seat, send, kept)
        self._metadata = MetadataReader(lambda: self._seat.metadata, send)
        self._executor = PlanExecutor(namespace, self._seat, send, flush)
        self._simulator = Simulator(namespace, self._seat, send)
        scripts = ScriptRunner(namespace, folder)
        scripts.replaced()
        self._tasks = TaskRunner(namespace, scripts, self._seat, self._offer, send, flush)

    def offer(self, device_max_depth: int) -> EnvironmentReady:
        """Look at what the namespace offers, for the first time; 0 levels of device trees are all."""
        return self._offer.first(device_max_depth)

    def keep(self, offered: EnvironmentReady) -> None:
        """List in a file what was offered the first time; what goes wrong is added to it."""
        self._offer.keep(offered)

    def take(self, frame: ToEnvironment) -> None:
        """Take a command. Called in the reader thread; does not wait."""
        kind = frame.WhichOneof("frame")
        if kind == "run_plan":
            self._seat.plan_accepted(frame.run_plan.execution_id)
            self._work.put(partial(self._executor.execute, frame.run_plan))
        elif kind == "run_task" and frame.run_task.run_in_background:
            self._tasks.start(frame.run_task)
        elif kind == "run_task":
            self._work.put(partial(self._tasks.run, frame.run_task))
        elif kind == "metadata":
            self._metadata.ask(frame.metadata.number)
        elif kind == "simulation":
            self._simulator.ask(frame.simulation)
        elif kind == "answer":
            self._seat.answer(frame.answer.question_id, frame.answer.text)
        elif self._seat.control is not None:
            if kind == "control":
                asked = frame.control
                self._seat.control.ask(asked.action, asked.note, asked.user, asked.execution_id)
            elif kind == "abort":
                self._seat.control.abort(frame.abort.note)
