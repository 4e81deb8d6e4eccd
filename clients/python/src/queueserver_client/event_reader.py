"""From the events of the contract to the dataclasses of :mod:`queueserver_client.events`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from queueserver.manager.v1 import event_pb2 as pb

from queueserver_client import events
from queueserver_client.models.items import ExitStatus, HistoryEntry, Item, RunningItem, violations
from queueserver_client.models.lock import LockChange, LockInfo, LockRequest
from queueserver_client.models.modes import QueueMode
from queueserver_client.models.permissions import permissions_from_proto
from queueserver_client.models.status import Status
from queueserver_client.models.tasks import TaskStatus
from queueserver_client.models.wire_enum import to_datetime

_Reader = Callable[[int, datetime, Any], events.Event]

READERS: dict[str, _Reader] = {
    "status": lambda r, t, e: events.StatusChanged(r, t, Status.from_proto(e)),
    "item_added": lambda r, t, e: events.ItemAdded(r, t, Item.from_proto(e.item), e.index),
    "items_added": lambda r, t, e: events.ItemsAdded(r, t, [Item.from_proto(item) for item in e.items], e.index),
    "item_removed": lambda r, t, e: events.ItemRemoved(r, t, e.item_uid, e.index),
    "item_moved": lambda r, t, e: events.ItemMoved(r, t, e.item_uid, e.from_index, e.to_index),
    "items_moved": lambda r, t, e: events.ItemsMoved(r, t, tuple(e.item_uids), e.index),
    "item_updated": lambda r, t, e: events.ItemUpdated(r, t, e.item_uid, Item.from_proto(e.item), e.index),
    "queue_mode_changed": lambda r, t, e: events.QueueModeChanged(r, t, QueueMode.from_proto(e.mode)),
    "autostart_changed": lambda r, t, e: events.AutostartChanged(r, t, e.enabled),
    "queue_cleared": lambda r, t, e: events.QueueCleared(r, t, e.removed_count),
    "queue_started": lambda r, t, e: events.QueueStarted(r, t, e.user),
    "queue_stop_requested": lambda r, t, e: events.QueueStopRequested(r, t, e.user),
    "queue_stop_cancelled": lambda r, t, e: events.QueueStopCancelled(r, t, e.user),
    "queue_stopped": lambda r, t, e: events.QueueStopped(r, t, events.QueueStopReason.from_number(e.reason)),
    "item_started": lambda r, t, e: events.ItemStarted(r, t, RunningItem.from_proto(e.running_item)),
    "item_finished": lambda r, t, e: events.ItemFinished(
        r, t, e.item_uid, e.execution_id, ExitStatus.from_number(e.exit_status), e.requeued_as_uid
    ),
    "history_added": lambda r, t, e: events.HistoryAdded(r, t, HistoryEntry.from_proto(e.entry)),
    "history_cleared": lambda r, t, e: events.HistoryCleared(r, t, e.removed_count, e.first_number),
    "inventory_changed": lambda r, t, e: events.InventoryChanged(r, t, e.plan_count, e.device_count),
    "items_checked": lambda r, t, e: events.ItemsChecked(
        r, t, {item.item_uid: violations(item.problems) for item in e.items}
    ),
    "task_started": lambda r, t, e: events.TaskStarted(r, t, TaskStatus.from_proto(e.task)),
    "task_finished": lambda r, t, e: events.TaskFinished(r, t, TaskStatus.from_proto(e.task)),
    "permissions_changed": lambda r, t, e: events.PermissionsChanged(r, t, permissions_from_proto(e.permissions)),
    "lock_changed": lambda r, t, e: events.LockChanged(
        *(r, t, LockChange.from_number(e.change), LockInfo.from_proto(e.lock_info)),
        *(LockInfo.from_proto(e.previous_lock_info) if e.HasField("previous_lock_info") else None, e.user),
        *(e.answer_note, LockRequest.from_proto(e.request) if e.HasField("request") else None),
    ),
    "console": lambda r, t, e: events.ConsoleWritten(r, t, events.ConsoleText.from_proto(e)),
    "document": lambda r, t, e: events.DocumentEmitted(r, t, events.RunDocument.from_proto(e)),
    "gap": lambda r, t, e: events.EventsLost(
        r, t, [events.EventKind.from_number(kind) for kind in e.kinds], e.omitted_bytes
    ),
}


def read_event(proto: pb.WatchEvent) -> events.Event:
    """The event, also one that only a newer server knows."""
    kind = proto.WhichOneof("event")
    if kind is None:
        return events.UnknownEvent(proto.revision, to_datetime(proto.time))
    return READERS[kind](proto.revision, to_datetime(proto.time), getattr(proto, kind))
