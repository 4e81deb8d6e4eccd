"""Items and history entries of another server, from messages."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import import_state_pb2 as pb
from queueserver_long_work.work import Work

from queueserver_manager.domain.imports import Part, SizedItem
from queueserver_manager.domain.permissions import names
from queueserver_manager.domain.queue.item import (
    ExitStatus,
    FailureCause,
    HistoryEntry,
    Item,
    ItemResult,
    RunSummary,
)
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.wire.items import CAUSES, EXIT_STATUSES, read_submission

_STATUSES: dict[int, ExitStatus] = {int(number): status for status, number in EXIT_STATUSES.items()}
_CAUSES: dict[int, FailureCause] = {int(number): cause for cause, number in CAUSES.items()}
#: Bounds of what has none of its own: characters of a uid, runs of an entry, and seconds since the epoch, which is the
#: end of what a Timestamp can be.
_MAX_UID, _MAX_RUNS, _MAX_SECONDS = 100, 10_000, 253_402_300_799


def read_part(
    request: pb.ImportStateRequest, now: float, prepare: Callable[[Item, Submission], SizedItem]
) -> Work[Part]:
    """The part that a request brings; ``prepare`` encodes an item ahead of its commit, and measures it.

    Raises FieldInvalid, ItemInvalid, ItemTooLarge, NumberNotExact.
    """
    entries: list[HistoryEntry] = []
    for index, message in enumerate(request.history):
        entries.append((yield from _entry(message, f"history[{index}]", now)))
        yield
    items: list[SizedItem] = []
    for index, one in enumerate(request.items):
        item, submission = yield from _item(one, f"items[{index}]", now)
        items.append(prepare(item, submission))
        yield
    return Part(request.history_start, entries, request.item_start, items)


def _item(message: item_pb2.Item, path: str, now: float) -> Work[tuple[Item, Submission]]:
    # What a client submits has the same fields in both messages.
    spec = item_pb2.ItemSpec.FromString(message.SerializeToString())
    spec.DiscardUnknownFields()
    submission = yield from read_submission(spec, path)
    if not submission.name:
        raise FieldInvalid(f"{path}.name", "required: the name of the plan")
    item = Item(
        uid=_uid(message.item_uid, f"{path}.item_uid"),
        kind=submission.kind,
        name=submission.name,
        user=_name(message.user, f"{path}.user"),
        user_group=_name(message.user_group, f"{path}.user_group"),
        created=_seconds(message.create_time, f"{path}.create_time") if message.HasField("create_time") else now,
        args=submission.args,
        kwargs=submission.kwargs,
        meta=submission.meta,
        properties=submission.properties,
        attempt=max(1, message.attempt),
        retry_of_uid=_uid(message.retry_of_uid, f"{path}.retry_of_uid") if message.retry_of_uid else "",
        held=message.held,
    )
    return item, submission


def _entry(message: item_pb2.HistoryEntry, path: str, now: float) -> Work[HistoryEntry]:
    _refuse_unknown(message.result, f"{path}.result")
    item, _ = yield from _item(message.item, f"{path}.item", now)
    requeued = message.requeued_as_uid
    return HistoryEntry(
        number=0,
        item=item,
        execution_id=_uid(message.execution_id or item.uid, f"{path}.execution_id"),
        result=_result(message.result, f"{path}.result", item.created),
        requeued_as_uid=_uid(requeued, f"{path}.requeued_as_uid") if requeued else "",
    )


def _refuse_unknown(result: item_pb2.ItemResult, path: str) -> None:
    """Raise FieldInvalid for an outcome that only a newer contract knows."""
    if result.exit_status and result.exit_status not in _STATUSES:
        raise FieldInvalid(f"{path}.exit_status", "is not known: use one of those of ExitStatus")
    if result.failure_cause not in _CAUSES:
        raise FieldInvalid(f"{path}.failure_cause", "is not known: use one of those of FailureCause")


def _result(message: item_pb2.ItemResult, path: str, created: float) -> ItemResult:
    status = _STATUSES.get(message.exit_status)
    if status is None:
        raise FieldInvalid(f"{path}.exit_status", "required: how it ended, one of those of ExitStatus")
    if len(message.runs) > _MAX_RUNS:
        raise FieldInvalid(f"{path}.runs", f"must have at most {_MAX_RUNS} runs: leave out the last ones")
    return ItemResult(
        exit_status=status,
        stop=_seconds(message.stop_time, f"{path}.stop_time") if message.HasField("stop_time") else created,
        start=_seconds(message.start_time, f"{path}.start_time") if message.HasField("start_time") else None,
        failure_cause=_CAUSES[message.failure_cause],
        message=message.message,
        traceback=message.traceback,
        runs=tuple(
            RunSummary(run.run_uid, run.scan_id if run.HasField("scan_id") else None, run.open, run.exit_status)
            for run in message.runs
        ),
        console=message.console_excerpt,
        notices=tuple(message.notices),
        ended_by=message.ended_by,
    )


def _uid(text: str, path: str) -> str:
    if not text or len(text) > _MAX_UID or not text.isprintable():
        raise FieldInvalid(path, f"must have 1 to {_MAX_UID} visible characters")
    return text


def _name(text: str, path: str) -> str:
    name = names.composed(text)
    problem = names.problem_of(name)
    if problem:
        raise FieldInvalid(path, problem)
    return name


def _seconds(time: Timestamp, path: str) -> float:
    if not 0 <= time.seconds <= _MAX_SECONDS:
        raise FieldInvalid(path, "must be a time between 1970 and 9999")
    return float(time.seconds + time.nanos / 1e9)
