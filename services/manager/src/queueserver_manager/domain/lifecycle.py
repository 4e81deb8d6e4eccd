"""The Manager's states: what they follow from, the possible transitions, and what each state allows.

The state is not kept anywhere. It follows from what is stored (is an item claimed?) and from what the Worker
says about its environment, so the two can never disagree. The tables say which transitions are possible and which
requests each state accepts; a refusal names both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from queueserver_manager.domain.waiting import PlanWait, Question, Suspension


class ManagerState(Enum):
    """What the Manager is doing; the value is the word that the command line prints."""

    INITIALIZING = "initializing"
    IDLE = "idle"
    CREATING_ENVIRONMENT = "creating_environment"
    CLOSING_ENVIRONMENT = "closing_environment"
    DESTROYING_ENVIRONMENT = "destroying_environment"
    STARTING_QUEUE = "starting_queue"
    EXECUTING_QUEUE = "executing_queue"
    PAUSED = "paused"
    EXECUTING_TASK = "executing_task"


_S = ManagerState

#: Which states may follow which. A transition that is not here is a defect of ours and is logged as one.
#: A Worker that is told to stop closes its environment whatever runs. An end and a beginning may be stored in one
#: commit; then no watcher sees the idle moment between. A destruction that never reached the Worker changes nothing.
TRANSITIONS: dict[ManagerState, frozenset[ManagerState]] = {
    _S.INITIALIZING: frozenset(_S),
    _S.IDLE: frozenset(
        {
            _S.INITIALIZING,
            _S.CREATING_ENVIRONMENT,
            _S.CLOSING_ENVIRONMENT,
            _S.DESTROYING_ENVIRONMENT,
            _S.STARTING_QUEUE,
            _S.EXECUTING_TASK,
        }
    ),
    _S.CREATING_ENVIRONMENT: frozenset(
        {_S.INITIALIZING, _S.IDLE, _S.CLOSING_ENVIRONMENT, _S.DESTROYING_ENVIRONMENT},
    ),
    _S.CLOSING_ENVIRONMENT: frozenset({_S.INITIALIZING, _S.IDLE, _S.DESTROYING_ENVIRONMENT}),
    _S.DESTROYING_ENVIRONMENT: frozenset(_S) - {_S.DESTROYING_ENVIRONMENT},
    _S.STARTING_QUEUE: frozenset(_S) - {_S.STARTING_QUEUE, _S.CREATING_ENVIRONMENT},
    _S.EXECUTING_QUEUE: frozenset(_S) - {_S.EXECUTING_QUEUE, _S.CREATING_ENVIRONMENT},
    _S.PAUSED: frozenset(_S) - {_S.PAUSED, _S.CREATING_ENVIRONMENT},
    _S.EXECUTING_TASK: frozenset(
        {_S.INITIALIZING, _S.IDLE, _S.STARTING_QUEUE, _S.CLOSING_ENVIRONMENT, _S.DESTROYING_ENVIRONMENT}
    ),
}


class Operation(Enum):
    """A request whose acceptance depends on the state; the value completes "Can't … while"."""

    OPEN_ENVIRONMENT = "open the environment"
    CLOSE_ENVIRONMENT = "close the environment"
    START_QUEUE = "start the queue"
    STOP_QUEUE = "stop the queue"
    EXECUTE_ITEM = "execute an item"
    EXECUTE_TASK = "execute a task in the foreground"
    EXECUTE_BACKGROUND_TASK = "execute a task in the background"
    PAUSE = "pause the plan"
    RESUME = "resume the plan"
    STOP_PLAN = "stop the plan"
    ABORT_PLAN = "abort the plan"
    HALT_PLAN = "halt the plan"
    ABORT_NOW = "abort the plan at once"
    READ_METADATA = "read the metadata of the RunEngine"
    SIMULATE_ITEM = "simulate a plan"
    STOP_SERVER = "stop the server"


#: The environment may be open.
_OPEN = frozenset({_S.IDLE, _S.STARTING_QUEUE, _S.EXECUTING_QUEUE, _S.PAUSED, _S.EXECUTING_TASK})
ALLOWED: dict[Operation, frozenset[ManagerState]] = {
    Operation.OPEN_ENVIRONMENT: frozenset({_S.IDLE}),
    Operation.CLOSE_ENVIRONMENT: frozenset({_S.IDLE}),
    Operation.START_QUEUE: frozenset({_S.IDLE}),
    Operation.STOP_QUEUE: frozenset({_S.STARTING_QUEUE, _S.EXECUTING_QUEUE}),
    Operation.EXECUTE_ITEM: frozenset({_S.IDLE}),
    Operation.EXECUTE_TASK: frozenset({_S.IDLE}),
    Operation.EXECUTE_BACKGROUND_TASK: _OPEN,
    Operation.PAUSE: frozenset({_S.STARTING_QUEUE, _S.EXECUTING_QUEUE}),
    Operation.RESUME: frozenset({_S.PAUSED}),
    Operation.STOP_PLAN: frozenset({_S.PAUSED}),
    Operation.ABORT_PLAN: frozenset({_S.PAUSED}),
    Operation.HALT_PLAN: frozenset({_S.PAUSED}),
    Operation.ABORT_NOW: frozenset({_S.STARTING_QUEUE, _S.EXECUTING_QUEUE, _S.PAUSED}),
    Operation.READ_METADATA: _OPEN,
    Operation.SIMULATE_ITEM: _OPEN,
    Operation.STOP_SERVER: frozenset({_S.IDLE}),
}


class EnvironmentState(Enum):
    """State of the environment, as the Worker reports it."""

    UNKNOWN = 0
    CLOSED = 1
    INITIALIZING = 2
    IDLE = 3
    EXECUTING_PLAN = 4
    CLOSING = 5
    DESTROYING = 6
    EXECUTING_TASK = 7


class RunEngineState(Enum):
    """State of the RunEngine, by bluesky's names; NONE if there is none."""

    NONE = 0
    IDLE = 1
    RUNNING = 2
    PAUSING = 3
    PAUSED = 4
    STOPPING = 5
    ABORTING = 6
    HALTING = 7
    SUSPENDING = 8
    PANICKED = 9


