"""Starting and stopping the queue, claiming items, and what an outcome does, as decisions.

A claim takes an item out of the queue and makes it the running item in one change; an outcome writes the
history, lets go of the running item, and claims the next one or stops the queue, also in one. So there is no
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
    Execution,
    SetExecution,
    SetRunning,
)
from queueserver_manager.domain.editing import put_at
from queueserver_manager.domain.events import (
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
from queueserver_manager.domain.item import HistoryEntry, Item, ItemKind, Outcome, RunningItem
from queueserver_manager.domain.record import Record

Changes = list[Change]
Events = list[Event]


@dataclass(frozen=True, slots=True)
class Claimant:
    """For which Worker process and environment an item is claimed, and what a claim needs from outside."""

    boot_id: str
    environment_id: str
    new_id: Callable[[], str]
    now: Callable[[], float]
    #: Whether the environment can take another item; False when it is going away.
    can_execute: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """What the queue does next: the item that was claimed, or None if it stopped."""

    claimed: RunningItem | None
    requeued: Item | None = None


def start_queue(record: Record, user: str, claimant: Claimant) -> Decision[Step]:
    """Start the queue and claim its first item. With an empty queue nothing happens."""
    if not len(record.queue):
        return Decision(Step(None))
    changes: Changes = []
    events: Events = [QueueStarted(user)]
    claimed = _go_on(record.queue.at(0), claimant, changes, events)
    changes.append(SetExecution(Execution(active=claimed is not None)))
    return Decision(Step(claimed), changes, events)


def stop_queue(record: Record, user: str) -> Decision[None]:
    """Let the running item end and start no other. Repeating it changes nothing."""
    if record.execution.stop_pending:
        return Decision(None)
    execution = replace(record.execution, stop_pending=True)
    return Decision(None, [SetExecution(execution)], [QueueStopRequested(user)])


def cancel_stop_queue(record: Record, user: str) -> Decision[None]:
    """Take a pending stop back."""
    if not record.execution.stop_pending:
        return Decision(None)
    execution = replace(record.execution, stop_pending=False)
    return Decision(None, [SetExecution(execution)], [QueueStopCancelled(user)])


def finish_item(record: Record, outcome: Outcome, claimant: Claimant, history_limit: int) -> Decision[Step] | None:
    """Account for an outcome, once. None if it does not belong to the running item: it was accounted for."""
    running = record.running
    if running is None or running.execution_id != outcome.execution_id:
        return None
    changes: Changes = [SetRunning(None)]
    events: Events = []
    well = outcome.result.exit_status.is_success
    retry = None if well else running.item.next_attempt(claimant.new_id(), claimant.now())
    requeued_as = retry.uid if retry else ""
    entry = HistoryEntry(record.history.next_number, running.item, running.execution_id, outcome.result, requeued_as)
    changes.append(AddHistory(entry))
    if len(record.history) >= history_limit:
        first = record.history.first_number
        changes.append(DropHistory(first, first + len(record.history) + 1 - history_limit))
    events.append(ItemFinished(running.item.uid, running.execution_id, outcome.result.exit_status, requeued_as))
    events.append(HistoryAdded(entry))
    if retry is not None:
        changes.extend(put_at(record, [retry], 0))
        events.append(ItemsAdded((retry,), 0))

    claimed = None
    stop = _stop_reason(record, claimant, well=well)
    if stop is not None:
        events.append(QueueStopped(stop))
    else:
        claimed = _go_on(record.queue.at(0), claimant, changes, events)
    if claimed is None:
        changes.append(SetExecution(Execution()))
    return Decision(Step(claimed, retry), changes, events)


def _stop_reason(record: Record, claimant: Claimant, *, well: bool) -> StopReason | None:
    """Why no further item is claimed, in the order in which the reasons count."""
    if not well:
        return StopReason.FAILURE
    if record.execution.stop_pending or not record.execution.active:
        return StopReason.REQUESTED
    if not len(record.queue):
        return StopReason.EMPTY
    return None if claimant.can_execute else StopReason.ENVIRONMENT


def _go_on(head: Item, claimant: Claimant, changes: Changes, events: Events) -> RunningItem | None:
    """Take the head of the queue: claim a plan, or obey an instruction and stop."""
    changes.append(DropItem(head.uid))
    if head.kind is ItemKind.INSTRUCTION:
        events.append(ItemRemoved(head.uid, 0))
        events.append(QueueStopped(StopReason.INSTRUCTION))
        return None
    running = RunningItem(head, claimant.new_id(), claimant.now(), claimant.boot_id, claimant.environment_id)
    changes.append(SetRunning(running))
    events.append(ItemStarted(running))
    return running
