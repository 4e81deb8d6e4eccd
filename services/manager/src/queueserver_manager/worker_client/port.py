"""What the operations need from a Worker, and what it reports. The only implementation speaks gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from queueserver_inventory.access import Access

from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.lifecycle import Environment
from queueserver_manager.domain.queue.item import Item, Outcome, RunningItem, RunSummary
from queueserver_manager.domain.storage import Storage
from queueserver_manager.domain.tasks.tasks import Task, TaskOutcome


class WorkerDown(Exception):  # noqa: N818 - a state of the world, not a fault in the call
    """The Worker does not answer; whether it got the command is not known."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        #: A sentence for people: why it can't be reached, and what to do; empty if it may just not run.
        self.advice = advice


class WorkerStopped(WorkerDown):
    """The Worker ended in good order: it reported everything that it had executed."""


class StaleEpoch(Exception):  # noqa: N818 - as above
    """The Worker follows a Manager with a higher epoch."""


class WorkerRefused(Exception):  # noqa: N818 - as above
    """The Worker refused the command; nothing was started."""

    def __init__(self, reason: str, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata or {}


class WorkerOutdated(WorkerRefused):
    """The Worker does not know the command or something in it: it is older than this Manager."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "WORKER_OUTDATED",
            f"The Worker is older than this Manager ({detail}): run the same version of both.",
        )


class RunEngineAction(Enum):
    """What to do with the running plan; the numbers are those of RunEngineAction in the contract."""

    PAUSE_DEFERRED = 1
    PAUSE_IMMEDIATE = 2
    RESUME = 3
    STOP = 4
    ABORT = 5
    HALT = 6
    ABORT_NOW = 7


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """A request for the running plan, and its reason."""

    verb: RunEngineAction
    note: str = ""
    user: str = ""
    #: The item whose plan is meant; empty for whichever runs.
    item_uid: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """A running execution in the Worker."""

    execution_id: str
    item_uid: str
    runs: tuple[RunSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """The Worker as it is: the state from which a Manager that was away starts again."""

    boot_id: str
    last_sequence: int
    first_kept_sequence: int
    environment: Environment
    inventory: Inventory | None
    execution: Execution | None
    outcomes: tuple[Outcome, ...]
    #: Running tasks, and outcomes of tasks that were not acknowledged.
    running_tasks: frozenset[str] = frozenset()
    task_outcomes: tuple[TaskOutcome, ...] = ()
    #: The directory in which outcomes wait.
    storage: Storage = field(default_factory=Storage)
    #: The Worker is open to every client that can reach it.
    insecure_listen: bool = False

    def executes(self, execution_id: str) -> bool:
        """Whether this execution is what runs."""
        return self.execution is not None and self.execution.execution_id == execution_id

    @property
    def tells_an_end(self) -> bool:
        """Whether it says that a plan, a task or the environment ended: its journal may have what led to it."""
        return bool(self.outcomes or self.task_outcomes) or not self.environment.exists


@dataclass(frozen=True, slots=True)
class EnvironmentChanged:
    """The environment is now this."""

    environment: Environment


@dataclass(frozen=True, slots=True)
class InventoryReported:
    """The environment has these plans and devices."""

    inventory: Inventory


@dataclass(frozen=True, slots=True)
class RunOpened:
    """The running execution opened a run."""

    run: RunSummary


@dataclass(frozen=True, slots=True)
class RunClosed:
    """The running execution closed a run."""

    run_uid: str
    exit_status: str


@dataclass(frozen=True, slots=True)
class ExecutionFinished:
    """An execution ended."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task ended."""

    outcome: TaskOutcome


@dataclass(frozen=True, slots=True)
class StorageChanged:
    """The directory in which outcomes wait is now like this."""

    storage: Storage


@dataclass(frozen=True, slots=True)
class ConsoleWritten:
    """Console text; ``wire`` is a serialized WatchEvent."""

    wire: bytes


class DocumentRole(Enum):
    """What a document means to a client that joins a run late."""

    START = "start"
    DESCRIPTOR = "descriptor"
    STOP = "stop"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DocumentWritten:
    """A run document; ``wire`` is a serialized WatchEvent."""

    wire: bytes
    run_uid: str
    role: DocumentRole


@dataclass(frozen=True, slots=True)
class Other:
    """Something that is of no use here, or that only a newer Worker reports."""


Event = (
    EnvironmentChanged
    | InventoryReported
    | RunOpened
    | RunClosed
    | ExecutionFinished
    | TaskEnded
    | StorageChanged
    | ConsoleWritten
    | DocumentWritten
    | Other
)


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """An event with its number in the Worker's journal."""

    sequence: int
    event: Event


class Worker(Protocol):
    """Commands raise WorkerDown, StaleEpoch, WorkerRefused."""

    async def open_environment(self, environment_id: str) -> None:
        """Start an environment."""

    async def close_environment(self) -> None:
        """Close it in good order."""

    async def destroy_environment(self, user: str) -> None:
        """Kill it, as this user asks."""

    async def run_plan(self, running: RunningItem, access: Access, acknowledged: Sequence[str]) -> None:
        """Start an execution, once: a repetition changes nothing. ``access`` is what the submitter may use now."""

    async def run_task(self, task: Task, access: Access) -> None:
        """Start a task, once: a repetition changes nothing."""

    async def simulate_plan(self, item: Item, access: Access, message_limit: int) -> bytes:
        """What a plan would do, as a serialized Simulation. Raises TimeoutError if the environment does not answer."""

    async def control_run_engine(self, request: EngineRequest, execution_id: str) -> None:
        """Pause, resume or end this execution and no other; an empty id means the one that runs."""

    async def answer_question(self, question_id: str, text: str) -> None:
        """Answer the question that the running plan asks; an empty id means whichever."""

    async def metadata(self) -> Mapping[str, Any]:
        """The RunEngine's metadata. Raises TimeoutError if the environment does not answer."""

    async def info(self) -> bytes:
        """Facts about the Worker, as a serialized WorkerInfo. Raises TimeoutError."""

    async def acknowledge(self, execution_ids: Sequence[str]) -> None:
        """Say that outcomes are stored."""

    def watch(self, boot_id: str, after_sequence: int) -> AsyncIterator[WorkerSnapshot | Sequence[WorkerEvent]]:
        """The Worker as it is, then its events, until the connection breaks.

        Raises WorkerDown when it does, or when it is silent for longer than the Worker's heartbeat allows.
        Over TCP it also raises WorkerDown for an attempt to connect that failed; on a unix socket it waits for the
        Worker to appear.
        """
