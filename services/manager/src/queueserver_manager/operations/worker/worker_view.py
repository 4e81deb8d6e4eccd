"""What the Manager knows of the Worker at this moment. Lost with the process and learned again from the Worker.

Written by the worker watcher and by the operations that send commands; all other parts read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from queueserver_manager.domain.lifecycle import (
    Environment,
    EnvironmentState,
    ManagerState,
    PendingCommand,
    RunEngineState,
    Situation,
    manager_state,
)
from queueserver_manager.domain.queue.item import RunSummary
from queueserver_manager.domain.queue.queue_run import ClaimContext
from queueserver_manager.domain.refusals.errors import ServerStopping
from queueserver_manager.domain.storage import Storage
from queueserver_manager.operations.commit.summary import Summary


@dataclass(eq=False, slots=True)
class Asked:
    """A request to pause or to end an execution."""

    execution_id: str
    is_pause: bool
    #: While it is on its way, nothing starts by itself after the execution.
    binds: bool
    #: The Worker has accepted it.
    is_received: bool = False
    #: It is kept until its effect is reported, or the execution is accounted for.
    stays: bool = False


class WorkerView:
    """The Worker as last reported."""

    def __init__(
        self,
        on_change: Callable[[], None],
        now: Callable[[], float],
        new_id: Callable[[], str],
        on_environment: Callable[[Environment, Environment], None] = lambda _before, _after: None,
    ) -> None:
        self._on_change = on_change
        #: Called with the environment before and after, as the Worker reports it.
        self._on_environment = on_environment
        self._now = now
        self._new_id = new_id
        self._waiting: set[asyncio.Event] = set()
        self.connected = False
        self.boot_id = ""
        #: The directory in which outcomes wait until we have stored them.
        self.storage = Storage()
        #: The Worker is open to every client that can reach it.
        self.insecure_listen = False
        self.environment = Environment()
        #: A command whose effect is not reported yet, and its environment.
        self.pending = PendingCommand.NONE
        self.pending_id = ""
        #: The Worker has confirmed an item since the queue was started.
        self.confirmed = False
        #: Requests to pause or to end that are on their way to the Worker, or whose effect has not been reported.
        self._asked: list[Asked] = []
        #: The execution for which an immediate pause was accepted that has not taken effect.
        self.pause_at_once_for = ""
        #: A paused plan was told to continue or to end, and the effect is not reported yet.
        self.leaving_pause = False
        #: The running plan is paused, as last reported while its environment could report.
        self.item_paused = False
        #: The environment was, or is being, destroyed; until there is another one.
        self.destroyed = False
        #: The server was told to stop: nothing new starts.
        self.stopping = False
        #: Runs of the running item, and how often they changed.
        self._runs: dict[str, RunSummary] = {}
        self.runs_changes = 0

    def refuse_when_stopping(self) -> None:
        """Refuse to start something. Raises ServerStopping."""
        if self.stopping:
            raise ServerStopping

    def changed(self) -> None:
        """Wake every follower."""
        self.wake()
        self._on_change()

    def wake(self) -> None:
        """Let every follower look again."""
        for event in self._waiting:
            event.set()

    def state(self, *, has_running_item: bool, has_foreground_task: bool) -> ManagerState:
        """The Manager's state."""
        return manager_state(
            Situation(
                ready=True,
                has_running_item=has_running_item,
                has_foreground_task=has_foreground_task,
                confirmed=self.confirmed,
                pending=self.pending,
                leaving_pause=self.leaving_pause,
                destroyed=self.destroyed,
                environment=self.environment,
            )
        )

    def state_during(self, summary: Summary) -> ManagerState:
        """The Manager's state, with what the record says is being executed."""
        return self.state(has_running_item=summary.running is not None, has_foreground_task=summary.foreground_task)

    def claim_context(self, ended: str = "") -> ClaimContext:
        """For which Worker and environment an item would be claimed now, after the execution that ``ended``, if any."""
        environment = self.environment
        # A RunEngine that an ended plan left unusable would refuse one item of the queue after another.
        executable = environment.is_open and environment.run_engine is RunEngineState.IDLE
        binding = [one for one in self._asked if one.binds and one.execution_id == ended]
        return ClaimContext(
            boot_id=self.boot_id,
            environment_id=environment.environment_id,
            new_id=self._new_id,
            now=self._now,
            can_execute=executable and self.pending is PendingCommand.NONE and not self.stopping,
            pause_unresolved=any(one.is_pause for one in binding),
            end_requested=any(not one.is_pause for one in binding),
        )

    def ask(self, execution_id: str, *, is_pause: bool, binds: bool) -> Asked:
        """A request for an execution is about to be sent: note it until its effect is known, or the execution ends."""
        asked = Asked(execution_id, is_pause=is_pause, binds=binds)
        self._asked.append(asked)
        return asked

    def received(self, asked: Asked) -> None:
        """The Worker has it: from now on it reports the effect, that of a pending pause as soon as there is one."""
        environment = self.environment
        shown = environment.pause_pending or environment.run_engine is RunEngineState.PAUSED
        asked.binds, asked.is_received, asked.stays = False, True, asked.is_pause and not shown

    def forget(self, asked: Asked) -> None:
        """It was refused, or is stored."""
        if asked in self._asked:
            self._asked.remove(asked)
            self.changed()

    def forget_received(self) -> None:
        """A snapshot shows what the Worker has received."""
        self._asked = [one for one in self._asked if not one.is_received]

    @property
    def pause_pending(self) -> bool:
        """A pause was requested that has not taken effect."""
        return self.environment.pause_pending or any(one.is_pause for one in self._asked)

    def set_environment(self, environment: Environment) -> None:
        """The Worker reported its environment: a pending command that it shows is no longer pending."""
        self._on_environment(self.environment, environment)
        self.environment = environment
        if environment.state is not EnvironmentState.CLOSED:
            self.destroyed = environment.state is EnvironmentState.DESTROYING
        elif self.pending is PendingCommand.DESTROY:
            self.destroyed = True
        if environment.run_engine is not RunEngineState.PAUSED:
            self.leaving_pause = False
        if environment.run_engine is RunEngineState.PAUSED:
            self._asked = [one for one in self._asked if not one.is_pause]
            self.pause_at_once_for = ""
        elif environment.pause_pending:
            # From now on the Worker reports it.
            self._asked = [one for one in self._asked if not (one.is_pause and one.is_received)]
        if environment.is_open:
            # A plan whose environment is closing is not resumed by that: it stays paused until it is accounted for.
            self.item_paused = environment.is_paused and not self.leaving_pause
        shown = {
            PendingCommand.OPEN: environment.environment_id == self.pending_id,
            PendingCommand.CLOSE: environment.state in (EnvironmentState.CLOSING, EnvironmentState.CLOSED),
            PendingCommand.DESTROY: environment.state in (EnvironmentState.DESTROYING, EnvironmentState.CLOSED),
        }
        if shown.get(self.pending, False):
            self.pending = PendingCommand.NONE
        self.changed()

    def drop_requests(self) -> None:
        """The running item ended: requests for it do not concern the next one."""
        self.leaving_pause = self.item_paused = False
        self._asked.clear()

    def leave_pause(self) -> None:
        """The running plan, if it is paused, was told to continue or to end."""
        if self.environment.run_engine is RunEngineState.PAUSED:
            self.leaving_pause, self.item_paused = True, False

    def set_pending(self, pending: PendingCommand, environment_id: str) -> None:
        """A command is being sent, or (NONE) was refused."""
        self.pending, self.pending_id = pending, environment_id
        self.changed()

    @property
    def runs(self) -> tuple[RunSummary, ...]:
        """Runs of the running item, in order of opening."""
        return tuple(self._runs.values())

    def set_runs(self, runs: tuple[RunSummary, ...]) -> None:
        """These are the runs of the running item."""
        if runs != self.runs:
            self._runs = {run.uid: run for run in runs}
            self._runs_changed()

    def open_run(self, run: RunSummary) -> None:
        """The running item opened a run."""
        self._runs[run.uid] = run
        self._runs_changed()

    def close_run(self, uid: str, exit_status: str) -> None:
        """The running item closed a run."""
        if uid in self._runs:
            self._runs[uid] = replace(self._runs[uid], is_open=False, exit_status=exit_status)
            self._runs_changed()

    def _runs_changed(self) -> None:
        self.runs_changes += 1
        self.changed()

    def join(self) -> asyncio.Event:
        """Event that is set at every change. Leave with :meth:`leave`."""
        event = asyncio.Event()
        self._waiting.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        """Stop being woken."""
        self._waiting.discard(event)
