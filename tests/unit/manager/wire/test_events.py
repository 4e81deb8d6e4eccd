"""Items, entries and events as messages: what Protobuf reads from our bytes is what happened."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1 import item_pb2, task_pb2
from queueserver.common.v1.field_violation_pb2 import FieldViolation
from queueserver.common.v1.permissions_pb2 import UserGroupPermissions
from queueserver.manager.v1 import event_pb2 as pb
from queueserver.manager.v1 import lock_pb2, task_status_pb2
from queueserver.manager.v1 import queue_pb2 as queue_pb
from queueserver_inventory.messages import rules_message
from queueserver_long_work.work import at_once
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.lock.lock import Claim, Lock, LockRequest
from queueserver_manager.domain.queue.item import ExitStatus, FailureCause, HistoryEntry, Item, ItemKind
from queueserver_manager.domain.refusals.errors import ItemInvalid, ItemTooLarge, NumberNotExact
from queueserver_manager.wire.events import event_bytes
from queueserver_manager.wire.items import (
    MAX_ITEM_BYTES,
    MAX_NAME,
    adopt_message,
    entry_bytes,
    item_bytes,
    item_to_proto,
    read_submission,
    running_to_proto,
    set_time,
)

from tests.unit.manager.samples import EVENTS, NOW, entries, items, plan, relaxed, times

#: How an event is named in WatchEvent, and its fields there; items and entries are compared as messages.
FIELDS: dict[type, tuple[str, dict[str, str]]] = {
    ev.ItemRemoved: ("item_removed", {"uid": "item_uid", "index": "index"}),
    ev.ItemMoved: ("item_moved", {"uid": "item_uid", "from_index": "from_index", "to_index": "to_index"}),
    ev.QueueCleared: ("queue_cleared", {"removed": "removed_count"}),
    ev.QueueStarted: ("queue_started", {"user": "user"}),
    ev.QueueStopRequested: ("queue_stop_requested", {"user": "user"}),
    ev.QueueStopCancelled: ("queue_stop_cancelled", {"user": "user"}),
    ev.AutostartChanged: ("autostart_changed", {"enabled": "enabled"}),
    ev.HistoryCleared: ("history_cleared", {"removed": "removed_count", "first_number": "first_number"}),
    ev.InventoryReplaced: ("inventory_changed", {"plans": "plan_count", "devices": "device_count"}),
}


EDITS = (ev.ItemsMoved, ev.ItemUpdated, ev.QueueModeChanged, ev.ItemsChecked)
TASKS = (ev.TaskStarted, ev.TaskFinished)


def expected_edit(event: ev.ItemsMoved | ev.ItemUpdated | ev.QueueModeChanged | ev.ItemsChecked) -> pb.WatchEvent:
    if isinstance(event, ev.ItemsChecked):
        checked = [
            pb.CheckedItem(
                item_uid=uid,
                problems=[FieldViolation(field=one.field, description=one.description) for one in found],
            )
            for uid, found in event.items
        ]
        return pb.WatchEvent(items_checked=pb.ItemsChecked(items=checked))
    if isinstance(event, ev.ItemsMoved):
        return pb.WatchEvent(items_moved=pb.ItemsMoved(item_uids=event.uids, index=event.index))
    if isinstance(event, ev.ItemUpdated):
        updated = pb.ItemUpdated(item_uid=event.uid, item=item_to_proto(event.item), index=event.index)
        return pb.WatchEvent(item_updated=updated)
    policy = queue_pb.InterruptedPolicy.Value(f"INTERRUPTED_POLICY_{event.mode.interrupted.name}")
    mode = queue_pb.QueueMode(loop=event.mode.loop, ignore_failures=event.mode.ignore_failures, interrupted=policy)
    return pb.WatchEvent(queue_mode_changed=pb.QueueModeChanged(mode=mode))


def expected_task(event: ev.TaskStarted | ev.TaskFinished) -> pb.WatchEvent:
    task = event.task
    message = task_pb2.SubmittedTask(
        task_uid=task.uid,
        kind=task_pb2.TaskKind.Value(f"TASK_KIND_{task.kind.name}"),
        name=task.name,
        run_in_background=task.background,
        user=task.user,
        user_group=task.user_group,
    )
    set_time(message.create_time, task.created)
    if isinstance(event, ev.TaskStarted):
        status = task_status_pb2.TaskStatus(task=message, state=task_status_pb2.TASK_STATE_RUNNING)
        return pb.WatchEvent(task_started=pb.TaskStarted(task=status))
    result = event.result
    ended = task_pb2.TaskResult(
        success=result.success, message=result.message, traceback=result.traceback, console_excerpt=result.console
    )
    set_time(ended.stop_time, result.stop)
    if result.start is not None:
        set_time(ended.start_time, result.start)
    status = task_status_pb2.TaskStatus(task=message, state=task_status_pb2.TASK_STATE_FINISHED, result=ended)
    return pb.WatchEvent(task_finished=pb.TaskFinished(task=status))


def expected_message(event: ev.Event) -> pb.WatchEvent:
    """The same event, built with Protobuf alone."""
    message = pb.WatchEvent()
    if type(event) in FIELDS:
        name, fields = FIELDS[type(event)]
        part = getattr(message, name)
        part.SetInParent()
        for ours, theirs in fields.items():
            setattr(part, theirs, getattr(event, ours))
    elif isinstance(event, ev.ItemsAdded) and len(event.items) == 1:
        message.item_added.CopyFrom(pb.ItemAdded(item=item_to_proto(event.items[0]), index=event.index))
    elif isinstance(event, ev.ItemsAdded):
        message.items_added.CopyFrom(pb.ItemsAdded(items=map(item_to_proto, event.items), index=event.index))
    elif isinstance(event, ev.QueueStopped):
        message.queue_stopped.reason = pb.QueueStopReason.Value(f"QUEUE_STOP_REASON_{event.reason.name}")
    elif isinstance(event, ev.ItemStarted):
        message.item_started.running_item.CopyFrom(running_to_proto(event.running))
    elif isinstance(event, ev.ItemFinished):
        status = item_pb2.ExitStatus.Value(f"EXIT_STATUS_{event.exit_status.name}")
        finished = pb.ItemFinished(
            item_uid=event.uid,
            execution_id=event.execution_id,
            exit_status=status,
            requeued_as_uid=event.requeued_as_uid,
        )
        message.item_finished.CopyFrom(finished)
    elif isinstance(event, ev.HistoryAdded):
        message.history_added.entry.ParseFromString(entry_bytes(event.entry))
    return message


def claim_into(message: lock_pb2.LockInfo | lock_pb2.LockRequest, claim: Claim) -> None:
    message.environment, message.queue = claim.environment, claim.queue
    message.user, message.note = claim.user, claim.note
    set_time(message.time, claim.time)
    if claim.lease:
        message.lease.FromSeconds(int(claim.lease))


def expected_lock(lock: Lock | None, is_set: bool) -> lock_pb2.LockInfo:
    message = lock_pb2.LockInfo(emergency_lock_key_set=is_set)
    if lock is not None:
        claim_into(message, lock.claim)
        if lock.lease_end:
            set_time(message.lease_end_time, lock.lease_end)
        if lock.request is not None:
            message.request.CopyFrom(expected_request(lock.request))
    return message


def expected_request(request: LockRequest) -> lock_pb2.LockRequest:
    message = lock_pb2.LockRequest(lock_request_uid=request.uid)
    claim_into(message, request.claim)
    set_time(message.end_time, request.end)
    return message


def expected_lock_change(event: ev.LockChanged) -> pb.WatchEvent:
    changed = pb.LockChanged(
        change=lock_pb2.LockChange.Value(f"LOCK_CHANGE_{event.change.name}"),
        lock_info=expected_lock(event.lock, event.emergency_key_is_set),
        user=event.user,
        answer_note=event.answer_note,
    )
    if event.previous is not None:
        changed.previous_lock_info.CopyFrom(expected_lock(event.previous, event.emergency_key_is_set))
    if event.request is not None:
        changed.request.CopyFrom(expected_request(event.request))
    return pb.WatchEvent(lock_changed=changed)


def expected_of(event: ev.Event) -> pb.WatchEvent:
    if isinstance(event, TASKS):
        return expected_task(event)
    if isinstance(event, ev.LockChanged):
        return expected_lock_change(event)
    if isinstance(event, ev.PermissionsReplaced):
        groups = {name: rules_message(rules) for name, rules in event.permissions.groups.items()}
        return pb.WatchEvent(
            permissions_changed=pb.PermissionsChanged(permissions=UserGroupPermissions(user_groups=groups))
        )
    return expected_edit(event) if isinstance(event, EDITS) else expected_message(event)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_read_by_protobuf_as_it_happened(kind: type) -> None:
    @relaxed
    @given(EVENTS[kind], st.integers(1, 2**62), times)
    def read(event: ev.Event, revision: int, time: float) -> None:
        message = pb.WatchEvent.FromString(at_once(event_bytes(ev.Announcement(revision, time, event))))
        assert (message.revision, message.WhichOneof("event") is None) == (revision, False)
        assert message.time.seconds + message.time.nanos / 1e9 == pytest.approx(time, abs=1e-9)
        expected = expected_of(event)
        expected.revision = revision
        expected.time.CopyFrom(message.time)
        assert message == expected

    read()


@relaxed
@given(items)
def test_an_item_as_a_message_says_what_the_item_says(item: Item) -> None:
    message = item_pb2.Item.FromString(item_bytes(item))
    assert (message.item_uid, message.name, message.user, message.user_group) == (
        *(item.uid, item.name, item.user, item.user_group),
    )
    assert (message.attempt, message.retry_of_uid) == (item.attempt, item.retry_of_uid)
    back = at_once(read_submission(message))
    assert (back.kind, back.args, back.kwargs) == (item.kind, item.args, item.kwargs)
    assert (back.meta, back.properties) == (item.meta, item.properties)


@relaxed
@given(entries)
def test_an_entry_as_a_message_says_what_became_of_the_item(entry: HistoryEntry) -> None:
    message = item_pb2.HistoryEntry.FromString(entry_bytes(entry))
    result = entry.result
    assert (message.number, message.execution_id, message.requeued_as_uid) == (
        *(entry.number, entry.execution_id, entry.requeued_as_uid),
    )
    assert message.item == item_to_proto(entry.item)
    assert item_pb2.ExitStatus.Name(message.result.exit_status) == f"EXIT_STATUS_{result.exit_status.name}"
    cause = "UNSPECIFIED" if result.failure_cause is FailureCause.NONE else result.failure_cause.name
    assert item_pb2.FailureCause.Name(message.result.failure_cause) == f"FAILURE_CAUSE_{cause}"
    assert message.result.HasField("start_time") == (result.start is not None)
    assert [(run.run_uid, run.open, run.exit_status) for run in message.result.runs] == [
        (run.uid, run.is_open, run.exit_status) for run in result.runs
    ]
    assert [run.scan_id if run.HasField("scan_id") else None for run in message.result.runs] == [
        run.scan_id for run in result.runs
    ]


def test_every_exit_status_and_cause_of_the_contract_is_known() -> None:
    assert len(item_pb2.ExitStatus.keys()) == len(ExitStatus) + 1
    assert len(item_pb2.FailureCause.keys()) == len(FailureCause)


@relaxed
@given(items)
def test_a_message_completed_in_place_equals_one_built_anew(item: Item) -> None:
    asked = item_pb2.ItemSpec(item_type=0 if item.kind is ItemKind.PLAN else 2, name=item.name)
    for name in ("args", "kwargs", "meta", "properties"):
        if getattr(item, name) is not None:
            getattr(asked, name).CopyFrom(getattr(item_to_proto(item), name))
    adopt_message(item, at_once(read_submission(asked)))
    assert item_pb2.Item.FromString(item_bytes(item)) == item_to_proto(item)


@pytest.mark.parametrize(
    ("seconds", "parts"),
    [(0.0, (0, 0)), (1.5, (1, 500_000_000)), (1e9 - 1e-7, (999_999_999, 999_999_881)), (-0.5, (-1, 500_000_000))],
)
def test_a_time_is_split_into_seconds_and_nanoseconds(seconds: float, parts: tuple[int, int]) -> None:
    time = pb.WatchEvent().time
    set_time(time, seconds)
    assert (time.seconds, time.nanos) == parts


def refused(error: type[Exception], **fields: Any) -> str:
    """Path of the wrong field."""
    with pytest.raises(error) as caught:
        at_once(read_submission(item_pb2.ItemSpec(**fields), "items[2]"))
    return str(caught.value.violations[0].field)  # type: ignore[attr-defined] # all of these are Refused


def test_a_submission_that_is_wrong_in_itself_is_refused_with_its_path() -> None:
    assert refused(ItemInvalid, name="x" * (MAX_NAME + 1)) == "items[2].name"
    assert refused(ItemInvalid, name="count", item_type=9) == "items[2].item_type"
    assert refused(ItemTooLarge, name="count", kwargs={"x": "y" * MAX_ITEM_BYTES}) == "items[2]"
    for part in ("kwargs", "meta", "properties"):
        assert refused(NumberNotExact, **{part: {"a": [float("nan")]}}) == f"items[2].{part}.a[0]"


def test_an_item_that_says_no_type_is_a_plan_and_absent_parts_stay_absent() -> None:
    submission = at_once(read_submission(item_pb2.ItemSpec(name="count", args=[])))
    assert (submission.kind, submission.name, submission.args) == (ItemKind.PLAN, "count", [])
    assert (submission.kwargs, submission.meta, submission.properties) == (None, None, None)


def test_the_running_item_has_its_execution_and_the_time_of_its_claim() -> None:
    started = ev.ItemStarted(ev.RunningItem(plan("a"), "x-1", NOW, "boot", "environment"))
    message = pb.WatchEvent.FromString(at_once(event_bytes(ev.Announcement(3, NOW, started))))
    running = MessageToDict(message.item_started.running_item)
    assert (running["executionId"], running["item"]["itemUid"]) == ("x-1", "a")
    assert running["claimTime"] == "2023-11-14T22:13:20.250Z"
