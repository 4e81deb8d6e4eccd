"""Starting and stopping the queue, claiming items, and what an outcome does, as decisions.

A claim takes an item out of the queue and makes it the running item in one change; an outcome writes the
history, releases the running item, and claims the next one or stops the queue, also in one. So there is no
moment at which an item is nowhere, or in two places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from queueserver_manager.domain.changes import (
    AddHistory,
    Change,
    Decision,
    DropHistory,
    DropItem,
    MarkRunning,
    QueueActivity,
    SetAutostart,
    SetQueueActivity,
    SetRunning,
    SetWorker,
)
from queueserver_manager.domain.events import (
    AutostartChanged,
    Event,
    HistoryAdded,
    ItemFinished,
    ItemRemoved,
    ItemsAdded,
    ItemStarted,
    QueueStarted,
    QueueStopCancelled,
    QueueStopped,
    QueueStopRequested,
    StopReason,
)
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue.item import HistoryEntry, Item, ItemKind, Outcome, RunningItem
from queueserver_manager.domain.queue.queue_edits import put_at
from queueserver_manager.domain.queue.requeue import requeue_after
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import ItemHeld

Changes = list[Change]
Events = list[Event]


@dataclass(frozen=True, slots=True)
class ClaimContext:
    """For which Worker process and environment an item is claimed, and what a claim needs from outside."""

    boot_id: str
    environment_id: str
    new_id: Callable[[], str]
    now: Callable[[], float]
    #: Whether the environment can take another item; False while it is closing.
    can_execute: bool = True
    #: A pause was asked for that never took effect, because the plan was past its last checkpoint.
    pause_unresolved: bool = False
    #: The plan was told to end, even if it ended by itself before that.
    end_requested: bool = False

    def after(self, running: RunningItem, outcome: Outcome) -> ClaimContext:
        """The same, with what is known of the execution that ended."""
        return replace(
            self,
            pause_unresolved=self.pause_unresolved or outcome.pause_pending or running.pause_pending,
            end_requested=self.end_requested or outcome.end_requested or running.end_requested,
        )


@dataclass(frozen=True, slots=True)
class Advance:
    """The queue's next step: the item that was claimed, or None if it stopped."""

    claimed: RunningItem | None
    requeued: Item | None = None


def start_queue(record: Record, user: str, claim_context: ClaimContext) -> Decision[Advance]:
    """Start the queue and claim its first item. With an empty queue nothing happens. Raises ItemHeld."""
    if not len(record.queue):
        return Decision(Advance(None))
    if record.queue.at(0).held:
        raise ItemHeld(record.queue.at(0).uid)
    changes: Changes = []
    events: Events = [QueueStarted(user)]
    claimed = _go_on(record, record.queue.at(0), None, claim_context, changes, events)
    changes.append(SetQueueActivity(QueueActivity(active=claimed is not None)))
    return Decision(Advance(claimed), changes, events)


def execute_item(record: Record, item: Item, claim_context: ClaimContext) -> Decision[RunningItem | None]:
    """Claim an item that is not in the queue. The only effect of an instruction is that autostart ends."""
    changes: Changes = []
    events: Events = []
    if item.kind is ItemKind.INSTRUCTION:
        _end_autostart(record, changes, events)
        return Decision(None, changes, events)
    running = replace(_claim(item, claim_context), immediate=True)
    return Decision(running, [SetRunning(running)], [ItemStarted(running)])


def stop_queue(record: Record, user: str) -> Decision[None]:
    """Let the running item finish and start no other. Repeating it changes nothing."""
    if record.queue_activity.stop_pending:
        return Decision(None)
    activity = replace(record.queue_activity, stop_pending=True)
    return Decision(None, [SetQueueActivity(activity)], [QueueStopRequested(user)])


def cancel_stop_queue(record: Record, user: str) -> Decision[None]:
    """Withdraw a pending stop."""
    if not record.queue_activity.stop_pending:
        return Decision(None)
    activity = replace(record.queue_activity, stop_pending=False)
    return Decision(None, [SetQueueActivity(activity)], [QueueStopCancelled(user)])


def stop_after(record: Record, execution_id: str, *, pause: bool) -> Decision[bool]:
    """Start nothing by itself after an execution that is past being paused or ended; returns whether it is past that.

    It is not if another one runs. If the execution was accounted for and none runs, autostart ends.
    """
    running = record.running
    if running is None:
        changes: Changes = []
        events: Events = []
        _end_autostart(record, changes, events)
        return Decision(True, changes, events)
    if running.execution_id != execution_id:
        return Decision(False)
    asked = replace(running, pause_pending=True) if pause else replace(running, end_requested=True)
    return Decision(True, [MarkRunning(asked)] if asked != running else [])


def stop_after_loss(record: Record) -> Decision[None]:
    """Start nothing by itself: the store has lost changes, so an item of the queue may have been executed already."""
    changes: Changes = []
    events: Events = []
    _end_autostart(record, changes, events)
    if record.queue_activity.active and record.running is None:
        changes.append(SetQueueActivity(QueueActivity()))
        events.append(QueueStopped(StopReason.REQUESTED))
    elif record.running is not None and not record.queue_activity.stop_pending:
        changes.append(SetQueueActivity(replace(record.queue_activity, stop_pending=True)))
        events.append(QueueStopRequested(""))
    return Decision(None, changes, events)


