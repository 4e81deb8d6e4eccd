"""What happens to an item that has ended: a table, by how it ended and by the mode of the queue.

| it ended as                                  | returns to                              | the queue continues       |
|----------------------------------------------|-----------------------------------------|---------------------------|
| completed                                    | loop: the back                          | yes                       |
| stopped                                      | loop: the back                          | no                        |
| failed by itself                             | the front, as a new attempt             | no                        |
| the same, failures ignored                   | loop: the back                          | yes                       |
| refused by the Worker before it began        | the front, as a new attempt             | no                        |
| aborted, halted, or what executed it is gone | by policy: the front, there held, or not | no                       |
| any of these, after it was told to end       | as above                                | no                        |
| any of these, executed immediately           | never                                   | autostart ends unless yes |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from queueserver_manager.domain.queue.item import INTERRUPTIONS, ExitStatus, Item, Outcome, RunningItem
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode


@dataclass(frozen=True, slots=True)
class Requeue:
    """The item that returns to the queue, if any, to which end of it, and whether the queue may continue."""

    item: Item | None
    at_front: bool
    queue_continues: bool


def requeue_after(
    running: RunningItem, outcome: Outcome, mode: QueueMode, new_id: Callable[[], str], now: Callable[[], float]
) -> Requeue:
    """What happens to a running item with this outcome."""
    item, status = running.item, outcome.result.exit_status
    interrupted = status in {ExitStatus.ABORTED, ExitStatus.HALTED} or outcome.result.failure_cause in INTERRUPTIONS
    failed_by_itself = status is ExitStatus.FAILED and not interrupted and not outcome.refused
    queue_continues = status is ExitStatus.COMPLETED or (failed_by_itself and mode.ignore_failures)
    if running.immediate:
        return Requeue(None, at_front=False, queue_continues=queue_continues)
    if queue_continues or status is ExitStatus.STOPPED:
        again = item.repetition(new_id(), now()) if mode.loop else None
        return Requeue(again, at_front=False, queue_continues=queue_continues)
    if interrupted and mode.interrupted is InterruptedPolicy.DROP:
        return Requeue(None, at_front=True, queue_continues=False)
    held = interrupted and mode.interrupted is InterruptedPolicy.HOLD
    return Requeue(item.next_attempt(new_id(), now(), held=held), at_front=True, queue_continues=False)
