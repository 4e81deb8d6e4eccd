"""How the record is stored in Redis: items and history as JSON that a person can read with redis-cli.

Decoding accepts what this release and older ones of the same schema wrote. Encoded items are kept with the item,
since one item is written to the queue, to the event log and to the history; long ones only until they are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from queueserver_manager.domain.changes import AddHistory, Change, PutItem, QueueActivity
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
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.requests import AnsweredRequest

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_MEMO = "json"
#: Longer encoded items are not kept beyond the commit that stores them.
_LONG = 16 * 1024


def encode(value: object) -> bytes:
    """JSON of plain data. A lone surrogate, which has no UTF-8 form, is escaped."""
    text = _dumps(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def decode(data: bytes) -> Any:
    """Plain data from JSON."""
    return json.loads(data)


def encode_item(item: Item) -> bytes:
    """JSON of an item."""
    known = item.encoded.get(_MEMO)
    if known is None:
        known = item.encoded[_MEMO] = encode(_item_fields(item))
    return known


def _item_fields(item: Item) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "item_uid": item.uid,
        "item_type": item.kind.value,
        "name": item.name,
        "user": item.user,
        "user_group": item.user_group,
        "created": item.created,
        "args": item.args,
        "kwargs": item.kwargs,
        "meta": item.meta,
        "properties": item.properties,
    }
    if item.retry_of_uid:
        fields["attempt"], fields["retry_of"] = item.attempt, item.retry_of_uid
    if item.held:
        fields["held"] = True
    if item.problems:
        fields["problems"] = problem_fields(item.problems)
    return {name: value for name, value in fields.items() if value is not None}


def problem_fields(problems: Sequence[Violation]) -> list[list[str]]:
    """Problems as plain data."""
    return [[problem.field, problem.description] for problem in problems]


def problems_of(fields: Sequence[Sequence[str]]) -> tuple[Violation, ...]:
    """Problems from plain data."""
    return tuple(Violation(*problem) for problem in fields)


def decode_item(fields: Mapping[str, Any], size: int = 0) -> Item:
    """Item from its fields; ``size`` in bytes is that of what they were read from."""
    return Item(
        uid=fields["item_uid"],
        kind=ItemKind(fields["item_type"]),
        name=fields["name"],
        user=fields["user"],
        user_group=fields["user_group"],
        created=fields["created"],
        args=fields.get("args"),
        kwargs=fields.get("kwargs"),
        meta=fields.get("meta"),
        properties=fields.get("properties"),
        attempt=fields.get("attempt", 1),
        retry_of_uid=fields.get("retry_of", ""),
        held=fields.get("held", False),
        problems=problems_of(fields.get("problems", ())),
        size=size,
    )


def encode_running(running: RunningItem) -> bytes:
    """JSON of the running item."""
    about = encode(
        {
            "execution_id": running.execution_id,
            "claimed": running.claimed,
            "boot_id": running.boot_id,
            "environment_id": running.environment_id,
            "immediate": running.immediate,
            "pause_pending": running.pause_pending,
            "end_requested": running.end_requested,
        }
    )
    return about[:-1] + b',"item":' + encode_item(running.item) + b"}"


def decode_running(fields: Mapping[str, Any], size: int = 0) -> RunningItem:
    """Running item from its fields; ``size`` as in :func:`decode_item`, since the rest is short."""
    return RunningItem(
        item=decode_item(fields["item"], size),
        execution_id=fields["execution_id"],
        claimed=fields["claimed"],
        boot_id=fields["boot_id"],
        environment_id=fields["environment_id"],
        immediate=fields.get("immediate", False),
        pause_pending=fields.get("pause_pending", False),
        end_requested=fields.get("end_requested", False),
    )


def encode_queue_activity(activity: QueueActivity) -> bytes:
    """JSON of whether the queue is running."""
    return encode({"active": activity.active, "stop_pending": activity.stop_pending})


def decode_queue_activity(fields: Mapping[str, Any]) -> QueueActivity:
    """Whether the queue is running, from its fields."""
    return QueueActivity(active=fields["active"], stop_pending=fields["stop_pending"])


def encode_entry(entry: HistoryEntry) -> bytes:
    """JSON of a history entry."""
    known = entry.encoded.get(_MEMO)
    if known is None:
        about = encode(
            {
                "number": entry.number,
                "execution_id": entry.execution_id,
                "requeued_as": entry.requeued_as_uid,
                "result": _result_fields(entry.result),
            }
        )
        known = entry.encoded[_MEMO] = about[:-1] + b',"item":' + encode_item(entry.item) + b"}"
    return known


def encode_ahead(change: Change) -> bool:
    """Encode the item that a change puts into the queue, unless that was done; returns whether it was done now."""
    if not isinstance(change, PutItem) or _MEMO in change.item.encoded:
        return False
    encode_item(change.item)
    return True


def drop_encoded(change: Change) -> None:
    """Drop what was encoded for a stored change, where it is long or of no further use."""
    if isinstance(change, PutItem) and len(change.item.encoded.get(_MEMO, b"")) > _LONG:
        del change.item.encoded[_MEMO]
    elif isinstance(change, AddHistory):
        change.entry.encoded.pop(_MEMO, None)
        change.entry.item.encoded.pop(_MEMO, None)


def decode_entry(fields: Mapping[str, Any], size: int = 0) -> HistoryEntry:
    """History entry from its fields; ``size`` as in :func:`decode_item`."""
    return HistoryEntry(
        number=fields["number"],
        item=decode_item(fields["item"]),
        execution_id=fields["execution_id"],
        result=_decode_result(fields["result"]),
        requeued_as_uid=fields["requeued_as"],
        size=size,
    )


def _result_fields(result: ItemResult) -> dict[str, Any]:
    return {
        "exit_status": result.exit_status.value,
        "failure_cause": result.failure_cause.value,
        "message": result.message,
        "traceback": result.traceback,
        "start": result.start,
        "stop": result.stop,
        **({"console": result.console} if result.console else {}),
        **({"notices": result.notices} if result.notices else {}),
        **({"ended_by": result.ended_by} if result.ended_by else {}),
        "runs": [[run.uid, run.scan_id, run.is_open, run.exit_status] for run in result.runs],
    }


def _decode_result(fields: Mapping[str, Any]) -> ItemResult:
    return ItemResult(
        exit_status=ExitStatus(fields["exit_status"]),
        stop=fields["stop"],
        start=fields["start"],
        failure_cause=FailureCause(fields["failure_cause"]),
        message=fields["message"],
        traceback=fields["traceback"],
        runs=tuple(RunSummary(*run) for run in fields["runs"]),
        console=fields.get("console", ""),
        notices=tuple(fields.get("notices", ())),
        ended_by=fields.get("ended_by", ""),
    )


def encode_mode(mode: QueueMode) -> bytes:
    """JSON of how ended items are treated."""
    return encode(mode_fields(mode))


def mode_fields(mode: QueueMode) -> dict[str, Any]:
    """How ended items are treated, as plain data."""
    return {"loop": mode.loop, "ignore_failures": mode.ignore_failures, "interrupted": mode.interrupted.value}


def decode_mode(fields: Mapping[str, Any]) -> QueueMode:
    """How ended items are treated, from its fields."""
    return QueueMode(fields["loop"], fields["ignore_failures"], InterruptedPolicy(fields["interrupted"]))


def encode_request(request: AnsweredRequest) -> bytes:
    """Fingerprint and time as JSON on the first line, then the response as it was sent; no further line without it."""
    head = encode([request.fingerprint, request.time])
    return head if request.answer is None else head + b"\n" + request.answer


def decode_request(request_id: str, data: bytes) -> AnsweredRequest:
    """An answered request."""
    head, end, answer = data.partition(b"\n")
    fingerprint, time = decode(head)
    return AnsweredRequest(request_id, fingerprint, answer if end else None, time)
