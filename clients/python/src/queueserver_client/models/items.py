"""Queue items, and their results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from queueserver.common.v1 import field_violation_pb2, item_pb2

from queueserver_client import values
from queueserver_client.errors import ValueNotRepresentable
from queueserver_client.models.wire_enum import WireEnum, to_datetime
from queueserver_client.violations import Violation


class ItemType(WireEnum):
    """What kind of thing an item is. Unspecified means a plan."""

    UNSPECIFIED = "unspecified"
    PLAN = "plan"
    INSTRUCTION = "instruction"


class ExitStatus(WireEnum):
    """How the execution of an item ended."""

    UNSPECIFIED = "unspecified"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    ABORTED = "aborted"
    HALTED = "halted"


class FailureCause(WireEnum):
    """What made an execution fail. Unspecified: nothing did."""

    UNSPECIFIED = "unspecified"
    PLAN_ERROR = "plan_error"
    NOT_STARTED = "not_started"
    ENVIRONMENT_LOST = "environment_lost"
    ENVIRONMENT_DESTROYED = "environment_destroyed"
    WORKER_LOST = "worker_lost"
    SHUTDOWN = "shutdown"


def merge_meta(meta: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Metadata as one dict. Of several dicts the last one wins where they have a key in common.

    Raises ValueNotRepresentable.
    """
    if isinstance(meta, Mapping):
        return meta
    if not isinstance(meta, (list, tuple)):
        raise ValueNotRepresentable.at("meta", f"must be a dict or a list of dicts, but is a {type(meta).__name__}.")
    merged: dict[str, Any] = {}
    parts: Sequence[object] = meta
    for position, part in enumerate(parts):
        if not isinstance(part, Mapping):
            raise ValueNotRepresentable.at(f"meta[{position}]", f"must be a dict, but is a {type(part).__name__}.")
        merged = {**part, **merged}
    return merged


def violations(entries: Iterable[field_violation_pb2.FieldViolation]) -> tuple[Violation, ...]:
    """What is wrong with each of some fields."""
    return tuple(Violation(entry.field, entry.description) for entry in entries)


