"""What the Manager knows of the Worker at this moment. Lost with the process and learned again from the Worker.

The worker watcher and the operations that send commands report to it what happened; all other parts read its status.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

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
from queueserver_manager.domain.refusals.errors import ServerStopping, WorkerUnavailable
from queueserver_manager.domain.storage import Storage
from queueserver_manager.operations.commit.summary import Summary
from queueserver_manager.worker_client.port import WorkerSnapshot


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


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """The Worker as last reported, and what was requested of it and is not reported yet."""

    connected: bool = False
    #: While it is not connected: a sentence about why and what to do; empty if it may just not run.
    unreachable_because: str = ""
    boot_id: str = ""
    #: The directory in which outcomes wait until we have stored them.
    storage: Storage = field(default_factory=Storage)
    #: The Worker is open to every client that can reach it.
    insecure_listen: bool = False
    environment: Environment = field(default_factory=Environment)
    #: A command whose effect is not reported yet, and its environment.
    pending: PendingCommand = PendingCommand.NONE
    pending_id: str = ""
    #: The Worker has confirmed an item since the queue was started.
    confirmed: bool = False
    #: The execution for which an immediate pause was accepted that has not taken effect.
    pause_at_once_for: str = ""
    #: A paused plan was told to continue or to end, and the effect is not reported yet.
    leaving_pause: bool = False
    #: The running plan is paused, as last reported while its environment could report.
    item_paused: bool = False
    #: The environment was, or is being, destroyed; until there is another one.
    destroyed: bool = False

    def with_environment(self, environment: Environment) -> WorkerStatus:
        """The Worker reported its environment: a pending command that it shows is no longer pending."""
        destroyed, item_paused = self.destroyed, self.item_paused
        if environment.state is not EnvironmentState.CLOSED:
            destroyed = environment.state is EnvironmentState.DESTROYING
        elif self.pending is PendingCommand.DESTROY:
            destroyed = True
        is_paused = environment.run_engine is RunEngineState.PAUSED
        leaving_pause = self.leaving_pause and is_paused
        if environment.is_open:
            # A plan whose environment is closing is not resumed by that: it stays paused until it is accounted for.
            item_paused = environment.is_paused and not leaving_pause
        return replace(
            self,
            environment=environment,
            pending=PendingCommand.NONE if self._is_shown_by(environment) else self.pending,
            destroyed=destroyed,
            leaving_pause=leaving_pause,
            item_paused=item_paused,
            pause_at_once_for="" if is_paused else self.pause_at_once_for,
        )

    def _is_shown_by(self, environment: Environment) -> bool:
        """Whether this environment shows the effect of the pending command."""
        shown = {
            PendingCommand.OPEN: environment.environment_id == self.pending_id,
            PendingCommand.CLOSE: environment.state in (EnvironmentState.CLOSING, EnvironmentState.CLOSED),
            PendingCommand.DESTROY: environment.state in (EnvironmentState.DESTROYING, EnvironmentState.CLOSED),
        }
        return shown.get(self.pending, False)


class WorkerView:
    """The Worker as last reported. Only its methods change it."""

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
        self._status = WorkerStatus()
        #: Requests to pause or to end that are on their way to the Worker, or whose effect has not been reported.
        self._asked: list[Asked] = []
        self._stopping = False
        self._runs: dict[str, RunSummary] = {}
        self._closed_runs = 0
        self._runs_changes = 0

    @property
    def status(self) -> WorkerStatus:
        """The Worker at this moment."""
        return self._status

    @property
    def stopping(self) -> bool:
        """The server was told to stop: nothing new starts."""
        return self._stopping

    def stop_starting(self) -> None:
        """The server was told to stop."""
        self._stopping = True

    def refuse_when_stopping(self) -> None:
        """Refuse to start something. Raises ServerStopping."""
        if self._stopping:
            raise ServerStopping

    def changed(self) -> None:
        """Something that clients can see may have changed."""
        self._on_change()

    def meet(self, snapshot: WorkerSnapshot, *, executes_item: bool) -> None:
        """Connected: everything is as the snapshot says, and the Worker executes the running item, or does not."""
        self._status = replace(
            self._status,
            connected=True,
            unreachable_because="",
            boot_id=snapshot.boot_id,
            storage=snapshot.storage,
            insecure_listen=snapshot.insecure_listen,
            pending=PendingCommand.NONE,
            confirmed=self._status.confirmed or executes_item,
            leaving_pause=False,
        )
        self._asked = [one for one in self._asked if not one.is_received]
        self.set_runs(snapshot.execution.runs if snapshot.execution is not None else ())
        self.set_environment(snapshot.environment)

    def require_worker(self) -> None:
        """Refuse what needs the Worker while it can't be reached. Raises WorkerUnavailable."""
        if self._status.connected:
            return
        if self._status.unreachable_because:
            raise WorkerUnavailable(self._status.unreachable_because)
        raise WorkerUnavailable

    def lose(self, because: str = "") -> None:
        """The Worker can't be reached; a sentence about why, if that is known."""
        self._status = replace(self._status, connected=False, unreachable_because=because)
        self.changed()

    def set_storage(self, storage: Storage) -> None:
        """The Worker reported its directory."""
        self._status = replace(self._status, storage=storage)
        self.changed()

    def confirm(self) -> None:
        """The Worker has the running item."""
        if not self._status.confirmed:
            self._status = replace(self._status, confirmed=True)
            self.changed()

    def await_confirmation(self) -> None:
        """An item is being started, which the Worker has not confirmed yet."""
        self._status = replace(self._status, confirmed=False)

    def state(self, *, has_running_item: bool, has_foreground_task: bool) -> ManagerState:
        """The Manager's state."""
        status = self._status
        return manager_state(
            Situation(
                ready=True,
                has_running_item=has_running_item,
                has_foreground_task=has_foreground_task,
                confirmed=status.confirmed,
                pending=status.pending,
                leaving_pause=status.leaving_pause,
                destroyed=status.destroyed,
                environment=status.environment,
            )
        )

    def state_during(self, summary: Summary) -> ManagerState:
        """The Manager's state, with what the record says is being executed."""
        return self.state(has_running_item=summary.running is not None, has_foreground_task=summary.foreground_task)

    def claim_context(self, ended: str = "") -> ClaimContext:
        """For which Worker and environment an item would be claimed now, after the execution that ``ended``, if any."""
        environment = self._status.environment
        # A RunEngine that an ended plan left unusable would refuse one item of the queue after another.
        executable = environment.is_open and environment.run_engine is RunEngineState.IDLE
        binding = [one for one in self._asked if one.binds and one.execution_id == ended]
        return ClaimContext(
            boot_id=self._status.boot_id,
            environment_id=environment.environment_id,
            new_id=self._new_id,
            now=self._now,
            can_execute=executable and self._status.pending is PendingCommand.NONE and not self._stopping,
            pause_unresolved=any(one.is_pause for one in binding),
            end_requested=any(not one.is_pause for one in binding),
        )

    def ask(self, execution_id: str, *, is_pause: bool, binds: bool) -> Asked:
        """A request for an execution is about to be sent: note it until its effect is known, or the execution ends."""
        asked = Asked(execution_id, is_pause=is_pause, binds=binds)
        self._asked.append(asked)
        return asked

    def received(self, asked: Asked, *, at_once: bool = False) -> None:
        """The Worker has it: from now on it reports the effect, that of a pending pause as soon as there is one.

        ``at_once`` is for an immediate pause.
        """
        environment = self._status.environment
        shown = environment.pause_pending or environment.run_engine is RunEngineState.PAUSED
        asked.binds, asked.is_received, asked.stays = False, True, asked.is_pause and not shown
        if at_once:
            self._status = replace(self._status, pause_at_once_for=asked.execution_id)

    def keep(self, asked: Asked) -> None:
        """It could not be stored: it is kept, and binds, until the outcome of its execution is stored."""
        asked.binds = asked.stays = bool(asked.execution_id)

    def forget(self, asked: Asked) -> None:
        """It was refused, or is stored."""
        if asked in self._asked:
            self._asked.remove(asked)
            self.changed()

    @property
    def pause_pending(self) -> bool:
        """A pause was requested that has not taken effect."""
        return self._status.environment.pause_pending or any(one.is_pause for one in self._asked)

    def set_environment(self, environment: Environment) -> None:
        """The Worker reported its environment."""
        self._on_environment(self._status.environment, environment)
        self._status = self._status.with_environment(environment)
        if environment.run_engine is RunEngineState.PAUSED:
            self._asked = [one for one in self._asked if not one.is_pause]
        elif environment.pause_pending:
            # From now on the Worker reports it.
            self._asked = [one for one in self._asked if not (one.is_pause and one.is_received)]
        self.changed()

    def drop_requests(self) -> None:
        """The running item ended: requests for it do not concern the next one."""
        self._status = replace(self._status, leaving_pause=False, item_paused=False)
        self._asked.clear()

    def leave_pause(self) -> None:
        """The running plan, if it is paused, was told to continue or to end."""
        if self._status.environment.run_engine is RunEngineState.PAUSED:
            self._status = replace(self._status, leaving_pause=True, item_paused=False)

    def set_pending(self, pending: PendingCommand, environment_id: str) -> None:
        """A command is being sent, or (NONE) was refused."""
        self._status = replace(self._status, pending=pending, pending_id=environment_id)
        self.changed()

    @property
    def runs(self) -> tuple[RunSummary, ...]:
        """Runs of the running item, in order of opening."""
        return tuple(self._runs.values())

    def set_runs(self, runs: tuple[RunSummary, ...]) -> None:
        """These are the runs of the running item."""
        if runs != self.runs:
            self._runs, self._closed_runs = {}, 0
            for run in runs:
                self._keep(run)
            self._runs_changed()

    def open_run(self, run: RunSummary) -> None:
        """The running item opened a run."""
        self._keep(run)
        self._runs_changed()

    def close_run(self, uid: str, exit_status: str) -> None:
        """The running item closed a run."""
        if uid in self._runs:
            self._keep(replace(self._runs[uid], is_open=False, exit_status=exit_status))
            self._runs_changed()

    @property
    def runs_revision(self) -> str:
        """Another text when the runs of the running item are others, and the same one after a restart of the Manager.

        Runs of an item are only opened, then closed: the first one and how many there are of both say which these are.
        """
        first = next(iter(self._runs), None)
        if first is None:
            return f"{self._status.boot_id}:{self._runs_changes}"
        return f"{first}:{len(self._runs) + self._closed_runs}"

    def _keep(self, run: RunSummary) -> None:
        before = self._runs.get(run.uid)
        was_closed = before is not None and not before.is_open
        self._closed_runs += (not run.is_open) - was_closed
        self._runs[run.uid] = run

    def _runs_changed(self) -> None:
        self._runs_changes += 1
        self.changed()
