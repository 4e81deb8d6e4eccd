"""Tasks: functions and scripts that the environment executes beside plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from queueserver_client import values
from queueserver_client.models.wire_enum import WireEnum, to_datetime

if TYPE_CHECKING:
    from queueserver.common.v1 import task_pb2
    from queueserver.manager.v1 import task_status_pb2


class TaskKind(WireEnum):
    """What a task does."""

    UNSPECIFIED = "unspecified"
    FUNCTION = "function"
    SCRIPT = "script"
    ENVIRONMENT_UPDATE = "environment_update"


class TaskState(WireEnum):
    """Whether a task has ended."""

    UNSPECIFIED = "unspecified"
    RUNNING = "running"
    #: It has ended, well or not: there is a result.
    FINISHED = "finished"


@dataclass(frozen=True)
class Task:
    """A task as the server accepted it."""

    #: Identity of the task, a UUID.
    uid: str
    kind: TaskKind
    #: Name of the function; empty for others.
    name: str = ""
    run_in_background: bool = False
    user: str = ""
    user_group: str = ""
    create_time: datetime | None = None

    @classmethod
    def from_proto(cls, proto: task_pb2.SubmittedTask) -> Task:
        """Read the message of the contract."""
        return cls(
            uid=proto.task_uid,
            kind=TaskKind.from_number(proto.kind),
            name=proto.name,
            run_in_background=proto.run_in_background,
            user=proto.user,
            user_group=proto.user_group,
            create_time=to_datetime(proto.create_time) if proto.HasField("create_time") else None,
        )


class TaskFailureCause(WireEnum):
    """What made a task fail."""

    UNSPECIFIED = "unspecified"
    TASK_ERROR = "task_error"
    NOT_STARTED = "not_started"
    ENVIRONMENT_LOST = "environment_lost"
    ENVIRONMENT_DESTROYED = "environment_destroyed"
    WORKER_LOST = "worker_lost"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True)
class TaskResult:
    """How a task ended."""

    success: bool
    #: One sentence if it failed, empty otherwise.
    message: str = ""
    #: Python traceback with the user's own frames.
    traceback: str = ""
    #: What the function returned, without loss; None for scripts, and in lists and events, which leave it out.
    return_value: Any = None
    #: When it began; None if it never began.
    start_time: datetime | None = None
    stop_time: datetime | None = None
    #: The last text that it printed.
    console_excerpt: str = ""
    #: What made it fail, if it failed.
    failure_cause: TaskFailureCause = TaskFailureCause.UNSPECIFIED

    @classmethod
    def from_proto(cls, proto: task_pb2.TaskResult) -> TaskResult:
        """Read the message of the contract."""
        return cls(
            success=proto.success,
            message=proto.message,
            traceback=proto.traceback,
            return_value=values.decode(proto.return_value) if proto.HasField("return_value") else None,
            start_time=to_datetime(proto.start_time) if proto.HasField("start_time") else None,
            stop_time=to_datetime(proto.stop_time) if proto.HasField("stop_time") else None,
            console_excerpt=proto.console_excerpt,
            failure_cause=TaskFailureCause.from_number(proto.failure_cause),
        )


@dataclass(frozen=True)
class TaskStatus:
    """A task and its state."""

    task: Task
    state: TaskState
    #: None until it has ended.
    result: TaskResult | None = None

    @classmethod
    def from_proto(cls, proto: task_status_pb2.TaskStatus) -> TaskStatus:
        """Read the message of the contract."""
        return cls(
            task=Task.from_proto(proto.task),
            state=TaskState.from_number(proto.state),
            result=TaskResult.from_proto(proto.result) if proto.HasField("result") else None,
        )