@dataclass(frozen=True)
class Item:
    """A plan call (or an instruction). Arguments that are None were not given."""

    #: Name of the plan or instruction.
    name: str
    #: Positional arguments. Devices and plans are given by name.
    args: Sequence[Any] | None = None
    #: Keyword arguments. Devices and plans are given by name.
    kwargs: Mapping[str, Any] | None = None
    #: Metadata for the start document of each run.
    meta: Mapping[str, Any] | None = None
    #: Anything to be kept with the item; never interpreted.
    properties: Mapping[str, Any] | None = None
    item_type: ItemType = ItemType.PLAN

    #: What follows is set by the server and not sent in a request.
    uid: str = ""
    user: str = ""
    user_group: str = ""
    #: 1 for an item as submitted; each automatic requeueing adds 1.
    attempt: int = 0
    #: uid of the attempt before this one; empty on a first attempt.
    retry_of_uid: str = ""
    create_time: datetime | None = None
    #: It was interrupted, and the queue does not start while it is at the head: update, move or remove it.
    held: bool = False
    #: What is wrong with it under the present plans, devices and permissions; empty if all is well.
    problems: Sequence[Violation] = ()

    @classmethod
    def plan(
        cls,
        name: str,
        /,
        *args: Any,
        meta: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        properties: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Item:
        """A plan call as one would write it: ``Plan("count", ["det1"], num=5)``.

        ``meta`` may be several dicts, see :func:`merge_meta`; raises ValueNotRepresentable if it is neither. Parameters
        of the plan that are themselves called ``meta`` or ``properties`` go into ``Item(kwargs=...)``.
        """
        merged = None if meta is None else merge_meta(meta)
        return cls(name, args=list(args) or None, kwargs=kwargs or None, meta=merged, properties=properties)

    @classmethod
    def queue_stop(cls) -> Item:
        """The instruction at which the queue stops."""
        return cls("queue_stop", item_type=ItemType.INSTRUCTION)

    def to_spec(self) -> item_pb2.ItemSpec:
        """The message that asks for this item. Raises ValueNotRepresentable."""
        return item_pb2.ItemSpec(
            item_type=item_pb2.ItemType.Name(self.item_type.number),  # type: ignore[arg-type] # names are accepted
            name=values.text(self.name, "name"),
            args=None if self.args is None else values.to_list(self.args, "args"),
            kwargs=None if self.kwargs is None else values.to_struct(self.kwargs, "kwargs"),
            meta=None if self.meta is None else values.to_struct(self.meta, "meta"),
            properties=None if self.properties is None else values.to_struct(self.properties, "properties"),
        )

    @classmethod
    def from_proto(cls, proto: item_pb2.Item) -> Item:
        """Read the message of the contract."""
        return cls(
            name=proto.name,
            args=values.from_list(proto.args) if proto.HasField("args") else None,
            kwargs=values.from_struct(proto.kwargs) if proto.HasField("kwargs") else None,
            meta=values.from_struct(proto.meta) if proto.HasField("meta") else None,
            properties=values.from_struct(proto.properties) if proto.HasField("properties") else None,
            item_type=ItemType.from_number(proto.item_type),
            uid=proto.item_uid,
            user=proto.user,
            user_group=proto.user_group,
            attempt=proto.attempt,
            retry_of_uid=proto.retry_of_uid,
            create_time=to_datetime(proto.create_time) if proto.HasField("create_time") else None,
            held=proto.held,
            problems=violations(proto.problems),
        )


#: ``Plan("count", ["det1"], num=5)`` makes an :class:`Item`.
Plan = Item.plan


@dataclass(frozen=True)
class RunningItem:
    """An item that is being executed."""

    item: Item
    #: Identity of this execution, a UUID.
    execution_id: str
    #: When the Manager claimed the item for execution.
    claim_time: datetime
    #: It was submitted by ``queue.execute`` and was never in the queue.
    immediate: bool = False

    @classmethod
    def from_proto(cls, proto: item_pb2.RunningItem) -> RunningItem:
        """Read the message of the contract."""
        return cls(Item.from_proto(proto.item), proto.execution_id, to_datetime(proto.claim_time), proto.immediate)


@dataclass(frozen=True)
class RunSummary:
    """One run that an execution opened."""

    #: uid of the run's start document.
    uid: str
    #: The run's number in its environment, if it has one.
    scan_id: int | None
    is_open: bool
    #: "success", "abort" or "fail"; empty while open.
    exit_status: str

    @classmethod
    def from_proto(cls, proto: item_pb2.RunSummary) -> RunSummary:
        """Read the message of the contract."""
        scan_id = proto.scan_id if proto.HasField("scan_id") else None
        return cls(proto.run_uid, scan_id, proto.open, proto.exit_status)


@dataclass(frozen=True)
class ItemResult:
    """Outcome of one execution of an item."""

    exit_status: ExitStatus
    failure_cause: FailureCause = FailureCause.UNSPECIFIED
    #: One sentence that says why it ended as it did; empty if it was completed.
    message: str = ""
    #: Python traceback of a failed plan.
    traceback: str = ""
    #: The runs it opened, in order of opening.
    runs: Sequence[RunSummary] = ()
    #: When the plan began; None if it never began.
    start_time: datetime | None = None
    stop_time: datetime | None = None
    #: The last console text printed during the execution.
    console_excerpt: str = ""
    #: What a person should know about the environment afterwards, one sentence each.
    notices: Sequence[str] = ()
    #: Who stopped, aborted or halted the plan, or destroyed its environment; empty if it ended by itself.
    ended_by: str = ""

    @classmethod
    def from_proto(cls, proto: item_pb2.ItemResult) -> ItemResult:
        """Read the message of the contract."""
        return cls(
            exit_status=ExitStatus.from_number(proto.exit_status),
            failure_cause=FailureCause.from_number(proto.failure_cause),
            message=proto.message,
            traceback=proto.traceback,
            runs=tuple(RunSummary.from_proto(run) for run in proto.runs),
            start_time=to_datetime(proto.start_time) if proto.HasField("start_time") else None,
            stop_time=to_datetime(proto.stop_time) if proto.HasField("stop_time") else None,
            console_excerpt=proto.console_excerpt,
            notices=tuple(proto.notices),
            ended_by=proto.ended_by,
        )


@dataclass(frozen=True)
class HistoryEntry:
    """One history entry: an item and its result."""

    #: Position in the history, counting from 1 for the first entry ever; never reused.
    number: int
    #: The item as it was executed.
    item: Item
    #: Identity of the execution.
    execution_id: str
    result: ItemResult
    #: uid of the item that was put back, as a new attempt or to be repeated in loop mode; empty if there is none.
    requeued_as_uid: str = ""

    @classmethod
    def from_proto(cls, proto: item_pb2.HistoryEntry) -> HistoryEntry:
        """Read the message of the contract."""
        return cls(
            number=proto.number,
            item=Item.from_proto(proto.item),
            execution_id=proto.execution_id,
            result=ItemResult.from_proto(proto.result),
            requeued_as_uid=proto.requeued_as_uid,
        )