@dataclass(frozen=True, slots=True)
class EnvironmentFailure:
    """Why an environment could not be opened or is gone."""

    message: str
    exception_type: str = ""
    file: str = ""
    line: int = 0
    traceback: str = ""
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment as the Worker last reported it."""

    environment_id: str = ""
    state: EnvironmentState = EnvironmentState.UNKNOWN
    run_engine: RunEngineState = RunEngineState.NONE
    pid: int = 0
    opened: float | None = None
    progress: str = ""
    failure: EnvironmentFailure | None = None
    responsive: bool = True
    pause_pending: bool = False
    background_tasks: int = 0
    #: What the running plan asks a person.
    question: Question | None = None
    #: What suspends the running plan.
    suspensions: tuple[Suspension, ...] = ()
    #: What the running plan has waited for, for a long time.
    plan_wait: PlanWait | None = None
    #: The Python on which it runs and the version of bluesky there; empty when closed.
    python: str = ""
    bluesky_version: str = ""

    @property
    def exists(self) -> bool:
        """Open, opening or closing."""
        return self.state not in (EnvironmentState.UNKNOWN, EnvironmentState.CLOSED)

    @property
    def is_open(self) -> bool:
        """The startup code is loaded, and the environment is not closing."""
        return self.state in (EnvironmentState.IDLE, EnvironmentState.EXECUTING_PLAN, EnvironmentState.EXECUTING_TASK)

    @property
    def is_paused(self) -> bool:
        """A plan is paused and waits for a decision.

        The RunEngine alone does not tell: on its way to an abort it pauses for a moment, and the Worker, which knows,
        calls the environment idle only while the plan may be resumed.
        """
        return self.run_engine is RunEngineState.PAUSED and self.state is EnvironmentState.IDLE


class PendingCommand(Enum):
    """A command that was sent to the Worker and whose effect has not been reported yet."""

    NONE = ""
    OPEN = "open"
    CLOSE = "close"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the Manager's state follows from."""

    #: What is stored was loaded and compared with the Worker's side.
    ready: bool = False
    has_running_item: bool = False
    #: The Worker has confirmed an item since the queue was started.
    confirmed: bool = False
    pending: PendingCommand = PendingCommand.NONE
    environment: Environment = field(default_factory=Environment)
    #: A paused plan was told to resume or to end, and the Worker has not reported the effect yet.
    leaving_pause: bool = False
    #: The environment was, or is being, destroyed.
    destroyed: bool = False
    #: A task that has the environment to itself was accepted.
    has_foreground_task: bool = False


def manager_state(situation: Situation) -> ManagerState:
    """The Manager's state in a situation."""
    environment, pending = situation.environment.state, situation.pending
    if not situation.ready:
        return _S.INITIALIZING
    if pending is PendingCommand.DESTROY or environment is EnvironmentState.DESTROYING:
        return _S.DESTROYING_ENVIRONMENT
    executing = situation.has_running_item or situation.has_foreground_task
    if situation.destroyed and executing and environment is EnvironmentState.CLOSED:
        # Its process is gone; what it was executing is not accounted for yet.
        return _S.DESTROYING_ENVIRONMENT
    if situation.has_running_item:
        if situation.environment.is_paused and not situation.leaving_pause:
            return _S.PAUSED
        return _S.EXECUTING_QUEUE if situation.confirmed else _S.STARTING_QUEUE
    if situation.has_foreground_task:
        return _S.EXECUTING_TASK
    if pending is PendingCommand.OPEN or environment is EnvironmentState.INITIALIZING:
        return _S.CREATING_ENVIRONMENT
    if pending is PendingCommand.CLOSE or environment is EnvironmentState.CLOSING:
        return _S.CLOSING_ENVIRONMENT
    return _S.IDLE
