"""Items of the queue and of the history, as objects."""

from __future__ import annotations

from typing import Any, Final

from queueserver.common.v1 import item_pb2
from queueserver_client import values
from queueserver_client.models.items import ExitStatus
from queueserver_client.models.wire_enum import to_datetime

#: How each type of item is called.
TYPES: Final = {"plan": item_pb2.ITEM_TYPE_PLAN, "instruction": item_pb2.ITEM_TYPE_INSTRUCTION}
_TYPE_NAMES: Final = {number: name for name, number in TYPES.items()}


def item_fields(item: item_pb2.Item | item_pb2.ItemSpec) -> dict[str, Any]:
    """An item as clients read it. What was not submitted is absent."""
    fields: dict[str, Any] = {"item_type": _TYPE_NAMES.get(item.item_type, "plan"), "name": item.name}
    if item.HasField("args"):
        fields["args"] = values.from_list(item.args)
    for name in ("kwargs", "meta", "properties"):
        if item.HasField(name):
            fields[name] = values.from_struct(getattr(item, name))
    if isinstance(item, item_pb2.Item):
        fields |= {"user": item.user, "user_group": item.user_group, "item_uid": item.item_uid}
    return fields


def running_item_fields(running: item_pb2.RunningItem) -> dict[str, Any]:
    """The item that is being executed, with what is known of its execution in ``properties``."""
    fields = item_fields(running.item)
    own: dict[str, Any] = {"time_start": to_datetime(running.claim_time).timestamp()}
    if running.immediate:
        own["immediate_execution"] = True
    return {**fields, "properties": {**fields.get("properties", {}), **own}}


def history_fields(entry: item_pb2.HistoryEntry) -> dict[str, Any]:
    """An item of the history with its result."""
    return {**item_fields(entry.item), "result": _result_fields(entry.result)}


def _result_fields(result: item_pb2.ItemResult) -> dict[str, Any]:
    stop = to_datetime(result.stop_time).timestamp() if result.HasField("stop_time") else None
    start = to_datetime(result.start_time).timestamp() if result.HasField("start_time") else stop
    status = ExitStatus.from_number(result.exit_status)
    is_failure = status is ExitStatus.FAILED
    return {
        "exit_status": "unknown" if status is ExitStatus.UNSPECIFIED else status.value,
        "run_uids": [run.run_uid for run in result.runs],
        "scan_ids": [run.scan_id if run.HasField("scan_id") else None for run in result.runs],
        "time_start": start,
        "time_stop": stop,
        "msg": _failure(result) if is_failure else "",
        "traceback": result.traceback if is_failure else "",
    }


def _failure(result: item_pb2.ItemResult) -> str:
    """Why a plan failed, in a message that begins as clients expect it; most messages do so already."""
    was_destroyed = result.failure_cause == item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED
    beginning = "RE Worker environment was destroyed" if was_destroyed else "Plan failed: "
    if result.message.startswith(beginning):
        return result.message
    return f"{beginning}{'. ' if was_destroyed else ''}{result.message}"
