"""Items and history entries of a bluesky-queueserver, as messages of the contract.

Everything that the old server accepted is kept as it is, where the contract has a place for it. What the contract can't
hold is said: in a Broken, if the item can't be kept at all, or as a remark beside it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import item_pb2
from queueserver_client import ValueNotRepresentable
from queueserver_client.values import to_list, to_struct

from queueserver_import.failures import Broken

Fields = Mapping[str, Any]
_TYPES: Final = {"plan": item_pb2.ITEM_TYPE_PLAN, "instruction": item_pb2.ITEM_TYPE_INSTRUCTION}
_STATUSES: Final = {
    "completed": item_pb2.EXIT_STATUS_COMPLETED,
    "failed": item_pb2.EXIT_STATUS_FAILED,
    "stopped": item_pb2.EXIT_STATUS_STOPPED,
    "aborted": item_pb2.EXIT_STATUS_ABORTED,
    "halted": item_pb2.EXIT_STATUS_HALTED,
    # What the old server writes of a plan that ran when it was stopped.
    "unknown": item_pb2.EXIT_STATUS_FAILED,
}
#: Bounds of the contract: bytes and values of an item, characters of its name and of a uid, runs, a name in bytes.
_MAX_ITEM, _MAX_VALUES, _MAX_NAME, _MAX_UID, _MAX_RUNS = 1024 * 1024, 15_000, 255, 100, 10_000
_MAX_USER, _MAX_USER_BYTES = 100, 300
#: Characters of a traceback and of a message that are kept, the last and the first ones.
_MAX_TRACEBACK, _MAX_MESSAGE = 200_000, 20_000
_MAX_SCAN_ID = 2**63
_MAX_SECONDS: Final = 253_402_300_799
_MAX_SHOWN: Final = 60
#: What the old server added to the properties of a running item.
_SERVER_PROPERTIES: Final = ("time_start", "immediate_execution")
UNKNOWN: Final = "unknown"


def fields_of(data: bytes) -> dict[str, Any]:
    """The object that an element of a list holds. Raises Broken."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Broken(f"is not JSON ({error})") from None
    if not isinstance(fields, dict):
        raise Broken(f"is no object but a {type(fields).__name__}")
    return fields


