"""Announcements as serialized WatchEvents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from queueserver.manager.v1 import event_pb2 as pb
from queueserver_long_work.work import Work

from queueserver_manager.domain import events as ev
from queueserver_manager.domain.tasks.tasks import KeptTask
from queueserver_manager.wire import framing
from queueserver_manager.wire.items import (
    EXIT_STATUSES,
    entry_bytes,
    fill_problems,
    item_bytes,
    running_to_proto,
    set_time,
)
from queueserver_manager.wire.locks import lock_changed_to_proto
from queueserver_manager.wire.modes import mode_to_proto
from queueserver_manager.wire.permissions import permissions_to_proto
from queueserver_manager.wire.tasks import status_of

_MEMO = "proto"
#: Items that are encoded in one step.
_ITEMS_AT_ONCE = 20
_REASONS = {reason: pb.QueueStopReason.Value(f"QUEUE_STOP_REASON_{reason.name}") for reason in ev.StopReason}
_ITEM_ADDED = pb.WatchEvent.DESCRIPTOR.fields_by_name["item_added"].number
_ITEMS_ADDED = pb.WatchEvent.DESCRIPTOR.fields_by_name["items_added"].number
_HISTORY_ADDED = pb.WatchEvent.DESCRIPTOR.fields_by_name["history_added"].number


def event_bytes(announcement: ev.Announcement) -> Work[bytes]:
    """An announcement as a serialized WatchEvent, encoded once, in steps."""
    known = announcement.encoded.get(_MEMO)
    if known is None:
        known = announcement.encoded[_MEMO] = yield from _encode(announcement)
    return known


def _encode(announcement: ev.Announcement) -> Work[bytes]:
    message = pb.WatchEvent(revision=announcement.revision)
    set_time(message.time, announcement.time)
    event = announcement.event
    # Items and entries are encoded already; they are put in as they are, and a long event is copied once.
    if isinstance(event, ev.ItemsAdded):
        field = _ITEM_ADDED if len(event.items) == 1 else _ITEMS_ADDED
        parts = []
        for start in range(0, len(event.items), _ITEMS_AT_ONCE):
            parts.append(framing.repeated(1, map(item_bytes, event.items[start : start + _ITEMS_AT_ONCE])))
            yield
        parts.append(framing.number(2, event.index))
        about = message.SerializeToString() + framing.head(field, sum(map(len, parts)))
        return b"".join((about, *parts))
    if isinstance(event, ev.HistoryAdded):
        content = framing.submessage(1, entry_bytes(event.entry, keep=False))
        return message.SerializeToString() + framing.submessage(_HISTORY_ADDED, content)
    _FILLERS[type(event)](message, event)
    return message.SerializeToString()


def _removed(message: pb.WatchEvent, event: ev.ItemRemoved) -> None:
    message.item_removed.CopyFrom(pb.ItemRemoved(item_uid=event.uid, index=event.index))


def _moved(message: pb.WatchEvent, event: ev.ItemMoved) -> None:
    moved = pb.ItemMoved(item_uid=event.uid, from_index=event.from_index, to_index=event.to_index)
    message.item_moved.CopyFrom(moved)


def _items_moved(message: pb.WatchEvent, event: ev.ItemsMoved) -> None:
    message.items_moved.CopyFrom(pb.ItemsMoved(item_uids=event.uids, index=event.index))


def _updated(message: pb.WatchEvent, event: ev.ItemUpdated) -> None:
    updated = message.item_updated
    updated.item_uid = event.uid
    updated.item.ParseFromString(item_bytes(event.item))
    updated.index = event.index


def _mode_changed(message: pb.WatchEvent, event: ev.QueueModeChanged) -> None:
    message.queue_mode_changed.mode.CopyFrom(mode_to_proto(event.mode))


def _autostart_changed(message: pb.WatchEvent, event: ev.AutostartChanged) -> None:
    message.autostart_changed.CopyFrom(pb.AutostartChanged(enabled=event.enabled))


def _cleared(message: pb.WatchEvent, event: ev.QueueCleared) -> None:
    message.queue_cleared.removed_count = event.removed


def _started(message: pb.WatchEvent, event: ev.QueueStarted) -> None:
    message.queue_started.CopyFrom(pb.QueueStarted(user=event.user))


def _stop_requested(message: pb.WatchEvent, event: ev.QueueStopRequested) -> None:
    message.queue_stop_requested.CopyFrom(pb.QueueStopRequested(user=event.user))


def _stop_cancelled(message: pb.WatchEvent, event: ev.QueueStopCancelled) -> None:
    message.queue_stop_cancelled.CopyFrom(pb.QueueStopCancelled(user=event.user))


def _stopped(message: pb.WatchEvent, event: ev.QueueStopped) -> None:
    message.queue_stopped.reason = _REASONS[event.reason]


def _item_started(message: pb.WatchEvent, event: ev.ItemStarted) -> None:
    message.item_started.running_item.CopyFrom(running_to_proto(event.running))


def _item_finished(message: pb.WatchEvent, event: ev.ItemFinished) -> None:
    finished = message.item_finished
    finished.item_uid = event.uid
    finished.execution_id = event.execution_id
    finished.exit_status = EXIT_STATUSES[event.exit_status]
    finished.requeued_as_uid = event.requeued_as_uid


def _history_cleared(message: pb.WatchEvent, event: ev.HistoryCleared) -> None:
    message.history_cleared.CopyFrom(pb.HistoryCleared(removed_count=event.removed, first_number=event.first_number))


def _inventory_replaced(message: pb.WatchEvent, event: ev.InventoryReplaced) -> None:
    message.inventory_changed.CopyFrom(pb.InventoryChanged(plan_count=event.plans, device_count=event.devices))


def _permissions_replaced(message: pb.WatchEvent, event: ev.PermissionsReplaced) -> None:
    message.permissions_changed.permissions.CopyFrom(permissions_to_proto(event.permissions))


def _items_checked(message: pb.WatchEvent, event: ev.ItemsChecked) -> None:
    message.items_checked.SetInParent()
    for uid, problems in event.items:
        fill_problems(message.items_checked.items.add(item_uid=uid).problems, problems)


def _task_started(message: pb.WatchEvent, event: ev.TaskStarted) -> None:
    message.task_started.task.CopyFrom(status_of(KeptTask(event.task), with_value=False))


def _task_finished(message: pb.WatchEvent, event: ev.TaskFinished) -> None:
    message.task_finished.task.CopyFrom(status_of(KeptTask(event.task, event.result), with_value=False))


def _lock_changed(message: pb.WatchEvent, event: ev.LockChanged) -> None:
    message.lock_changed.CopyFrom(lock_changed_to_proto(event))


_FILLERS: dict[type, Callable[[pb.WatchEvent, Any], None]] = {
    ev.ItemRemoved: _removed,
    ev.ItemMoved: _moved,
    ev.ItemsMoved: _items_moved,
    ev.ItemUpdated: _updated,
    ev.QueueModeChanged: _mode_changed,
    ev.AutostartChanged: _autostart_changed,
    ev.QueueCleared: _cleared,
    ev.QueueStarted: _started,
    ev.QueueStopRequested: _stop_requested,
    ev.QueueStopCancelled: _stop_cancelled,
    ev.QueueStopped: _stopped,
    ev.ItemStarted: _item_started,
    ev.ItemFinished: _item_finished,
    ev.HistoryCleared: _history_cleared,
    ev.InventoryReplaced: _inventory_replaced,
    ev.PermissionsReplaced: _permissions_replaced,
    ev.ItemsChecked: _items_checked,
    ev.TaskStarted: _task_started,
    ev.TaskFinished: _task_finished,
    ev.LockChanged: _lock_changed,
}
