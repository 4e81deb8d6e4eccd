"""Everything that takes commands once the startup code is loaded, built around its namespace.

Imported when the startup code has run, because what it needs takes time to import, and heartbeats come before.
"""

import queue
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from queueserver_environment.messages.frames import EnvironmentReady, ToEnvironment
from queueserver_environment.plans.execution import PlanExecutor
from queueserver_environment.plans.metadata import MetadataReader
from queueserver_environment.plans.run_engine import Send
from queueserver_environment.plans.run_engine_holder import RunEngineHolder
from queueserver_environment.simulation.simulator import Simulator
from queueserver_environment.startup.inventory_publisher import InventoryPublisher
from queueserver_environment.tasks.runner import TaskRunner
from queueserver_environment.tasks.scripts import ScriptRunner

Work: TypeAlias = "queue.SimpleQueue[Callable[[], None] | None]"
"""What the main thread has to do, in order; None ends it."""


class CommandDispatcher:
    """Takes commands for one namespace.

    Parameters
    ----------
    namespace
        The namespace of the startup code.
    folder
        Where modules of the startup code are; None if it has no folder.
    work
        Takes what the main thread has to do.
    send
        Takes the frames.
    flush
        Flushes everything printed so far.
    question_timeout
        Seconds until an unanswered question of a plan fails; None for ever.

    """

    def __init__(
        self,
        namespace: dict[str, Any],
        folder: Path | None,
        work: Work,
        send: Send,
        flush: Callable[[], None],
        question_timeout: float | None = None,
    ) -> None:
        self._work = work
        self._holder = RunEngineHolder(send, question_timeout)
        self._holder.take_first(namespace)
        self._publisher = InventoryPublisher(namespace, self._holder, send)
        self._metadata = MetadataReader(lambda: self._holder.metadata, send)
        self._executor = PlanExecutor(namespace, self._holder, send, flush)
        self._simulator = Simulator(namespace, self._holder, send)
        scripts = ScriptRunner(namespace, folder)
        scripts.replaced()
        self._tasks = TaskRunner(namespace, scripts, self._holder, self._publisher, send, flush)

    def offer(self, device_max_depth: int) -> EnvironmentReady:
        """Examine what the namespace offers, for the first time; 0 levels of device trees are all."""
        return self._publisher.first(device_max_depth)

    def take(self, frame: ToEnvironment) -> None:
        """Take a command. Called in the reader thread; does not wait."""
        if frame.run_plan is not None:
            self._holder.plan_accepted(frame.run_plan.execution_id)
            self._work.put(partial(self._executor.execute, frame.run_plan))
        elif frame.run_task is not None and frame.run_task.run_in_background:
            self._tasks.start(frame.run_task)
        elif frame.run_task is not None:
            self._work.put(partial(self._tasks.run, frame.run_task))
        elif frame.metadata is not None:
            self._metadata.ask(frame.metadata.number)
        elif frame.simulation is not None:
            self._simulator.ask(frame.simulation)
        elif frame.answer is not None:
            self._holder.answer(frame.answer.question_id, frame.answer.text)
        elif self._holder.control is not None:
            if frame.control is not None:
                asked = frame.control
                self._holder.control.ask(asked.action, asked.note, asked.user, asked.execution_id)
            elif frame.abort is not None:
                self._holder.control.abort(frame.abort.note)
