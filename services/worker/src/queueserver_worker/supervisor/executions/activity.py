"""What the environment is doing: its plan, its tasks, and how they end.

Guarantees: each outcome is stored before it is published; the change of the environment is published before the
outcome, so that a watcher that acts on the outcome finds the environment as it is. While a plan is paused the state
is IDLE, and its execution continues. Text is published with the plan or task in the foreground, or with the
background task that wrote it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from queueserver.common.v1 import console_pb2, environment_pb2
from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.event_pb2 import ExecutionOutcome
from queueserver.worker.v1.worker_service_pb2 import TaskCommand

from queueserver_worker.clock import now
from queueserver_worker.supervisor.errors import EnvironmentBusyError
from queueserver_worker.supervisor.executions.interruptions import EngineRequest
from queueserver_worker.supervisor.executions.outcomes import Outcome, Outcomes
from queueserver_worker.supervisor.executions.plan import RunningPlan
from queueserver_worker.supervisor.executions.tasks import MAX_BACKGROUND, RunningTasks
from queueserver_worker.supervisor.executions.waits import Waits
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.process import failure
from queueserver_worker.supervisor.process.lifecycle import OPEN, State
from queueserver_worker.supervisor.status import Status

Stream: TypeAlias = "console_pb2.ConsoleStream.ValueType"
_PIECE = 16 * 1024
"""Characters of console text that are published at once: at most 64 KiB."""


class Activity:
    """The environment's activity. Its methods are called in the loop."""

    def __init__(self, journal: Journal, outcomes: Outcomes, status: Status, waits: Waits) -> None:
        self._journal = journal
        self._waits = waits
        self._outcomes = outcomes
        self._status = status
        self.plan = RunningPlan(journal)
        self.tasks = RunningTasks()
        self._printed_errors = failure.Tail()
        #: Nothing is running in the foreground.
        self.free = asyncio.Event()
        self.free.set()

    @property
    def printed_errors(self) -> str:
        """The last text on standard error since the present work began, or since the last of it ended."""
        return self._printed_errors.lines()

    def forget_printed(self) -> None:
        """Forget what was printed so far: it is unrelated to what follows."""
        self._printed_errors = failure.Tail()

    def refuse_when_busy(self) -> None:
        """Raise EnvironmentBusyError if something is running in the foreground."""
        if self.plan.execution is not None:
            raise EnvironmentBusyError(execution_id=self.plan.execution.execution_id)
        if self.tasks.foreground is not None:
            raise EnvironmentBusyError(task_uid=self.tasks.foreground.uid)

    def refuse_more_background_tasks(self) -> None:
        """Raise EnvironmentBusyError if no more tasks can run in the background."""
        if self.tasks.background_count >= MAX_BACKGROUND:
            raise EnvironmentBusyError

    def begin_plan(self, execution_id: str, item_uid: str) -> Sequence[EngineRequest]:
        """An execution begins; returns the requests for it that came before it."""
        requests = self.plan.begin(execution_id, item_uid)
        self.forget_printed()
        self.free.clear()
        self.move(State.EXECUTING_PLAN)
        return requests

    def begin_task(self, command: TaskCommand) -> None:
        """A task is running from now on."""
        self.tasks.begin(command)
        if command.run_in_background:
            self.move(self._status.state)
        else:
            self.forget_printed()
            self.free.clear()
            self.move(State.EXECUTING_TASK)

    def plan_finished(self, frame: channel_pb2.PlanFinished, drain: Callable[[], None], *, stopping: bool) -> None:
        """End the execution as the environment reports; `drain` passes on what it printed up to now."""
        if self.plan.is_current(frame.execution_id):
            drain()
        outcome = self.plan.finished(frame, stopping=stopping)
        if outcome is not None:
            self._waits.clear()
            self._conclude([outcome], State.IDLE if self._status.state in OPEN else self._status.state)

    def task_finished(self, frame: channel_pb2.TaskFinished, drain: Callable[[], None]) -> None:
        """End a task as the environment reports; `drain` as above."""
        state, foreground = self._status.state, self.tasks.foreground
        if foreground is not None and foreground.uid == frame.task_uid:
            drain()
            state = State.IDLE if state in OPEN else state
        outcome = self.tasks.finished(frame, self._outcomes.room_for_values)
        if outcome is not None:
            self._conclude([outcome], state)

    def lost(self, ending: failure.Ending) -> None:
        """End everything because the environment is gone, and close it."""
        self._waits.clear()
        plan = self.plan.lost(ending)
        self._conclude([*([plan] if plan is not None else []), *self.tasks.lost(ending)], State.CLOSED)

    def run_engine_changed(self, state: environment_pb2.RunEngineState.ValueType) -> None:
        """Note a state of the RunEngine; it is published with the next move."""
        self._status.view.run_engine_state = state
        self.plan.run_engine_changed(state)

    def waits_changed(self, waits: channel_pb2.RunEngineWaits) -> None:
        """Publish what the RunEngine waits for."""
        if self._status.state in OPEN and self._waits.update(waits, self.plan.item_uid):
            self._status.publish()

    def follow_run_engine(self) -> None:
        """Publish the environment as it is after a request or a change of the RunEngine's state."""
        state = self._status.state
        if self.plan.execution is not None and state in OPEN:
            state = State.IDLE if self.plan.paused else State.EXECUTING_PLAN
        self.move(state)

    def move(self, state: State) -> None:
        """Move to a state, perhaps the same, and publish."""
        self._status.view.pause_pending = self.plan.pause_pending
        self._status.view.background_task_count = self.tasks.background_count
        self._status.move(state)

    def printed(self, stream: Stream, text: str) -> None:
        """Publish what the process wrote to its standard output or standard error."""
        if stream == console_pb2.CONSOLE_STREAM_STDERR:
            self._printed_errors.add(text)
        if self.plan.execution is not None:
            self.plan.execution.excerpt.add(text)
        if self.tasks.foreground is not None:
            self.tasks.foreground.excerpt.add(text)
        self.publish_text(stream, text)

    def task_printed(self, frame: channel_pb2.TaskPrinted) -> None:
        """Publish what a background task wrote, or, without its uid, a simulation."""
        known = bool(frame.task_uid) and self.tasks.printed_by(frame.task_uid, frame.text)
        task_uid = frame.task_uid if known else ""
        for begin in range(0, len(frame.text), _PIECE):
            self._journal.console(
                console_pb2.ConsoleOutput(
                    time=now(), stream=frame.stream, text=frame.text[begin : begin + _PIECE], task_uid=task_uid
                )
            )

    def publish_text(self, stream: Stream, text: str) -> None:
        """Publish text with the plan or task in the foreground."""
        task = self.tasks.foreground
        self._journal.console(
            console_pb2.ConsoleOutput(
                time=now(),
                stream=stream,
                text=text,
                item_uid=self.plan.item_uid,
                task_uid=task.uid if task is not None else "",
            )
        )

    def _conclude(self, outcomes: Sequence[Outcome], state: State) -> None:
        # Stored first: a kill of the Worker at any later point finds the outcomes in their files.
        for outcome in outcomes:
            self._outcomes.add(outcome)
        self.move(state)
        for outcome in outcomes:
            if isinstance(outcome, ExecutionOutcome):
                self._journal.execution_finished(outcome)
            else:
                self._journal.task_finished(outcome)
        if self.plan.execution is None and self.tasks.foreground is None and not self.free.is_set():
            self.forget_printed()
            self.free.set()
