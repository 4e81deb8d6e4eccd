"""The frames in both directions, and what only they contain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from queueserver_inventory.descriptions import Inventory

from queueserver_environment.messages.items import Item, ItemResult, SubmitterAccess
from queueserver_environment.messages.simulation import SimulatePlanRequest, Simulation
from queueserver_environment.messages.states import ConsoleStream, RunEngineAction, RunEngineState
from queueserver_environment.messages.tasks import TaskCommand, TaskResult
from queueserver_environment.messages.waiting import RunEngineWaits


@dataclass(slots=True)
class RunPlanCommand:
    """Run a plan."""

    execution_id: str = ""
    item: Item | None = None
    access: SubmitterAccess | None = None


@dataclass(slots=True)
class AbortCommand:
    """Abort the running plan, if any."""

    note: str = ""


@dataclass(slots=True)
class ExitCommand:
    """End gracefully."""


@dataclass(slots=True)
class ControlCommand:
    """Pause, resume or end the running plan."""

    action: RunEngineAction = RunEngineAction.UNSPECIFIED
    note: str = ""
    user: str = ""
    execution_id: str = ""


@dataclass(slots=True)
class MetadataQuery:
    """Send the RunEngine's metadata."""

    number: int = 0


@dataclass(slots=True)
class SimulationQuery:
    """Simulate a plan."""

    number: int = 0
    request: SimulatePlanRequest | None = None


@dataclass(slots=True)
class AnswerCommand:
    """Answer the question that the plan is asking."""

    question_id: str = ""
    text: str = ""


@dataclass(slots=True)
class ToEnvironment:
    """A frame from the supervisor: exactly one is set."""

    run_plan: RunPlanCommand | None = None
    abort: AbortCommand | None = None
    exit: ExitCommand | None = None
    control: ControlCommand | None = None
    metadata: MetadataQuery | None = None
    run_task: TaskCommand | None = None
    simulation: SimulationQuery | None = None
    answer: AnswerCommand | None = None


@dataclass(slots=True)
class EnvironmentHello:
    """The first frame."""

    channel_version: int = 0


@dataclass(slots=True)
class LoadProgress:
    """What the environment is doing while it opens."""

    text: str = ""


@dataclass(slots=True)
class EnvironmentReady:
    """Plans, devices and the RunEngine's state."""

    inventory: Inventory | None = None
    run_engine_state: RunEngineState = RunEngineState.UNSPECIFIED
    docstrings: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class EnvironmentFailure:
    """Why the startup code failed."""

    message: str = ""
    exception_type: str = ""
    file: str = ""
    line: int = 0
    traceback: str = ""
    exit_code: int | None = None


@dataclass(slots=True)
class RunEngineChanged:
    """The RunEngine changed its state."""

    state: RunEngineState = RunEngineState.UNSPECIFIED


@dataclass(slots=True)
class PlanStarted:
    """A plan began."""

    execution_id: str = ""
    start_time: int | None = None


@dataclass(slots=True)
class PlanFinished:
    """A plan ended."""

    execution_id: str = ""
    result: ItemResult | None = None


@dataclass(slots=True)
class RunDocumentEmitted:
    """A run document: one entry, bluesky's name of the document and what was emitted."""

    run_uid: str = ""
    document: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(slots=True)
class EnvironmentHeartbeat:
    """The environment is alive."""


@dataclass(slots=True)
class MetadataAnswer:
    """The RunEngine's metadata."""

    number: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class TaskFinished:
    """A task ended."""

    task_uid: str = ""
    result: TaskResult | None = None


@dataclass(slots=True)
class TaskPrinted:
    """A background task or a simulation printed something."""

    task_uid: str = ""
    stream: ConsoleStream = ConsoleStream.UNSPECIFIED
    text: str = ""


@dataclass(slots=True)
class SimulationAnswer:
    """What a plan would do."""

    number: int = 0
    simulation: Simulation | None = None


@dataclass(slots=True)
class ProcessInfo:
    """Facts about a process."""

    version: str = ""
    python: str = ""
    executable: str = ""
    host: str = ""
    pid: int = 0
    start_time: int | None = None
    uptime: int | None = None
    libraries: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class EnvironmentAbout:
    """Information about the environment process."""

    process: ProcessInfo | None = None
    startup_path: str = ""


@dataclass(slots=True)
class FromEnvironment:
    """A frame to the supervisor: exactly one is set."""

    progress: LoadProgress | None = None
    ready: EnvironmentReady | None = None
    failed: EnvironmentFailure | None = None
    run_engine: RunEngineChanged | None = None
    started: PlanStarted | None = None
    finished: PlanFinished | None = None
    document: RunDocumentEmitted | None = None
    heartbeat: EnvironmentHeartbeat | None = None
    metadata: MetadataAnswer | None = None
    task_finished: TaskFinished | None = None
    task_printed: TaskPrinted | None = None
    simulation: SimulationAnswer | None = None
    updated: EnvironmentReady | None = None
    waits: RunEngineWaits | None = None
    about: EnvironmentAbout | None = None
    hello: EnvironmentHello | None = None
