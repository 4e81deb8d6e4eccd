"""Events as a release before this one stored them: JSON of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from queueserver_manager.domain import events as ev
from queueserver_manager.store.codecs import codec, task_codec
from queueserver_manager.store.codecs.lock_codec import _lock_fields, _request_fields
from queueserver_manager.store.codecs.permission_codec import permission_fields


def encode_events(time: float, events: Sequence[ev.Event]) -> bytes:
    """JSON of the events of one change: {"time": …, "events": [{"type": …, …}, …]}."""
    parts = [b'{"time":', repr(time).encode(), b',"events":[']
    for event in events:
        parts += (_encode(event), b",")
    if events:
        parts.pop()
    parts.append(b"]}")
    return b"".join(parts)


def _encode(event: ev.Event) -> bytes:
    if isinstance(event, ev.ItemsAdded):
        items = b",".join(codec.encode_item(item) for item in event.items)
        return b'{"type":"items_added","index":%d,"items":[%b]}' % (event.index, items)
    if isinstance(event, ev.ItemUpdated):
        about = codec.encode({"type": "item_updated", "uid": event.uid, "index": event.index})
        return about[:-1] + b',"item":' + codec.encode_item(event.item) + b"}"
    if isinstance(event, ev.ItemStarted):
        return b'{"type":"item_started","running":' + codec.encode_running(event.running) + b"}"
    if isinstance(event, ev.HistoryAdded):
        return b'{"type":"history_added","entry":' + codec.encode_entry(event.entry) + b"}"
    return codec.encode({"type": _NAMES[type(event)], **_fields(event)})


def _fields(event: ev.Event) -> dict[str, Any]:
    if isinstance(event, ev.QueueStopped):
        return {"reason": event.reason.value}
    if isinstance(event, ev.QueueModeChanged):
        return codec.mode_fields(event.mode)
    if isinstance(event, ev.PermissionsReplaced):
        return permission_fields(event.permissions)
    if isinstance(event, ev.ItemsChecked):
        return {"items": [[uid, codec.problem_fields(problems)] for uid, problems in event.items]}
    if isinstance(event, ev.TaskStarted):
        return {"task": task_codec.task_fields(replace(event.task, work=None))}
    if isinstance(event, ev.TaskFinished):
        result = {**task_codec.result_fields(event.result), "return_value": None}
        return {"task": task_codec.task_fields(event.task), "result": result}
    if isinstance(event, ev.LockChanged):
        return _lock_change_fields(event)
    if isinstance(event, ev.ItemFinished):
        return {
            "uid": event.uid,
            "execution_id": event.execution_id,
            "exit_status": event.exit_status.value,
            "requeued_as": event.requeued_as_uid,
        }
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


_NAMES: dict[type, str] = {
    ev.ItemRemoved: "item_removed",
    ev.ItemMoved: "item_moved",
    ev.ItemsMoved: "items_moved",
    ev.QueueModeChanged: "queue_mode_changed",
    ev.AutostartChanged: "autostart_changed",
    ev.QueueCleared: "queue_cleared",
    ev.QueueStarted: "queue_started",
    ev.QueueStopRequested: "queue_stop_requested",
    ev.QueueStopCancelled: "queue_stop_cancelled",
    ev.QueueStopped: "queue_stopped",
    ev.ItemFinished: "item_finished",
    ev.HistoryCleared: "history_cleared",
    ev.InventoryReplaced: "inventory_replaced",
    ev.PermissionsReplaced: "permissions_replaced",
    ev.ItemsChecked: "items_checked",
    ev.TaskStarted: "task_started",
    ev.TaskFinished: "task_finished",
    ev.LockChanged: "lock_changed",
}


def _lock_change_fields(event: ev.LockChanged) -> dict[str, Any]:
    """A change of the lock, as plain data."""
    return {
        "change": event.change.value,
        "lock": _lock_fields(event.lock) if event.lock is not None else None,
        "previous": _lock_fields(event.previous) if event.previous is not None else None,
        "user": event.user,
        "answer_note": event.answer_note,
        "request": _request_fields(event.request) if event.request is not None else None,
        "emergency_key_is_set": event.emergency_key_is_set,
    }