def item_of(fields: Fields, remarks: list[str]) -> item_pb2.Item:
    """An item of the queue or of the history. Raises Broken; ``remarks`` gets what is different about it."""
    uid, name, kind = fields.get("item_uid"), fields.get("name"), fields.get("item_type")
    if not isinstance(uid, str) or not 0 < len(uid) <= _MAX_UID or not uid.isprintable():
        raise Broken("has no item_uid")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise Broken(f"has the item_type {_shown(kind)}, and only plans and instructions are queued")
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
        raise Broken("has no name")
    try:
        spec = item_pb2.ItemSpec(item_type=_TYPES[kind], name=name)
        _fill_call(spec, fields, remarks)
    except ValueNotRepresentable as error:
        raise Broken(f"has a value that can't be kept: {error}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise Broken(f"can't be kept ({error})") from None
    if spec.ByteSize() > _MAX_ITEM:
        raise Broken(f"has {spec.ByteSize()} bytes, and an item may have {_MAX_ITEM}")
    item = item_pb2.Item.FromString(spec.SerializeToString())
    item.item_uid, item.attempt = uid, 1
    item.user, item.user_group = (name_of(fields.get(key)) for key in ("user", "user_group"))
    return item


def _fill_call(spec: item_pb2.ItemSpec, fields: Fields, remarks: list[str]) -> None:
    args, kwargs, properties = (fields.get(name) for name in ("args", "kwargs", "properties"))
    meta = _merged(fields.get("meta"))
    for name, value, kind in (("args", args, list), ("kwargs", kwargs, dict), ("meta", meta, dict)):
        if value is not None and not isinstance(value, kind):
            raise Broken(f"has {name} that are no {'list' if kind is list else 'object'} but {_shown(value)}")
    if sum(map(_values_in, (args, kwargs, meta, properties))) > _MAX_VALUES:
        raise Broken(f"has more than {_MAX_VALUES} values")
    if args is not None:
        spec.args.CopyFrom(to_list(args, "args"))
    if kwargs is not None:
        spec.kwargs.CopyFrom(to_struct(kwargs, "kwargs"))
    if meta is not None:
        spec.meta.CopyFrom(to_struct(meta, "meta"))
    if properties is not None and not isinstance(properties, dict):
        remarks.append("its properties are no object and are left out")
        return
    own = {name: value for name, value in (properties or {}).items() if name not in _SERVER_PROPERTIES}
    if own:
        spec.properties.CopyFrom(to_struct(own, "properties"))


def entry_of(fields: Fields, remarks: list[str]) -> item_pb2.HistoryEntry:
    """An entry of the history. Raises Broken; ``remarks`` gets what is different about it."""
    result = fields.get("result")
    if not isinstance(result, dict):
        raise Broken("has no result")
    entry = item_pb2.HistoryEntry(item=item_of(fields, remarks))
    status = result.get("exit_status")
    if not isinstance(status, str) or status not in _STATUSES:
        raise Broken(f"has the exit status {_shown(status)}")
    target = entry.result
    target.exit_status = _STATUSES[status]
    _fill_texts(target, result, remarks)
    if status == "unknown":
        target.notices.append("bluesky-queueserver gave the exit status 'unknown': how the plan ended is not known.")
        target.failure_cause = item_pb2.FAILURE_CAUSE_WORKER_LOST
    elif status == "failed":
        was_destroyed = "environment was destroyed" in target.message
        target.failure_cause = (
            item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED if was_destroyed else item_pb2.FAILURE_CAUSE_PLAN_ERROR
        )
    _fill_runs(target, result, remarks)
    for name, time in (("time_start", target.start_time), ("time_stop", target.stop_time)):
        _fill_time(time, result.get(name))
    if not target.HasField("stop_time"):
        remarks.append("when it ended is not known")
    for known in ("start_time", "stop_time"):
        if target.HasField(known):
            entry.item.create_time.CopyFrom(getattr(target, known))
            break
    return entry


def interrupted(fields: Fields, now: float) -> item_pb2.HistoryEntry:
    """The entry of an item that ran when the old server was stopped. Raises Broken."""
    entry = item_pb2.HistoryEntry(item=item_of(fields, []))
    entry.result.exit_status = item_pb2.EXIT_STATUS_FAILED
    entry.result.failure_cause = item_pb2.FAILURE_CAUSE_SHUTDOWN
    entry.result.message = "bluesky-queueserver was stopped while the plan ran."
    properties = fields.get("properties")
    if isinstance(properties, dict):
        _fill_time(entry.result.start_time, properties.get("time_start"))
    _fill_time(entry.result.stop_time, now)
    started = entry.result.HasField("start_time")
    entry.item.create_time.CopyFrom(entry.result.start_time if started else entry.result.stop_time)
    return entry


def was_immediate(fields: Fields) -> bool:
    """Whether a running item was to be executed at once, and was never in the queue."""
    properties = fields.get("properties")
    return isinstance(properties, dict) and bool(properties.get("immediate_execution"))


def name_of(value: object) -> str:
    """The name of a user or a group as the contract allows it: visible characters, not too many."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    seen = "".join(one for one in unicodedata.normalize("NFC", text[: 4 * _MAX_USER]) if one.isprintable())
    name = seen.strip()[:_MAX_USER].encode()[:_MAX_USER_BYTES].decode(errors="ignore").strip()
    return name if name and not unicodedata.category(name[0]).startswith("M") else UNKNOWN


def _fill_texts(target: item_pb2.ItemResult, result: Fields, remarks: list[str]) -> None:
    message, traceback = _text(result.get("msg")), _text(result.get("traceback"))
    target.message, target.traceback = message[:_MAX_MESSAGE], traceback[-_MAX_TRACEBACK:]
    if len(message) > _MAX_MESSAGE:
        remarks.append(f"only the first {_MAX_MESSAGE} characters of its message are kept")
    if len(traceback) > _MAX_TRACEBACK:
        remarks.append(f"only the last {_MAX_TRACEBACK} characters of its traceback are kept")


def _fill_runs(target: item_pb2.ItemResult, result: Fields, remarks: list[str]) -> None:
    uids, numbers = (found if isinstance(found, list) else [] for found in map(result.get, ("run_uids", "scan_ids")))
    if len(uids) > _MAX_RUNS:
        remarks.append(f"only the first {_MAX_RUNS} of its {len(uids)} runs are kept")
    for index, uid in enumerate(uids[:_MAX_RUNS]):
        run = target.runs.add(run_uid=_text(uid)[:1000])
        number = numbers[index] if index < len(numbers) else None
        if isinstance(number, int) and not isinstance(number, bool) and abs(number) < _MAX_SCAN_ID:
            run.scan_id = number


def _fill_time(target: Timestamp, seconds: object) -> None:
    """A time, if it is one; nothing otherwise."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return
    if 0 <= seconds < _MAX_SECONDS:  # so it is neither infinite nor NaN
        target.seconds = int(seconds)
        target.nanos = min(999_999_999, round((seconds - int(seconds)) * 1e9))


def _merged(meta: Any) -> Any:
    """Metadata as one object: in a list of them the first one counts most."""
    if not isinstance(meta, list) or not all(isinstance(part, dict) for part in meta):
        return meta
    merged: dict[str, Any] = {}
    for part in reversed(meta):
        merged.update(part)
    return merged


def _values_in(value: object) -> int:
    """How many values are in a value, as the server counts them."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        inner = list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []
        count += len(inner)
        waiting += inner
    return count


def _text(value: object) -> str:
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return text.encode(errors="replace").decode()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
