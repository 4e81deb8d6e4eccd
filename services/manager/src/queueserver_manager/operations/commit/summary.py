"""The record in a few words, for parts that must not wait for it and need no more: status, runner, autostart."""

from __future__ import annotations

from dataclasses import dataclass

from queueserver_manager.domain.lock.lock import Lock
from queueserver_manager.domain.queue.item import RunningItem
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.queue.setback import Setback, setback_of
from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.domain.refusals.errors import Violation


@dataclass(frozen=True, slots=True)
class Summary:
    """The record in a few words, as committed."""

    store_id: str
    revisions: Revisions
    items_in_queue: int
    items_in_history: int
    running: RunningItem | None
    stop_pending: bool
    mode: QueueMode
    autostart: bool
    #: The item at the head of the queue is held.
    head_held: bool
    #: Current problems of the item at the head of the queue.
    head_problems: tuple[Violation, ...] = ()
    #: uid of the item at the head of the queue; empty if there is none.
    head_uid: str = ""
    #: What failed or was interrupted before.
    setback: Setback | None = None
    #: A task has the environment to itself.
    foreground_task: bool = False
    #: Items that would fail under the present plans, devices and permissions.
    invalid_items: int = 0
    lock: Lock | None = None
    emergency_key_is_set: bool = False


def summary_of(record: Record) -> Summary:
    """The record as it is now."""
    head = record.queue.at(0) if len(record.queue) else None
    return Summary(
        record.store_id,
        record.revisions,
        len(record.queue),
        len(record.history),
        record.running,
        record.queue_activity.stop_pending,
        record.mode,
        record.autostart,
        head_held=head is not None and head.held,
        head_problems=head.problems if head is not None else (),
        head_uid=head.uid if head is not None else "",
        setback=setback_of(record),
        foreground_task=record.tasks.foreground is not None,
        invalid_items=record.queue.invalid,
        lock=record.lock,
        emergency_key_is_set=record.emergency_key is not None,
    )
