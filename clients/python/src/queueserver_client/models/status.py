"""Status of the Manager and of the environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from queueserver_client.models.lock import NOT_LOCKED, LockInfo
from queueserver_client.models.modes import QueueMode
from queueserver_client.models.storage import NOT_TOLD, Storage
from queueserver_client.models.waiting import PlanWait, Question, Suspension
from queueserver_client.models.wire_enum import WireEnum, to_datetime

if TYPE_CHECKING:
    from queueserver.common.v1 import environment_pb2
    from queueserver.manager.v1 import status_pb2


class ManagerState(WireEnum):
    """What the Manager is doing."""

    UNSPECIFIED = "unspecified"
    INITIALIZING = "initializing"
    IDLE = "idle"
    CREATING_ENVIRONMENT = "creating_environment"
    CLOSING_ENVIRONMENT = "closing_environment"
    DESTROYING_ENVIRONMENT = "destroying_environment"
    STARTING_QUEUE = "starting_queue"
    EXECUTING_QUEUE = "executing_queue"
    PAUSED = "paused"
    EXECUTING_TASK = "executing_task"


class ManagerRole(WireEnum):
    """Which part a Manager plays when several share one Redis."""

    UNSPECIFIED = "unspecified"
    OWNER = "owner"
    STANDBY = "standby"


class ConnectionState(WireEnum):
    """Whether a service that the Manager depends on can be reached."""

    UNSPECIFIED = "unspecified"
    UP = "up"
    DOWN = "down"


class EnvironmentState(WireEnum):
    """State of the environment. Unspecified: not known, because the Worker can't be reached."""

    UNSPECIFIED = "unspecified"
    CLOSED = "closed"
    INITIALIZING = "initializing"
    IDLE = "idle"
    EXECUTING_PLAN = "executing_plan"
    CLOSING = "closing"
    DESTROYING = "destroying"
    EXECUTING_TASK = "executing_task"


class RunEngineState(WireEnum):
    """State of the RunEngine, by the names bluesky gives them. Unspecified: there is none."""

    UNSPECIFIED = "unspecified"
    IDLE = "idle"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    ABORTING = "aborting"
    HALTING = "halting"
    SUSPENDING = "suspending"
    PANICKED = "panicked"


@dataclass(frozen=True)
class EnvironmentFailure:
    """Why an environment could not be opened, or why it is gone."""

    #: One sentence: what happened.
    message: str
    #: Class name of the exception, for example "ModuleNotFoundError". Empty if there was none.
    exception_type: str = ""
    #: File of the startup code in which it was raised. Empty if not known.
    file: str = ""
    #: Line in that file, from 1; 0 if not known.
    line: int = 0
    #: Python traceback, user's frames only.
    traceback: str = ""
    #: Exit code of the process, negative for the number of the signal that killed it.
    exit_code: int | None = None

    @classmethod
    def from_proto(cls, proto: environment_pb2.EnvironmentFailure) -> EnvironmentFailure:
        """Read the message of the contract."""
        return cls(
            message=proto.message,
            exception_type=proto.exception_type,
            file=proto.file,
            line=proto.line,
            traceback=proto.traceback,
            exit_code=proto.exit_code if proto.HasField("exit_code") else None,
        )


@dataclass(frozen=True)
class Environment:
    """The environment as it is at one moment."""

    #: A UUID, a new one each time the environment is opened. Empty if none was ever opened.
    environment_id: str = ""
    state: EnvironmentState = EnvironmentState.UNSPECIFIED
    run_engine_state: RunEngineState = RunEngineState.UNSPECIFIED
    #: Process id on the Worker's machine; 0 when closed.
    pid: int = 0
    open_time: datetime | None = None
    #: What it is doing while it opens, for example "loading 10-devices.py".
    progress: str = ""
    #: Why the last open failed, or why the last environment is gone.
    failure: EnvironmentFailure | None = None
    #: False when the process has sent no heartbeat for some seconds.
    responsive: bool = True
    #: How many tasks run in the background.
    background_tasks: int = 0
    #: What the running plan asks a person; None if it asks nothing.
    question: Question | None = None
    #: What suspends the running plan, the oldest first; none if it is not suspended.
    suspensions: Sequence[Suspension] = ()
    #: What the running plan has waited for, for two seconds or longer.
    plan_wait: PlanWait | None = None
    #: The Python on which it runs, for example "CPython 3.12.1", and the version of bluesky there; empty when closed.
    python: str = ""
    bluesky_version: str = ""

    @classmethod
    def from_proto(cls, proto: environment_pb2.EnvironmentStatus) -> Environment:
        """Read the message of the contract."""
        return cls(
            environment_id=proto.environment_id,
            state=EnvironmentState.from_number(proto.state),
            run_engine_state=RunEngineState.from_number(proto.run_engine_state),
            pid=proto.pid,
            open_time=to_datetime(proto.open_time) if proto.HasField("open_time") else None,
            progress=proto.progress,
            failure=EnvironmentFailure.from_proto(proto.failure) if proto.HasField("failure") else None,
            responsive=proto.responsive,
            background_tasks=proto.background_task_count,
            question=Question.from_proto(proto.question) if proto.HasField("question") else None,
            suspensions=tuple(Suspension.from_proto(suspension) for suspension in proto.suspensions),
            plan_wait=PlanWait.from_proto(proto.plan_wait) if proto.HasField("plan_wait") else None,
            python=proto.python,
            bluesky_version=proto.bluesky_version,
        )


