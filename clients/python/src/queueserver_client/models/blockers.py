"""What stands in the way of the next item being executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_client.models.words import Word

if TYPE_CHECKING:
    from queueserver.manager.v1 import status_service_pb2


class BlockerKind(Word):
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


@dataclass(frozen=True)
class Blocker:
    """Something that stands in the way."""

    kind: BlockerKind
    #: One sentence: what it is.
    message: str
    #: The method that clears it, for example "queueserver.manager.v1.EnvironmentService/OpenEnvironment"; empty if no
    #: call of a client does.
    remedy_method: str = ""
    #: What to type, for example "qserver environment open"; empty if no command does.
    remedy_command: str = ""
    #: The request for the method, as JSON; empty if the empty one will do. It lacks what only a person can say.
    remedy_request: str = ""

    @classmethod
    def from_proto(cls, proto: status_service_pb2.Blocker) -> Blocker:
        """Read the message of the contract."""
        kind = BlockerKind.from_number(proto.kind)
        return cls(kind, proto.message, proto.remedy_method, proto.remedy_command, proto.remedy_request)


class Blockers(list[Blocker]):
    """All that stands in the way, the most fundamental first."""

    #: What stands in the way of nothing yet and has to be seen to, a sentence each.
    warnings: Sequence[str] = ()

    @classmethod
    def from_answer(cls, proto: status_service_pb2.ExplainIdleResponse) -> Blockers:
        """Read the answer of the contract."""
        found = cls(map(Blocker.from_proto, proto.blockers))
        found.warnings = tuple(proto.warnings)
        return found
