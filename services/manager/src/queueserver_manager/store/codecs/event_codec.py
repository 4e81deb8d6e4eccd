"""Events as JSON, for the log from which a watcher that was away catches up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from queueserver_long_work.work import Work

from queueserver_manager.domain import events as ev
from queueserver_manager.domain.queue.item import ExitStatus
from queueserver_manager.store.codecs import codec, task_codec
from queueserver_manager.store.codecs.lock_codec import lock_change_fields, lock_changed_of
from queueserver_manager.store.codecs.permission_codec import permission_fields, permissions_of

Fields = Mapping[str, Any]
_JSON = json.JSONDecoder()
#: The text before the events.
_HEAD = re.compile(r'\{"time":(?P<time>[^,]+),"events":\[')


def encode_events(time: float, events: Sequence[ev.Event]) -> Work[bytes]:
    """JSON of the events of one change: {"time": …, "events": [{"type": …, …}, …]}."""
    parts = [b'{"time":', repr(time).encode(), b',"events":[']
    for event in events:
        parts += (_encode(event), b",")
        yield
    if events:
        parts.pop()
    parts.append(b"]}")
    return b"".join(parts)


def decode_events(revision: int, data: bytes) -> Work[list[ev.Announcement]]:
    """Events of one change, which may be very long."""
    text = data.decode()
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(f"the events of revision {revision} have an unknown form: {text[:100]}")
    events: list[ev.Event] = []
    place = head.end()
    while text[place] != "]":
        fields, place = _JSON.raw_decode(text, place)
        events.append(_DECODERS[fields["type"]](fields))
        place += text[place] == ","
        yield
    return ev.announcements_of(revision, float(head["time"]), events)


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
        result = task_codec.result_fields(event.result, with_value=False)
        return {"task": task_codec.task_fields(event.task), "result": result}
    if isinstance(event, ev.LockChanged):
        return lock_change_fields(event)
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

_DECODERS: dict[str, Callable[[Fields], ev.Event]] = {
    "items_added": lambda f: ev.ItemsAdded(tuple(map(codec.decode_item, f["items"])), f["index"]),
    "item_removed": lambda f: ev.ItemRemoved(f["uid"], f["index"]),
    "item_moved": lambda f: ev.ItemMoved(f["uid"], f["from_index"], f["to_index"]),
    "items_moved": lambda f: ev.ItemsMoved(tuple(f["uids"]), f["index"]),
    "item_updated": lambda f: ev.ItemUpdated(f["uid"], codec.decode_item(f["item"]), f["index"]),
    "queue_mode_changed": lambda f: ev.QueueModeChanged(codec.decode_mode(f)),
    "autostart_changed": lambda f: ev.AutostartChanged(f["enabled"]),
    "queue_cleared": lambda f: ev.QueueCleared(f["removed"]),
    "queue_started": lambda f: ev.QueueStarted(f["user"]),
    "queue_stop_requested": lambda f: ev.QueueStopRequested(f["user"]),
    "queue_stop_cancelled": lambda f: ev.QueueStopCancelled(f["user"]),
    "queue_stopped": lambda f: ev.QueueStopped(ev.StopReason(f["reason"])),
    "item_started": lambda f: ev.ItemStarted(codec.decode_running(f["running"])),
    "item_finished": lambda f: ev.ItemFinished(
        f["uid"], f["execution_id"], ExitStatus(f["exit_status"]), f["requeued_as"]
    ),
    "history_added": lambda f: ev.HistoryAdded(codec.decode_entry(f["entry"])),
    "history_cleared": lambda f: ev.HistoryCleared(f["removed"], f["first_number"]),
    "inventory_replaced": lambda f: ev.InventoryReplaced(f["plans"], f["devices"]),
    "permissions_replaced": lambda f: ev.PermissionsReplaced(permissions_of(f)),
    "items_checked": lambda f: ev.ItemsChecked(tuple((uid, codec.problems_of(found)) for uid, found in f["items"])),
    "task_started": lambda f: ev.TaskStarted(task_codec.task_of(f["task"])),
    "task_finished": lambda f: ev.TaskFinished(task_codec.task_of(f["task"]), task_codec.result_of(f["result"])),
    "lock_changed": lock_changed_of,
}
