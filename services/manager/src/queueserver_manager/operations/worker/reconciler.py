"""After any break: what is stored, compared with what the Worker says.

| stored running item          | Worker says                          | then                                          |
|------------------------------|--------------------------------------|-----------------------------------------------|
| none                         | outcomes                             | acknowledge them: they were accounted for     |
| execution X                  | outcome of X                         | account for it                                |
| execution X                  | X is running                         | nothing: it continues                         |
| X, claimed for this process  | knows nothing of X, same environment | hand X over (again): the command got lost     |
| X, claimed for this process  | knows nothing of X, other or none    | X was never started: failed, new attempt      |
| X, claimed for another one   | knows nothing of X                   | the Worker was restarted: failed, new attempt |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from queueserver_manager.domain.lifecycle import EnvironmentState
from queueserver_manager.domain.queue.item import FailureCause, Outcome, RunningItem
from queueserver_manager.worker_client.port import WorkerSnapshot


class Claimed(Protocol):
    """An execution or a task: for which process of the Worker, and for which environment, it was accepted."""

    @property
    def boot_id(self) -> str:
        """The process."""

    @property
    def environment_id(self) -> str:
        """The environment."""


class Unknown(Enum):
    """Why the Worker knows nothing of what was accepted for it."""

    WORKER_RESTARTED = auto()
    #: Its environment is there and can start it.
    COMMAND_LOST = auto()
    ENVIRONMENT_GONE = auto()


def fate_of_unknown(work: Claimed, snapshot: WorkerSnapshot, *, can_start: bool) -> Unknown:
    """What became of an execution or a task of which the Worker knows nothing."""
    if snapshot.boot_id != work.boot_id:
        return Unknown.WORKER_RESTARTED
    if snapshot.environment.environment_id == work.environment_id and can_start:
        return Unknown.COMMAND_LOST
    return Unknown.ENVIRONMENT_GONE


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What to do so that both sides agree again."""

    account: Outcome | None = None
    acknowledge: tuple[str, ...] = ()
    #: Hand the running item to the Worker.
    dispatch: bool = False
    #: The running item is lost; why, in a word and a sentence.
    lost: tuple[FailureCause, str] | None = None


def reconcile(running: RunningItem | None, snapshot: WorkerSnapshot) -> Reconciliation:
    """Compare a stored running item with the Worker's snapshot."""
    ours = running.execution_id if running else ""
    strangers = tuple(outcome.execution_id for outcome in snapshot.outcomes if outcome.execution_id != ours)
    if running is None:
        return Reconciliation(acknowledge=strangers)
    outcome = next((outcome for outcome in snapshot.outcomes if outcome.execution_id == ours), None)
    if outcome is not None:
        return Reconciliation(account=outcome, acknowledge=strangers)
    if snapshot.executes(ours):
        return Reconciliation(acknowledge=strangers)
    fate = fate_of_unknown(running, snapshot, can_start=snapshot.environment.state is EnvironmentState.IDLE)
    if fate is Unknown.WORKER_RESTARTED:
        sentence = "The Worker service was restarted while the plan ran, and the environment ended with it."
        return Reconciliation(acknowledge=strangers, lost=(FailureCause.WORKER_LOST, sentence))
    if fate is Unknown.COMMAND_LOST:
        return Reconciliation(acknowledge=strangers, dispatch=True)
    sentence = "The environment was gone before the plan was started."
    return Reconciliation(acknowledge=strangers, lost=(FailureCause.NOT_STARTED, sentence))
