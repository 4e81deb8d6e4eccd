"""Obstacles to executing the next item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_client.models.items import ExitStatus
from queueserver_client.models.wire_enum import WireEnum

if TYPE_CHECKING:
    from queueserver.manager.v1 import status_service_pb2


class BlockerKind(WireEnum):
    """A kind of obstacle."""

    UNSPECIFIED = "unspecified"
    STANDBY = "standby"
    STORAGE_DOWN = "storage_down"
    WORKER_UNREACHABLE = "worker_unreachable"
    ENVIRONMENT_CLOSED = "environment_closed"
    ENVIRONMENT_CHANGING = "environment_changing"
    ENVIRONMENT_UNRESPONSIVE = "environment_unresponsive"
    RUN_ENGINE_MISSING = "run_engine_missing"
    RUN_ENGINE_PANICKED = "run_engine_panicked"
    PLAN_PAUSED = "plan_paused"
    QUEUE_EMPTY = "queue_empty"
    ITEM_HELD = "item_held"
    NOT_STARTED = "not_started"
    TASK_RUNNING = "task_running"
    RUN_ENGINE_BUSY = "run_engine_busy"
    ITEM_INVALID = "item_invalid"
    QUESTION_ASKED = "question_asked"
    PLAN_SUSPENDED = "plan_suspended"
    PLAN_WAITS = "plan_waits"
    PAUSE_PENDING = "pause_pending"
    STOP_PENDING = "stop_pending"
    LOCKED = "locked"


@dataclass(frozen=True)
class Blocker:
    """An obstacle."""

    kind: BlockerKind
    #: One sentence: what it is.
    message: str
    #: The method that clears it, for example "queueserver.manager.v1.EnvironmentService/OpenEnvironment"; empty if no
    #: call of a client does.
    remedy_method: str = ""
    #: What to type, for example "qserver environment open"; empty if no command does.
    remedy_command: str = ""
    #: The request for the method, as JSON; empty if the empty one will do. What only a person can know is left out.
    remedy_request: str = ""

    @classmethod
    def from_proto(cls, proto: status_service_pb2.Blocker) -> Blocker:
        """Read the message of the contract."""
        kind = BlockerKind.from_number(proto.kind)
        return cls(kind, proto.message, proto.remedy_method, proto.remedy_command, proto.remedy_request)


@dataclass(frozen=True)
class FailedExecution:
    """A plan that was executed and did not end well, and its new attempt, if one is at the head of the queue."""

    #: Name of the plan.
    name: str
    #: uid of the item that was executed; empty if the history no longer has it.
    item_uid: str = ""
    exit_status: ExitStatus = ExitStatus.UNSPECIFIED
    #: Why it ended, in one sentence.
    message: str = ""
    #: uid of the new attempt at the head of the queue; empty if there is none.
    next_attempt_uid: str = ""
    #: Which attempt that is, from 2; 0 if there is none.
    next_attempt: int = 0

    @classmethod
    def from_proto(cls, proto: status_service_pb2.FailedExecution) -> FailedExecution:
        """Read the message of the contract."""
        return cls(
            name=proto.name,
            item_uid=proto.item_uid,
            exit_status=ExitStatus.from_number(proto.exit_status),
            message=proto.message,
            next_attempt_uid=proto.next_attempt_uid,
            next_attempt=proto.next_attempt,
        )


class Blockers(list[Blocker]):
    """All obstacles, the most fundamental first."""

    #: What blocks nothing yet but needs attention, a sentence each.
    warnings: Sequence[str] = ()
    #: What failed or was interrupted before: look into it before the queue is started; None if all was well.
    failed_execution: FailedExecution | None = None

    @classmethod
    def from_answer(cls, proto: status_service_pb2.ExplainIdleResponse) -> Blockers:
        """Read the response of the contract."""
        found = cls(map(Blocker.from_proto, proto.blockers))
        found.warnings = tuple(proto.warnings)
        if proto.HasField("failed_execution"):
            found.failed_execution = FailedExecution.from_proto(proto.failed_execution)
        return found
