"""Items, results and history entries as messages. Each is encoded once and kept with its object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import item_pb2
from queueserver_long_work.work import Work, at_once

from queueserver_manager.domain.queue.item import (
    ExitStatus,
    FailureCause,
    HistoryEntry,
    Item,
    ItemKind,
    ItemResult,
    RunningItem,
    RunSummary,
)
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.refusals.errors import ItemInvalid, ItemTooLarge, Violation
from queueserver_manager.wire.values import ValueReader, dict_to_struct, list_to_list_value

#: An item beyond this many bytes is refused: it would be in memory, in Redis and in every watcher's stream.
MAX_ITEM_BYTES = 1024 * 1024
MAX_NAME = 255
#: Tags, lengths and numbers of one run.
_FIELDS_OF_RUN = 32
_MEMO = "proto"
#: Longer history entries are built each time: their long part is their item, which is kept.
_LONG = 16 * 1024

KINDS = {
    item_pb2.ITEM_TYPE_UNSPECIFIED: ItemKind.PLAN,
    item_pb2.ITEM_TYPE_PLAN: ItemKind.PLAN,
    item_pb2.ITEM_TYPE_INSTRUCTION: ItemKind.INSTRUCTION,
}
_ITEM_TYPES = {
    ItemKind.PLAN: item_pb2.ITEM_TYPE_PLAN,
    ItemKind.INSTRUCTION: item_pb2.ITEM_TYPE_INSTRUCTION,
}
EXIT_STATUSES = {status: item_pb2.ExitStatus.Value(f"EXIT_STATUS_{status.name}") for status in ExitStatus}
CAUSES = {
    cause: item_pb2.FailureCause.Value(
        "FAILURE_CAUSE_UNSPECIFIED" if cause is FailureCause.NONE else f"FAILURE_CAUSE_{cause.name}"
    )
    for cause in FailureCause
}


def read_submission(message: item_pb2.ItemSpec, path: str = "item") -> Work[Submission]:
    """What a client asked for. Raises ItemInvalid, ItemTooLarge, NumberNotExact."""
    size = message.ByteSize()
    if size > MAX_ITEM_BYTES:
        raise ItemTooLarge(
            f"{path} has {size} bytes and an item may have {MAX_ITEM_BYTES}: "
            "put large data where the plan can read it and pass its name.",
            violations=[Violation(path, f"has {size} bytes and an item may have {MAX_ITEM_BYTES}")],
        )
    kind = KINDS.get(message.item_type)
    if kind is None:
        problem = f"{message.item_type} is not known: use ITEM_TYPE_PLAN or ITEM_TYPE_INSTRUCTION"
        raise ItemInvalid(f"{path}.item_type {problem}.", violations=[Violation(f"{path}.item_type", problem)])
    if len(message.name) > MAX_NAME:
        raise ItemInvalid(
            f"{path}.name is longer than {MAX_NAME} characters: give the name of a plan.",
            violations=[Violation(f"{path}.name", f"longer than {MAX_NAME} characters")],
        )
    reader = ValueReader(path)
    objects: dict[str, Any] = {}
    for name in ("kwargs", "meta", "properties"):
        objects[name] = (
            (yield from reader.object(getattr(message, name), f"{path}.{name}")) if message.HasField(name) else None
        )
    args = (yield from reader.array(message.args, f"{path}.args")) if message.HasField("args") else None
    return Submission(kind=kind, name=message.name, args=args, **objects, source=message)


def adopt_message(item: Item, submission: Submission) -> int:
    """Encode a new item by completing the message it came in, which saves building its arguments again.

    Returns its length in bytes. Raises ItemTooLarge if its parts are too large together.
    """
    message = submission.source
    if message is None:
        message = _build_spec(item)
        at_once(read_submission(message))
    message.item_type = _ITEM_TYPES[item.kind]
    added = item_pb2.Item()
    _fill_server_side(added, item)
    encoded = item.encoded[_MEMO] = message.SerializeToString() + added.SerializeToString()
    return len(encoded)


def item_to_proto(item: Item) -> item_pb2.Item:
    """An item as a message, which is the caller's own."""
    return item_pb2.Item.FromString(item_bytes(item))