@dataclass(frozen=True)
class Status:
    """The status of a Manager."""

    #: Name of the product, "RE Manager".
    product: str
    #: Version of the Manager, for example "0.1.0".
    version: str
    #: When this status was built.
    time: datetime
    manager_state: ManagerState
    #: Number of the last committed change.
    revision: int
    #: Items waiting in the queue, the running one not counted.
    items_in_queue: int
    items_in_history: int
    #: uid of the running item; None if none.
    running_item_uid: str | None
    #: The queue will stop when the running item has ended.
    queue_stop_pending: bool
    #: There is an environment, open, opening or closing.
    environment_exists: bool
    environment: Environment
    #: Whether Redis can be reached and takes changes.
    storage: ConnectionState
    #: Whether the Worker can be reached.
    worker: ConnectionState
    role: ManagerRole
    #: Address of the Manager that owns the queue; empty if none is known.
    owner_address: str
    #: Number of the owner's term.
    epoch: int
    #: Change markers: a new UUID whenever the part that they are named after changes.
    plan_queue_uid: str
    plan_history_uid: str
    plans_existing_uid: str
    devices_existing_uid: str
    plans_allowed_uid: str
    devices_allowed_uid: str
    run_list_uid: str
    #: How the queue treats items that have ended.
    queue_mode: QueueMode
    #: The queue starts by itself.
    queue_autostart_enabled: bool
    #: A pause was accepted and has not taken effect yet.
    pause_pending: bool
    #: Change marker: a new one whenever a task ends.
    task_results_uid: str = ""
    #: Items in the queue that would fail under the present plans, devices and permissions; see Item.problems.
    invalid_items: int = 0
    #: Every client that reaches the Manager (the Worker) can run any code on its machine; see docs/how-to/security.md.
    insecure_listen: bool = False
    worker_insecure_listen: bool = False
    #: Redis, where everything that was accepted is stored.
    redis_storage: Storage = NOT_TOLD
    #: The directory of the Worker in which outcomes wait until they are stored.
    worker_storage: Storage = NOT_TOLD
    #: What is locked, and by whom.
    lock: LockInfo = NOT_LOCKED
    #: Change marker of the lock.
    lock_info_uid: str = ""

    @classmethod
    def from_proto(cls, proto: status_pb2.ManagerStatus) -> Status:
        """Read the message of the contract."""
        return cls(
            product=proto.product,
            version=proto.version,
            time=to_datetime(proto.time),
            manager_state=ManagerState.from_number(proto.manager_state),
            revision=proto.revision,
            items_in_queue=proto.items_in_queue,
            items_in_history=proto.items_in_history,
            running_item_uid=proto.running_item_uid or None,
            queue_stop_pending=proto.queue_stop_pending,
            environment_exists=proto.environment_exists,
            environment=Environment.from_proto(proto.environment),
            storage=ConnectionState.from_number(proto.storage),
            worker=ConnectionState.from_number(proto.worker),
            role=ManagerRole.from_number(proto.role),
            owner_address=proto.owner_address,
            epoch=proto.epoch,
            plan_queue_uid=proto.plan_queue_uid,
            plan_history_uid=proto.plan_history_uid,
            plans_existing_uid=proto.plans_existing_uid,
            devices_existing_uid=proto.devices_existing_uid,
            plans_allowed_uid=proto.plans_allowed_uid,
            devices_allowed_uid=proto.devices_allowed_uid,
            run_list_uid=proto.run_list_uid,
            queue_mode=QueueMode.from_proto(proto.queue_mode),
            queue_autostart_enabled=proto.queue_autostart_enabled,
            pause_pending=proto.pause_pending,
            task_results_uid=proto.task_results_uid,
            invalid_items=proto.invalid_item_count,
            insecure_listen=proto.insecure_listen,
            worker_insecure_listen=proto.worker_insecure_listen,
            redis_storage=Storage.from_proto(proto.redis_storage),
            worker_storage=Storage.from_proto(proto.worker_storage),
            lock=LockInfo.from_proto(proto.lock_info),
            lock_info_uid=proto.lock_info_uid,
        )
