"""The environment as the supervisor sees it: commands from the Manager, and what its process reports and does.

Guarantees: the state moves only as `lifecycle` allows, and each change is published with the whole environment; each
accepted execution and task gets exactly one outcome; nothing that the process does or reports raises an error here.
While a plan, even a paused one, or a task runs in the foreground, nothing else is started there and nothing is closed.
Background tasks block nothing.
Does not guarantee anything about the process, which may hang, lie or die at any moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from google.protobuf.struct_pb2 import Struct
from queueserver.common.v1 import console_pb2, environment_pb2
from queueserver.common.v1.environment_pb2 import EnvironmentFailure
from queueserver.common.v1.environment_pb2 import EnvironmentStatus as View
from queueserver.common.v1.inventory_pb2 import Inventory
from queueserver.common.v1.item_pb2 import Item
from queueserver.common.v1.permissions_pb2 import SubmitterAccess
from queueserver.common.v1.simulation_pb2 import Simulation
from queueserver.worker.v1 import environment_channel_pb2 as channel_pb2
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment, ToEnvironment
from queueserver.worker.v1.worker_service_pb2 import SimulatePlanRequest, TaskCommand

from queueserver_worker.supervisor.bounded_wait import wait_at_most
from queueserver_worker.supervisor.errors import (
    EnvironmentClosedError,
    EnvironmentExistsError,
    EnvironmentUnresponsiveError,
    RunEngineMissingError,
)
from queueserver_worker.supervisor.executions.activity import Activity
from queueserver_worker.supervisor.executions.interruptions import EngineRequest
from queueserver_worker.supervisor.executions.outcomes import Outcomes
from queueserver_worker.supervisor.executions.plan import RunningExecution
from queueserver_worker.supervisor.executions.waits import Waits
from queueserver_worker.supervisor.inventory.list_file import ListFile
from queueserver_worker.supervisor.inventory.reports import MAX_INVENTORY_BYTES, Reports
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.process import failure
from queueserver_worker.supervisor.process.about import About
from queueserver_worker.supervisor.process.console import Echo
from queueserver_worker.supervisor.process.keeper import ProcessKeeper
from queueserver_worker.supervisor.process.lifecycle import OPEN, State
from queueserver_worker.supervisor.process.liveness import Liveness
from queueserver_worker.supervisor.process.process import EnvironmentProcess, Launch
from queueserver_worker.supervisor.questions import MetadataQueries, SimulationQueries
from queueserver_worker.supervisor.status import Status

_log = logging.getLogger(__name__)


class Environment:
    """The one environment of a Worker. Its methods are called in the loop."""

    def __init__(self, launch: Launch, journal: Journal, outcomes: Outcomes, echo: Echo, about: About) -> None:
        self._launch = launch
        self._about = about
        self._echo = echo
        self._status = Status(journal)
        self._waits = Waits(self._status.view)
        self._activity = Activity(journal, outcomes, self._status, self._waits)
        self._keeper = ProcessKeeper(launch, self)
        self._reports = Reports(ListFile(launch.list_file, also_changes=launch.list_changes))
        self._queries = MetadataQueries()
        self._simulations = SimulationQueries()
        self._liveness = Liveness(launch.patience, self._status.responsive_changed)
        self._stopping = False
        self._closed = asyncio.Event()
        self._closed.set()
        self._handlers = self._make_handlers()

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
        """The running execution, if any."""
        return self._activity.plan.execution

    @property
    def running_tasks(self) -> list[str]:
        """The running tasks."""
        return self._activity.tasks.uids

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
        self._activity.forget_printed()
        try:
            process = self._keeper.start()
        except OSError as error:
            message = f"The environment process could not be started: {error}."
            self._gone(EnvironmentFailure(message=message), failure.died(message))
            return
        _log.info("The environment opens, process %d.", process.pid)
        self._status.view.pid = process.pid
        self._about.opening(process.pid)
        self._liveness.start()
        self._status.publish()

    def close(self) -> None:
        """Tell the process to end, and kill it if it takes too long. Does nothing if it is ending already.

        Raises EnvironmentClosedError or EnvironmentBusyError.
        """
        self._begin_closing(self._launch.close_timeout)

    def destroy(self, user: str) -> None:
        """Kill the process, whatever it does, as this user asks. Does nothing if that is in progress already.

        Raises EnvironmentClosedError.
        """
        state = self._status.state
        if state is State.CLOSED:
            raise EnvironmentClosedError(state.text)
        if state is not State.DESTROYING:
            self._kill(failure.destroyed(state, user, paused=self._activity.plan.paused))

    def require(self, environment_id: str) -> None:
        """Refuse a request for another environment; empty means any. Raises EnvironmentClosedError."""
        if environment_id and environment_id != self._status.view.environment_id:
            raise EnvironmentClosedError("another one than this was meant for")

    def run_plan(self, execution_id: str, item: Item, access: SubmitterAccess | None) -> None:
        """Start an execution.

        Raises EnvironmentClosedError, EnvironmentBusyError or RunEngineMissingError.
        """
        self._activity.refuse_when_busy()
        process = self._process_with_run_engine()
        process.drain_console()
        command = channel_pb2.RunPlanCommand(execution_id=execution_id, item=item, access=access)
        process.send(ToEnvironment(run_plan=command))
        for request in self._activity.begin_plan(execution_id, item.item_uid):
            process.send(request.frame_for(execution_id))

    def forget_execution(self, execution_id: str) -> None:
        """An execution was refused, so it never begins: forget the requests for it."""
        if self._activity.plan.forget(execution_id):
            self._activity.move(self._status.state)

    def run_task(self, command: TaskCommand) -> None:
        """Start a task. Raises EnvironmentClosedError or EnvironmentBusyError."""
        process = self._open_process()
        if command.run_in_background:
            self._activity.refuse_more_background_tasks()
        else:
            self._activity.refuse_when_busy()
            process.drain_console()
        process.send(ToEnvironment(run_task=command))
        self._activity.begin_task(command)

    def control(self, request: EngineRequest) -> None:
        """Pause, resume or end an execution: tell the process, and wait for nothing.

        A request for an execution that has not arrived goes to the process with the plan.

        Raises EnvironmentClosedError, RunEngineMissingError, NotRunningError or NotPausedError.
        """
        process, plan = self._process_with_run_engine(), self._activity.plan
        was_pending = plan.pause_pending
        is_news = plan.accept(request)
        if is_news and plan.execution is not None:
            process.send(request.frame_for(plan.execution.execution_id))
        if is_news or plan.pause_pending != was_pending:
            self._activity.follow_run_engine()

    def answer_question(self, question_id: str, text: str) -> None:
        """Answer the question that the plan asks: tell the process, and wait for nothing. An empty id means any.

        Raises EnvironmentClosedError, RunEngineMissingError or QuestionNotFoundError.
        """
        process = self._process_with_run_engine()
        question_id = self._waits.accept_answer(question_id, text)
        if question_id:
            process.send(ToEnvironment(answer=channel_pb2.AnswerCommand(question_id=question_id, text=text)))
            self._status.publish()

    async def metadata(self) -> Struct:
        """Ask the process for the RunEngine's metadata.

        Raises EnvironmentClosedError, RunEngineMissingError or EnvironmentUnresponsiveError.
        """
        process = self._process_with_run_engine()
        self._refuse_when_silent()
        return await self._queries.ask(process.send)

    async def simulate(self, request: SimulatePlanRequest) -> Simulation:
        """Ask the process what a plan would do. Raises EnvironmentClosedError or EnvironmentUnresponsiveError."""
        self._open_process()
        self._refuse_when_silent()
        return await self._simulations.ask(lambda frame: self._open_process().send(frame), request)

    async def stop(self, plan_timeout: float, close_timeout: float) -> None:
        """End everything because the service is being stopped: what runs in the foreground first, then the process.

        A plan is aborted; a task gets the same time to end by itself.
        """
        self._stopping = True
        stopped = failure.service_stopped()
        if self._keeper.process is not None and not self._activity.free.is_set():
            self._keeper.set_ending(stopped)
            reason = "The Worker service is being stopped."
            self._keeper.process.send(ToEnvironment(abort=channel_pb2.AbortCommand(note=reason)))
            await wait_at_most(plan_timeout, self._activity.free)
        if not self._activity.free.is_set():
            self._kill(stopped)
        elif self._status.state is not State.CLOSED:
            self._begin_closing(close_timeout)
            if self._activity.tasks.uids:
                self._keeper.set_ending(stopped)
            await wait_at_most(close_timeout, self._closed)
            if self._keeper.process is not None:
                self._kill(failure.closing_took_too_long(close_timeout))
        await wait_at_most(self._launch.exit_timeout, self._closed)

    # What follows is called by the process and its parts.

    def is_report(self, frame: FromEnvironment) -> bool:
        """Whether a frame reports plans and devices."""
        return self._reports.is_for(frame)

    def complete(self, frame: FromEnvironment) -> None:
        """Complete a report of plans and devices. Called in a thread."""
        self._reports.complete(frame)

    def frame_received(self, frame: FromEnvironment) -> None:
        """Handle a frame of the process."""
        self._liveness.heartbeat()
        handle = self._handlers.get(frame.WhichOneof("frame") or "")
        if handle is not None:
            handle(frame)

    def text_received(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        """Publish what the process printed, and show it where the Worker runs."""
        self._echo(text)
        self._activity.printed(stream, text)

    def channel_closed(self) -> None:
        """Kill the process if it does not end very soon: it can't be reached any more."""
        if not self._keeper.about_to_kill and self._status.state not in {State.CLOSED, State.DESTROYING}:
            self._kill_after(self._launch.exit_timeout, failure.broken("closed its channel to the Worker"))

    def channel_broken(self, problem: str) -> None:
        """Kill the process: its reports can't be trusted any more."""
        if self._status.state is not State.DESTROYING:
            self._kill(failure.broken(problem))

    def process_ended(self, returncode: int) -> None:
        """Account for the end of the process and of what it was doing."""
        paused, printed = self._activity.plan.paused, self._activity.printed_errors
        simulating = self._simulations.are_waiting
        why, ending = self._keeper.ended(
            self._status.state, returncode, paused=paused, simulating=simulating, printed=printed
        )
        self._gone(why, ending)

    def _make_handlers(self) -> Mapping[str, Callable[[FromEnvironment], None]]:
        activity = self._activity
        return {
            "progress": self._opening,
            "ready": self._opening,
            "failed": self._opening,
            "run_engine": self._run_engine_changed,
            "waits": lambda frame: activity.waits_changed(frame.waits),
            "started": lambda frame: activity.plan.started(frame.started),
            "document": lambda frame: activity.plan.document(frame.document),
            "finished": lambda frame: activity.plan_finished(
                frame.finished, self._drain_console, stopping=self._stopping
            ),
            "metadata": lambda frame: self._queries.answered(frame.metadata),
            "simulation": lambda frame: self._simulations.answered(frame.simulation),
            "task_printed": self._task_printed,
            "updated": self._updated,
            "about": self._about_received,
            "task_finished": lambda frame: activity.task_finished(frame.task_finished, self._drain_console),
        }

    def _about_received(self, frame: FromEnvironment) -> None:
        self._about.update(frame.about)
        process = frame.about.process
        self._status.about(process.python, process.libraries.get("bluesky", ""))

    def _opening(self, frame: FromEnvironment) -> None:
        kind = frame.WhichOneof("frame")
        if self._status.state is not State.INITIALIZING:
            _log.warning("The environment sent a frame %r while %s; it is ignored.", kind, self._status.state.text)
        elif kind == "progress":
            self._status.progress(frame.progress.text)
        elif kind == "failed":
            self._keeper.reported(frame.failed)
            self._kill_after(self._launch.exit_timeout, failure.broken("failed to start"))
        elif self._offer(frame.ready):
            self._activity.forget_printed()
            self._activity.run_engine_changed(frame.ready.run_engine_state)
            self._activity.move(State.IDLE)

    def _updated(self, frame: FromEnvironment) -> None:
        # The RunEngine's state was read before the lists were made; its later changes were reported already.
        if self._status.state in OPEN:
            self._offer(frame.updated)

    def _run_engine_changed(self, frame: FromEnvironment) -> None:
        self._activity.run_engine_changed(frame.run_engine.state)
        self._activity.follow_run_engine()

    def _task_printed(self, frame: FromEnvironment) -> None:
        self._echo(frame.task_printed.text)
        self._activity.task_printed(frame.task_printed)

    def _offer(self, frame: channel_pb2.EnvironmentReady) -> bool:
        """Publish plans and devices; returns whether that was possible."""
        self._tell(self._reports.news())
        if frame.inventory.ByteSize() > MAX_INVENTORY_BYTES:
            self._kill(failure.broken(f"reported plans and devices of more than {MAX_INVENTORY_BYTES} bytes"))
            return False
        self._status.offer(frame.inventory)
        return True

    def _tell(self, sentence: str) -> None:
        """Show a sentence of the Worker's own, if there is one."""
        if sentence:
            _log.warning("%s", sentence)
            self._activity.publish_text(console_pb2.CONSOLE_STREAM_WORKER, sentence + "\n")

    def _begin_closing(self, timeout: float) -> None:
        self._activity.refuse_when_busy()
        state, process = self._status.state, self._keeper.process
        if state is State.CLOSED or process is None:
            raise EnvironmentClosedError(state.text)
        if state in {State.CLOSING, State.DESTROYING}:
            return
        self._keeper.set_ending(failure.closed(state))
        process.send(ToEnvironment(exit=channel_pb2.ExitCommand()))
        self._kill_after(timeout, failure.closing_took_too_long(timeout))
        self._activity.move(State.CLOSING)

    def _kill_after(self, seconds: float, ending: failure.Ending) -> None:
        self._keeper.kill_after(seconds, self._kill, ending)

    def _kill(self, ending: failure.Ending) -> None:
        self._keeper.kill(ending)
        if self._status.state is not State.DESTROYING:
            self._activity.move(State.DESTROYING)

    def _gone(self, reason: EnvironmentFailure | None, ending: failure.Ending) -> None:
        self._liveness.stop()
        self._about.gone()
        self._activity.run_engine_changed(environment_pb2.RUN_ENGINE_STATE_UNSPECIFIED)
        self._queries.closed(State.CLOSED.text)
        self._simulations.closed(State.CLOSED.text, reason.message if reason is not None else "")
        self._status.end(reason)
        if reason is None:
            _log.info("The environment is closed.")
        else:
            self._tell(reason.message)
        self._activity.lost(ending)
        self._closed.set()

    def _open_process(self) -> EnvironmentProcess:
        process = self._keeper.process
        if self._status.state not in OPEN or process is None:
            raise EnvironmentClosedError(self._status.state.text)
        return process

    def _process_with_run_engine(self) -> EnvironmentProcess:
        process = self._open_process()
        if not self._status.has_run_engine:
            raise RunEngineMissingError
        return process

    def _refuse_when_silent(self) -> None:
        if not self._status.view.responsive:
            raise EnvironmentUnresponsiveError(self._launch.patience)

    def _drain_console(self) -> None:
        if self._keeper.process is not None:
            self._keeper.process.drain_console()