def _build(item: Item) -> bytes:
    added = item_pb2.Item()
    _fill_server_side(added, item)
    # What was requested has the same fields in both messages.
    return _build_spec(item).SerializeToString() + added.SerializeToString()


def _build_spec(item: Item) -> item_pb2.ItemSpec:
    message = item_pb2.ItemSpec(item_type=_ITEM_TYPES[item.kind], name=item.name)
    if item.args is not None:
        list_to_list_value(item.args, message.args)
    if item.kwargs is not None:
        dict_to_struct(item.kwargs, message.kwargs)
    if item.meta is not None:
        dict_to_struct(item.meta, message.meta)
    if item.properties is not None:
        dict_to_struct(item.properties, message.properties)
    return message


def _fill_server_side(message: item_pb2.Item, item: Item) -> None:
    """Everything about an item that the Manager adds."""
    message.item_uid = item.uid
    message.user = item.user
    message.user_group = item.user_group
    message.attempt = item.attempt
    message.retry_of_uid = item.retry_of_uid
    message.held = item.held
    fill_problems(message.problems, item.problems)
    set_time(message.create_time, item.created)


def item_bytes(item: Item) -> bytes:
    """An item, serialized."""
    known = item.encoded.get(_MEMO)
    if known is None:
        known = item.encoded[_MEMO] = _build(item)
    return known


def running_to_proto(running: RunningItem) -> item_pb2.RunningItem:
    """The running item as a message."""
    message = item_pb2.RunningItem(execution_id=running.execution_id, immediate=running.immediate)
    message.item.ParseFromString(item_bytes(running.item))
    set_time(message.claim_time, running.claimed)
    return message


def entry_bytes(entry: HistoryEntry, *, keep: bool = True) -> bytes:
    """A history entry, serialized. It is kept with the entry, unless it is long."""
    known = entry.encoded.get(_MEMO)
    if known is None:
        message = item_pb2.HistoryEntry(
            number=entry.number, execution_id=entry.execution_id, requeued_as_uid=entry.requeued_as_uid
        )
        message.item.ParseFromString(item_bytes(entry.item))
        _fill_result(message.result, entry.result)
        known = message.SerializeToString()
        if keep and len(known) <= _LONG:
            entry.encoded[_MEMO] = known
    return known


def _fill_result(message: item_pb2.ItemResult, result: ItemResult) -> None:
    message.exit_status = EXIT_STATUSES[result.exit_status]
    message.failure_cause = CAUSES[result.failure_cause]
    message.message = result.message
    message.traceback = result.traceback
    message.console_excerpt = result.console
    message.notices.extend(result.notices)
    message.ended_by = result.ended_by
    fill_runs(message.runs, result.runs)
    if result.start is not None:
        set_time(message.start_time, result.start)
    set_time(message.stop_time, result.stop)


def fill_problems(target: Any, problems: Iterable[Violation]) -> None:
    """Problems into a repeated field."""
    for problem in problems:
        target.add(field=problem.field, description=problem.description)


def fill_runs(target: Any, runs: Iterable[RunSummary]) -> None:
    """Runs, in order of opening, into a repeated field."""
    for run in runs:
        target.add(run_uid=run.uid, scan_id=run.scan_id, open=run.is_open, exit_status=run.exit_status)


def run_length(run: RunSummary) -> int:
    """Bytes that a run has at most in a repeated field."""
    return _FIELDS_OF_RUN + len(run.uid.encode()) + len(run.exit_status.encode())


def set_time(target: Timestamp, seconds: float) -> None:
    """Seconds since the epoch into a Timestamp, without loss."""
    whole = int(seconds // 1)
    target.seconds = whole
    target.nanos = min(999_999_999, round((seconds - whole) * 1e9))
