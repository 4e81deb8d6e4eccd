"""The environment as the supervisor sees it: commands from above, and what its process says and does.

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
from queueserver.worker.v1.event_pb2 import ExecutionOutcome

from queueserver_worker.supervisor import failure
from queueserver_worker.supervisor.clock import now
from queueserver_worker.supervisor.control import Action
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
from queueserver_worker.supervisor.keeper import ProcessKeeper
from queueserver_worker.supervisor.launch import Launch
from queueserver_worker.supervisor.lifecycle import State
from queueserver_worker.supervisor.liveness import Liveness
from queueserver_worker.supervisor.metadata import MetadataQueries
from queueserver_worker.supervisor.outcomes import Outcomes
from queueserver_worker.supervisor.plan_work import PlanWork
from queueserver_worker.supervisor.process import EnvironmentProcess
from queueserver_worker.supervisor.status import Status

_log = logging.getLogger(__name__)
MAX_INVENTORY_BYTES = 16 * 1024 * 1024
"""Longest inventory that is accepted: it is part of each snapshot, which must fit one message of gRPC."""
_OPEN = frozenset({State.IDLE, State.EXECUTING_PLAN})


class Environment:
    """The one environment of a Worker. Its methods are called in the loop."""

    def __init__(self, launch: Launch, journal: Journal, outcomes: Outcomes, echo: Echo) -> None:
        self._launch = launch
        self._echo = echo
        self._journal = journal
        self._outcomes = outcomes
        self._status = Status(journal)
        self._keeper = ProcessKeeper(launch, self)
        self._plan = PlanWork(journal)
        self._queries = MetadataQueries()
        self._liveness = Liveness(launch.patience, self._status.responsive_changed)
        self._stopping = False
        self._closed = asyncio.Event()
        self._closed.set()
        self._free = asyncio.Event()
        self._free.set()

    @property
    def view(self) -> View:
        """The whole environment, as it is published."""
        return self._status.view

    @property
    def inventory(self) -> Inventory | None:
        """Plans and devices; None unless it is open."""
        return self._status.inventory

    @property
    def execution(self) -> RunningExecution | None:
        """The execution that goes on, if any."""
        return self._plan.execution

    def open(self, environment_id: str) -> None:
        """Start a process. An environment_id that was accepted last is not started again.

        Raises EnvironmentExistsError.
        """
        if environment_id == self._status.view.environment_id:
            return
        if self._status.state is not State.CLOSED:
            raise EnvironmentExistsError(self._status.view.environment_id, self._status.state.text)
        self._closed.clear()
        self._status.begin(environment_id)
        try:
            process = self._keeper.start()
        except OSError as error:
            message = f"The environment process could not be started: {error}."
            self._gone(EnvironmentFailure(message=message), failure.died(message))
            return
        _log.info("The environment opens, process %d.", process.pid)
        self._status.view.pid = process.pid
        self._liveness.start()
        self._status.publish()

    def close(self) -> None:
        """Tell the process to end, and kill it if it takes too long. Does nothing if it is ending already.

        Raises EnvironmentClosedError or EnvironmentBusyError.
        """
        self._begin_closing(self._launch.close_timeout)

    def destroy(self) -> None:
        """Kill the process, whatever it is doing. Does nothing if it is being killed already.

        Raises EnvironmentClosedError.
        """
        state = self._status.state
        if state is State.CLOSED:
            raise EnvironmentClosedError(state.text)
        if state is not State.DESTROYING:
            self._kill(failure.destroyed(state, paused=self._plan.paused))

    def run_plan(self, execution_id: str, item: Item) -> None:
        """Start an execution.

        Raises EnvironmentClosedError, EnvironmentBusyError or RunEngineMissingError.
        """
        if self._plan.execution is not None:
            raise EnvironmentBusyError(self._plan.execution.execution_id)
        process = self._process_with_run_engine()
        process.drain_console()
        process.send(ToEnvironment(run_plan=channel_pb2.RunPlanCommand(execution_id=execution_id, item=item)))
        self._plan.begin(execution_id, item.item_uid)
        self._free.clear()
        self._move(State.EXECUTING_PLAN)

    def control(self, action: Action, note: str) -> None:
        """Pause, resume or end the running plan: tell the process, and wait for nothing.

        Raises EnvironmentClosedError, RunEngineMissingError, NotRunningError or NotPausedError.
        """
        process = self._process_with_run_engine()
        if self._plan.accept(action):
            process.send(ToEnvironment(control=channel_pb2.ControlCommand(action=action, note=note)))
            self._follow_run_engine()

    async def metadata(self) -> Struct:
        """Ask the process for the RunEngine's metadata.

        Raises EnvironmentClosedError, RunEngineMissingError or EnvironmentUnresponsiveError.
        """
        process = self._process_with_run_engine()
        if not self._status.view.responsive:
            raise EnvironmentUnresponsiveError(self._launch.patience)
        return await self._queries.ask(process.send)

    async def stop(self, plan_timeout: float, close_timeout: float) -> None:
        """End everything because the service is being stopped: the plan first, then the process."""
        self._stopping = True
        if self._keeper.process is not None and self._plan.execution is not None:
            self._keeper.because(failure.service_stopped())
            reason = "The Worker service is being stopped."
            self._keeper.process.send(ToEnvironment(abort=channel_pb2.AbortCommand(reason=reason)))
            await _within(self._free, plan_timeout)
        if self._plan.execution is not None:
            self._kill(failure.service_stopped())
        elif self._status.state is not State.CLOSED:
            self._begin_closing(close_timeout)
            await _within(self._closed, close_timeout)
            if self._keeper.process is not None:
                self._kill(failure.closing_took_too_long(close_timeout))
        await _within(self._closed, self._launch.exit_timeout)

    # What follows is called by the process and its parts.

    def frame_received(self, frame: FromEnvironment) -> None:
        """Handle a frame of the process."""
        self._liveness.sign()
        kind = frame.WhichOneof("frame")
        if kind == "document":
            self._plan.document(frame.document)
        elif kind == "run_engine":
            self._run_engine_changed(frame.run_engine.state)
            self._follow_run_engine()
        elif kind == "metadata":
            self._queries.answered(frame.metadata)
        elif kind == "started":
            self._plan.started(frame.started)
        elif kind == "finished":
            self._plan_finished(frame.finished)
        elif kind in {"progress", "ready", "failed"}:
            self._opening(kind, frame)

    def text_received(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        """Publish what the process printed, and show it where the Worker runs."""
        if stream == console_pb2.CONSOLE_STREAM_STDERR:
            self._keeper.printed_error(text)
        self._echo(text)
        self._publish_text(stream, text)

    def channel_closed(self) -> None:
        """Kill the process if it does not end very soon: nobody can talk to it any more."""
        if not self._keeper.about_to_kill and self._status.state not in {State.CLOSED, State.DESTROYING}:
            self._kill_after(self._launch.exit_timeout, failure.broken("closed its channel to the Worker"))

    def channel_broken(self, problem: str) -> None:
        """Kill the process: what it says can't be trusted any more."""
        if self._status.state is not State.DESTROYING:
            self._kill(failure.broken(problem))

    def process_ended(self, returncode: int) -> None:
        """Account for the end of the process and of what it was doing."""
        self._gone(*self._keeper.ended(self._status.state, returncode, paused=self._plan.paused))

    def _opening(self, kind: str, frame: FromEnvironment) -> None:
        if self._status.state is not State.INITIALIZING:
            _log.warning("The environment sent a frame %r while %s; it is ignored.", kind, self._status.state.text)
        elif kind == "progress":
            self._status.progress(frame.progress.text)
        elif kind == "failed":
            self._keeper.reported(frame.failed)
            self._kill_after(self._launch.exit_timeout, failure.broken("failed to start"))
        elif frame.ready.ByteSize() > MAX_INVENTORY_BYTES:
            self._kill(failure.broken(f"reported plans and devices of more than {MAX_INVENTORY_BYTES} bytes"))
        else:
            self._run_engine_changed(frame.ready.run_engine_state)
            self._status.offer(frame.ready.inventory)
            self._move(State.IDLE)

    def _plan_finished(self, frame: channel_pb2.PlanFinished) -> None:
        if self._keeper.process is not None and self._plan.is_current(frame.execution_id):
            self._keeper.process.drain_console()
        outcome = self._plan.finished(frame, stopping=self._stopping)
        if outcome is not None:
            self._conclude(outcome, State.IDLE if self._status.state in _OPEN else self._status.state)

    def _begin_closing(self, timeout: float) -> None:
        if self._plan.execution is not None:
            raise EnvironmentBusyError(self._plan.execution.execution_id)
        state, process = self._status.state, self._keeper.process
        if state is State.CLOSED or process is None:
            raise EnvironmentClosedError(state.text)
        if state in {State.CLOSING, State.DESTROYING}:
            return
        self._keeper.because(failure.closed(state))
        process.send(ToEnvironment(exit=channel_pb2.ExitCommand()))
        self._kill_after(timeout, failure.closing_took_too_long(timeout))
        self._move(State.CLOSING)

    def _kill_after(self, seconds: float, ending: failure.Ending) -> None:
        self._keeper.kill_after(seconds, self._kill, ending)

    def _kill(self, ending: failure.Ending) -> None:
        self._keeper.kill(ending)
        if self._status.state is not State.DESTROYING:
            self._move(State.DESTROYING)

    def _gone(self, reason: EnvironmentFailure | None, ending: failure.Ending) -> None:
        self._liveness.stop()
        self._run_engine_changed(environment_pb2.RUN_ENGINE_STATE_UNSPECIFIED)
        self._queries.closed(State.CLOSED.text)
        self._status.end(reason)
        if reason is None:
            _log.info("The environment is closed.")
        else:
            _log.warning("%s", reason.message)
            self._publish_text(console_pb2.CONSOLE_STREAM_WORKER, reason.message + "\n")
        self._conclude(self._plan.lost(ending), State.CLOSED)
        self._closed.set()

    def _process_with_run_engine(self) -> EnvironmentProcess:
        process = self._keeper.process
        if self._status.state not in _OPEN or process is None:
            raise EnvironmentClosedError(self._status.state.text)
        if not self._status.has_run_engine:
            raise RunEngineMissingError
        return process

    def _run_engine_changed(self, state: environment_pb2.RunEngineState.ValueType) -> None:
        self._status.view.run_engine_state = state
        self._plan.run_engine_changed(state)

    def _follow_run_engine(self) -> None:
        """Publish the environment as it is after a request or a change of the RunEngine's state."""
        state = self._status.state
        if self._plan.execution is not None and state in _OPEN:
            state = State.IDLE if self._plan.paused else State.EXECUTING_PLAN
        self._move(state)

    def _conclude(self, outcome: ExecutionOutcome | None, state: State) -> None:
        # Stored first: a kill of the Worker at any later point finds the outcome in its file.
        if outcome is not None:
            self._outcomes.add(outcome)
        self._move(state)
        if outcome is not None:
            self._journal.execution_finished(outcome)
            self._free.set()

    def _move(self, state: State) -> None:
        self._status.view.pause_pending = self._plan.pause_pending
        self._status.move(state)

    def _publish_text(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        output = console_pb2.ConsoleOutput(time=now(), stream=stream, text=text, item_uid=self._plan.item_uid)
        self._journal.console(output)


async def _within(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
