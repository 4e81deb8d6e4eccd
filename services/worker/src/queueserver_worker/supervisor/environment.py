"""The environment as the supervisor sees it: its state, its process, the plan it executes.

Guarantees: the state moves only as `lifecycle` allows, and each change is published with the whole environment; each
accepted execution gets exactly one outcome, which is stored before anybody is told; nothing that the process does
or reports raises an error here. When an execution ends, the change of the environment is published before the
outcome, so that who acts on the outcome finds the environment as it is. While a plan is paused the state is IDLE, its
execution goes on, and nothing else is started or closed.
Does not guarantee anything about the process, which may hang, lie or die at any moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from google.protobuf.struct_pb2 import Struct
from queueserver.common.v1 import console_pb2, environment_pb2
from queueserver.common.v1.environment_pb2 import Environment as View
from queueserver.common.v1.environment_pb2 import EnvironmentFailure
from queueserver.common.v1.inventory_pb2 import Inventory
from queueserver.common.v1.item_pb2 import Item
from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment, ToEnvironment
from queueserver.worker.v1.event_pb2 import DocumentEmitted, ExecutionOutcome

from queueserver_worker.supervisor import failure
from queueserver_worker.supervisor.clock import now
from queueserver_worker.supervisor.control import Action, RunEngineControl
from queueserver_worker.supervisor.echo import Echo
from queueserver_worker.supervisor.errors import (
    EnvironmentBusyError,
    EnvironmentClosedError,
    EnvironmentExistsError,
    EnvironmentUnresponsiveError,
    RunEngineMissingError,
)
from queueserver_worker.supervisor.execution import RunningExecution
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.launch import Launch
from queueserver_worker.supervisor.lifecycle import State, check
from queueserver_worker.supervisor.liveness import Liveness
from queueserver_worker.supervisor.metadata import MetadataQueries
from queueserver_worker.supervisor.outcomes import Outcomes
from queueserver_worker.supervisor.process import EnvironmentProcess

_log = logging.getLogger(__name__)
MAX_INVENTORY_BYTES = 16 * 1024 * 1024
"""Longest inventory that is accepted: it is part of each snapshot, which must fit one message of gRPC."""
_MAX_PROGRESS = 200
_OPEN = frozenset({State.IDLE, State.EXECUTING_PLAN})


class Environment:
    """The one environment of a Worker. Its methods are called in the loop."""

    def __init__(self, launch: Launch, journal: Journal, outcomes: Outcomes, echo: Echo) -> None:
        self._launch = launch
        self._echo = echo
        self._journal = journal
        self._outcomes = outcomes
        self._state = State.CLOSED
        self._view = View(state=State.CLOSED.value, responsive=True)
        self._inventory: Inventory | None = None
        self._execution: RunningExecution | None = None
        self._control = RunEngineControl()
        self._queries = MetadataQueries()
        self._process: EnvironmentProcess | None = None
        self._ending: failure.Ending | None = None
        self._reported: EnvironmentFailure | None = None
        self._stderr = failure.Tail()
        self._killer: asyncio.TimerHandle | None = None
        self._liveness = Liveness(launch.patience, self._responsive_changed)
        self._stopping = False
        self._closed = asyncio.Event()
        self._closed.set()
        self._free = asyncio.Event()
        self._free.set()

    @property
    def view(self) -> View:
        """The whole environment, as it is published."""
        return self._view

    @property
    def inventory(self) -> Inventory | None:
        """Plans and devices; None unless it is open."""
        return self._inventory

    @property
    def execution(self) -> RunningExecution | None:
        """The execution that goes on, if any."""
        return self._execution

    def open(self, environment_id: str) -> None:
        """Start a process. An environment_id that was accepted last is not started again.

        Raises EnvironmentExistsError.
        """
        if environment_id == self._view.environment_id:
            return
        if self._state is not State.CLOSED:
            raise EnvironmentExistsError(self._view.environment_id, self._state.text)
        self._view.CopyFrom(View(environment_id=environment_id, open_time=now(), responsive=True))
        self._ending = self._reported = None
        self._stderr = failure.Tail()
        self._closed.clear()
        self._move(State.INITIALIZING)
        try:
            self._process = EnvironmentProcess(self._launch.startup, self, self._launch.command)
        except OSError as error:
            message = f"The environment process could not be started: {error}."
            self._gone(EnvironmentFailure(message=message), failure.died(message))
            return
        _log.info("The environment opens, process %d.", self._process.pid)
        self._view.pid = self._process.pid
        self._liveness.start()
        self._publish()

    def close(self) -> None:
        """Tell the process to end, and kill it if it takes too long. Does nothing if it is ending already.

        Raises EnvironmentClosedError or EnvironmentBusyError.
        """
        self._begin_closing(self._launch.close_timeout)

    def destroy(self) -> None:
        """Kill the process, whatever it is doing. Does nothing if it is being killed already.

        Raises EnvironmentClosedError.
        """
        if self._state is State.CLOSED:
            raise EnvironmentClosedError(self._state.text)
        if self._state is not State.DESTROYING:
            self._kill(failure.destroyed(self._state, paused=self._control.paused))

    def run_plan(self, execution_id: str, item: Item) -> None:
        """Start an execution.

        Raises EnvironmentClosedError, EnvironmentBusyError or RunEngineMissingError.
        """
        if self._execution is not None:
            raise EnvironmentBusyError(self._execution.execution_id)
        process = self._process_with_run_engine()
        process.drain_console()
        process.send(ToEnvironment(run_plan=channel_pb2.RunPlanCommand(execution_id=execution_id, item=item)))
        self._execution = RunningExecution(execution_id, item.item_uid)
        self._control.execution_accepted()
        self._free.clear()
        self._move(State.EXECUTING_PLAN)

    def control(self, action: Action, note: str) -> None:
        """Pause, resume or end the running plan: tell the process, and wait for nothing.

        Raises EnvironmentClosedError, RunEngineMissingError, NotRunningError or NotPausedError.
        """
        process = self._process_with_run_engine()
        if self._control.accept(action):
            process.send(ToEnvironment(control=channel_pb2.ControlCommand(action=action, note=note)))
            self._follow_run_engine()

    async def metadata(self) -> Struct:
        """Ask the process for the RunEngine's metadata.

        Raises EnvironmentClosedError, RunEngineMissingError or EnvironmentUnresponsiveError.
        """
        process = self._process_with_run_engine()
        if not self._view.responsive:
            raise EnvironmentUnresponsiveError(self._launch.patience)
        return await self._queries.ask(process.send)

    async def stop(self, plan_timeout: float, close_timeout: float) -> None:
        """End everything because the service is being stopped: the plan first, then the process."""
        self._stopping = True
        if self._process is not None and self._execution is not None:
            self._ending = failure.service_stopped()
            reason = "The Worker service is being stopped."
            self._process.send(ToEnvironment(abort=channel_pb2.AbortCommand(reason=reason)))
            await _within(self._free, plan_timeout)
        if self._execution is not None:
            self._kill(failure.service_stopped())
        elif self._state is not State.CLOSED:
            self._begin_closing(close_timeout)
            await _within(self._closed, close_timeout)
            if self._process is not None:
                self._kill(failure.closing_took_too_long(close_timeout))
        await _within(self._closed, self._launch.exit_timeout)

    # What follows is called by the process and its parts.

    def frame_received(self, frame: FromEnvironment) -> None:
        """Handle a frame of the process."""
        self._liveness.sign()
        kind = frame.WhichOneof("frame")
        if kind == "document":
            self._document(frame.document)
        elif kind == "run_engine":
            self._run_engine_changed(frame.run_engine.state)
            self._follow_run_engine()
        elif kind == "metadata":
            self._queries.answered(frame.metadata)
        elif kind == "started":
            self._started(frame.started)
        elif kind == "finished":
            self._finished(frame.finished)
        elif kind in {"progress", "ready", "failed"}:
            self._opening(kind, frame)

    def text_received(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        """Publish what the process printed, and show it where the Worker runs."""
        if stream == console_pb2.CONSOLE_STREAM_STDERR:
            self._stderr.add(text)
        self._echo(text)
        self._publish_text(stream, text)

    def channel_closed(self) -> None:
        """Kill the process if it does not end very soon: nobody can talk to it any more."""
        if self._killer is None and self._state not in {State.CLOSED, State.DESTROYING}:
            self._kill_after(self._launch.exit_timeout, failure.broken("closed its channel to the Worker"))

    def channel_broken(self, problem: str) -> None:
        """Kill the process: what it says can't be trusted any more."""
        if self._state is not State.DESTROYING:
            self._kill(failure.broken(problem))

    def process_ended(self, returncode: int) -> None:
        """Account for the end of the process and of what it was doing."""
        sentence = failure.describe_exit(self._state, returncode, paused=self._control.paused)
        ending = self._ending or failure.died(sentence)
        reason = self._reported
        if reason is None and ending.failure_message:
            reason = EnvironmentFailure(message=ending.failure_message)
            if self._ending is None:
                reason.traceback = self._stderr.lines()
        if reason is not None:
            reason.exit_code = returncode
        self._process = None
        self._gone(reason, ending)

    def _opening(self, kind: str, frame: FromEnvironment) -> None:
        if self._state is not State.INITIALIZING:
            _log.warning("The environment sent a frame %r while %s; it is ignored.", kind, self._state.text)
        elif kind == "progress":
            self._view.progress = frame.progress.text[:_MAX_PROGRESS]
            self._publish()
        elif kind == "ready" and frame.ready.ByteSize() > MAX_INVENTORY_BYTES:
            self._kill(failure.broken(f"reported plans and devices of more than {MAX_INVENTORY_BYTES} bytes"))
        elif kind == "ready":
            self._inventory = frame.ready.inventory
            self._run_engine_changed(frame.ready.run_engine_state)
            self._journal.inventory_changed(self._inventory)
            self._move(State.IDLE)
        else:
            self._reported = failure.bounded(frame.failed)
            self._kill_after(self._launch.exit_timeout, failure.broken("failed to start"))

    def _document(self, frame: channel_pb2.RunDocumentEmitted) -> None:
        execution = self._execution
        self._journal.document(
            DocumentEmitted(
                item_uid=execution.item_uid if execution is not None else "",
                run_uid=frame.run_uid,
                document=frame.document,
            )
        )
        if execution is not None and execution.see(frame.document):
            self._journal.execution_changed(execution.message)

    def _started(self, frame: channel_pb2.PlanStarted) -> None:
        execution = self._current(frame.execution_id)
        if execution is not None:
            execution.begin(frame.start_time)
            self._journal.execution_changed(execution.message)

    def _finished(self, frame: channel_pb2.PlanFinished) -> None:
        execution = self._current(frame.execution_id)
        if execution is None:
            return
        if self._process is not None:
            self._process.drain_console()
        if self._stopping:
            outcome = execution.interrupted(frame.result, failure.service_stopped().plan_message)
        else:
            outcome = execution.reported(frame.result)
        self._conclude(outcome, State.IDLE if self._state in _OPEN else self._state)

    def _current(self, execution_id: str) -> RunningExecution | None:
        if self._execution is not None and self._execution.execution_id == execution_id:
            return self._execution
        _log.warning("The environment spoke of execution %.40s, which does not go on; it is ignored.", execution_id)
        return None

    def _begin_closing(self, timeout: float) -> None:
        if self._execution is not None:
            raise EnvironmentBusyError(self._execution.execution_id)
        if self._state is State.CLOSED or self._process is None:
            raise EnvironmentClosedError(self._state.text)
        if self._state in {State.CLOSING, State.DESTROYING}:
            return
        self._ending = failure.closed(self._state)
        self._process.send(ToEnvironment(exit=channel_pb2.ExitCommand()))
        self._kill_after(timeout, failure.closing_took_too_long(timeout))
        self._move(State.CLOSING)

    def _kill_after(self, seconds: float, ending: failure.Ending) -> None:
        self._spare()
        self._killer = asyncio.get_running_loop().call_later(seconds, self._kill, ending)

    def _kill(self, ending: failure.Ending) -> None:
        self._spare()
        self._ending = ending
        if self._process is not None:
            self._process.kill()
        if self._state is not State.DESTROYING:
            self._move(State.DESTROYING)

    def _spare(self) -> None:
        if self._killer is not None:
            self._killer.cancel()
            self._killer = None

    def _gone(self, reason: EnvironmentFailure | None, ending: failure.Ending) -> None:
        self._spare()
        self._liveness.stop()
        self._inventory = None
        self._run_engine_changed(environment_pb2.RUN_ENGINE_STATE_UNSPECIFIED)
        self._queries.closed(State.CLOSED.text)
        self._view.pid = 0
        self._view.responsive = True
        if reason is None:
            _log.info("The environment is closed.")
        else:
            _log.warning("%s", reason.message)
            self._view.failure.CopyFrom(reason)
            self._publish_text(console_pb2.CONSOLE_STREAM_WORKER, reason.message + "\n")
        outcome = None
        if self._execution is not None:
            outcome = self._execution.lost(ending.cause, ending.plan_message)
        self._conclude(outcome, State.CLOSED)
        self._closed.set()

    def _process_with_run_engine(self) -> EnvironmentProcess:
        if self._state not in _OPEN or self._process is None:
            raise EnvironmentClosedError(self._state.text)
        if self._view.run_engine_state == environment_pb2.RUN_ENGINE_STATE_UNSPECIFIED:
            raise RunEngineMissingError
        return self._process

    def _run_engine_changed(self, state: environment_pb2.RunEngineState.ValueType) -> None:
        self._view.run_engine_state = state
        self._control.state_changed(state)

    def _follow_run_engine(self) -> None:
        """Publish the environment as it is after a request or a change of the RunEngine's state."""
        state = self._state
        if self._execution is not None and state in _OPEN:
            state = State.IDLE if self._control.paused else State.EXECUTING_PLAN
        self._move(state)

    def _conclude(self, outcome: ExecutionOutcome | None, state: State) -> None:
        # Stored first: a kill of the Worker at any later point finds the outcome in its file.
        if outcome is not None:
            self._outcomes.add(outcome)
            self._execution = None
            self._control.execution_ended()
        self._move(state)
        if outcome is not None:
            self._journal.execution_finished(outcome)
            self._free.set()

    def _responsive_changed(self, responsive: bool) -> None:
        self._view.responsive = responsive
        self._publish()

    def _move(self, state: State) -> None:
        if state is not self._state:
            self._state = check(self._state, state)
        self._view.state = state.value
        self._view.pause_pending = self._control.pause_pending
        if state is not State.INITIALIZING:
            self._view.progress = ""
        self._publish()

    def _publish_text(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        item_uid = self._execution.item_uid if self._execution is not None else ""
        self._journal.console(console_pb2.ConsoleOutput(time=now(), stream=stream, text=text, item_uid=item_uid))

    def _publish(self) -> None:
        self._journal.environment_changed(self._view)


async def _within(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
