"""Events as JSON, as releases before this one stored them. A log that they wrote is still read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from queueserver_long_work.work import Work

from queueserver_manager.domain import events as ev
from queueserver_manager.domain.queue.item import ExitStatus
from queueserver_manager.store.codecs import codec, task_codec
from queueserver_manager.store.codecs.lock_codec import lock_changed_of
from queueserver_manager.store.codecs.permission_codec import permissions_of

Fields = Mapping[str, Any]
_JSON = json.JSONDecoder()
#: The text before the events.
_HEAD = re.compile(r'\{"time":(?P<time>[^,]+),"events":\[')


def decode_json_events(revision: int, data: bytes) -> Work[list[ev.Announcement]]:
    """Events of one change, which may be very long: {"time": …, "events": [{"type": …, …}, …]}."""
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