def finish_item(
    record: Record,
    outcome: Outcome,
    claim_context: ClaimContext,
    bound: Bound,
    measure: Callable[[HistoryEntry], int] = lambda _: 0,
) -> Decision[Advance] | None:
    """Account for an outcome, once. Returns None if it does not belong to the running item: it was accounted for.

    ``bound`` is that of the history; ``measure`` returns the bytes of an entry as it is stored.
    """
    running = record.running
    if running is None or running.execution_id != outcome.execution_id:
        return None
    claim_context = claim_context.after(running, outcome)
    changes: Changes = [SetRunning(None)]
    events: Events = []
    back = requeue_after(running, outcome, record.mode, claim_context.new_id, claim_context.now)
    uid = back.item.uid if back.item else ""
    entry = HistoryEntry(record.history.next_number, running.item, running.execution_id, outcome.result, uid)
    entry = replace(entry, size=measure(entry))
    changes.extend(_added(record, entry, bound))
    events.append(ItemFinished(running.item.uid, running.execution_id, outcome.result.exit_status, uid))
    events.append(HistoryAdded(entry))
    behind = back.item
    if back.item is not None and back.at_front:
        behind = None
        changes.extend(put_at(record, [back.item], 0))
        events.append(ItemsAdded((back.item,), 0))
    claimed = None
    if not running.immediate:
        ended = None
        if not back.queue_continues:
            well = outcome.result.exit_status.is_success
            ended = StopReason.REQUESTED if well else StopReason.FAILURE
        claimed = _next(record, ended, claim_context, behind, changes, events)
    elif not back.queue_continues or _is_to_stop(record, claim_context):
        # A user who asked for a stop while it ran does not expect the queue to start by itself.
        _end_autostart(record, changes, events)
    if claimed is None:
        changes.append(SetQueueActivity(QueueActivity()))
    return Decision(Advance(claimed, back.item), changes, events)


def _added(record: Record, entry: HistoryEntry, bound: Bound) -> Changes:
    """Changes that add an entry to the history, and drop those for which it has no room then."""
    first, first_left = record.history.first_number, record.history.first_within(bound, entry.size)
    return [AddHistory(entry), DropHistory(first, first_left)] if first < first_left else [AddHistory(entry)]


def _is_to_stop(record: Record, claim_context: ClaimContext) -> bool:
    """Whether a user asked for a stop while an item was executed."""
    return record.queue_activity.stop_pending or claim_context.pause_unresolved or claim_context.end_requested


def meet_worker(record: Record, boot_id: str, *, is_first: bool) -> Decision[bool]:
    """Note the connected Worker process; returns whether autostart ended.

    If the first process that an owner meets is not the last one of the owner before, everything was restarted, perhaps
    after a power failure and without a person there to see motors move: autostart ends.
    """
    if boot_id == record.worker_boot_id:
        return Decision(False)
    changes: Changes = [SetWorker(boot_id)]
    events: Events = []
    if is_first:
        _end_autostart(record, changes, events)
    return Decision(bool(events), changes, events)


def _next(
    record: Record,
    reason: StopReason | None,
    claim_context: ClaimContext,
    behind: Item | None,
    changes: Changes,
    events: Events,
) -> RunningItem | None:
    """Claim the next item, or stop and say why; ``reason`` is there if the last item is one to stop.

    ``behind`` is an item that returns to the back of the queue.
    """
    head = record.queue.at(0) if len(record.queue) else behind
    if reason is None:
        reason = _obstacle(record, head, claim_context)
    if reason is None and head is not None:
        return _go_on(record, head, behind, claim_context, changes, events)
    _put_behind(record, [behind] if behind else [], changes, events)
    if reason is not None and reason is not StopReason.EMPTY:
        _end_autostart(record, changes, events)
    events.append(QueueStopped(reason or StopReason.EMPTY))
    return None


def _obstacle(record: Record, head: Item | None, claim_context: ClaimContext) -> StopReason | None:
    """Why the queue can't continue with the item at its head, the most important reason first."""
    if record.queue_activity.stop_pending or not record.queue_activity.active or claim_context.end_requested:
        return StopReason.REQUESTED
    if claim_context.pause_unresolved:
        return StopReason.PAUSE
    if head is None:
        return StopReason.EMPTY
    if not claim_context.can_execute:
        return StopReason.ENVIRONMENT
    return StopReason.HELD if head.held else None


def _go_on(
    record: Record, head: Item, behind: Item | None, claim_context: ClaimContext, changes: Changes, events: Events
) -> RunningItem | None:
    """Take the head of the queue: claim a plan, or carry out an instruction and stop."""
    to_back = [behind] if behind is not None else []
    if head.kind is ItemKind.PLAN:
        _put_behind(record, to_back, changes, events)
        running = _claim(head, claim_context)
        changes += (DropItem(head.uid), SetRunning(running))
        events.append(ItemStarted(running))
        return running
    if record.mode.loop:
        to_back.append(head.repetition(claim_context.new_id(), claim_context.now()))
    _put_behind(record, to_back, changes, events)
    changes.append(DropItem(head.uid))
    events.append(ItemRemoved(head.uid, 0))
    _end_autostart(record, changes, events)
    events.append(QueueStopped(StopReason.INSTRUCTION))
    return None


def _put_behind(record: Record, items: list[Item], changes: Changes, events: Events) -> None:
    if items:
        changes.extend(put_at(record, items, len(record.queue)))
        events.append(ItemsAdded(tuple(items), len(record.queue)))


def _claim(item: Item, claim_context: ClaimContext) -> RunningItem:
    return RunningItem(
        item, claim_context.new_id(), claim_context.now(), claim_context.boot_id, claim_context.environment_id
    )


def _end_autostart(record: Record, changes: Changes, events: Events) -> None:
    if record.autostart:
        changes.append(SetAutostart(enabled=False))
        events.append(AutostartChanged(enabled=False))
