"""The execution of the queue from its start until it stops, built from events."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import (
    Event,
    ExitStatus,
    HistoryAdded,
    HistoryEntry,
    ItemStarted,
    ManagerState,
    QueueStarted,
    QueueStopped,
    QueueStopReason,
    Snapshot,
    StatusChanged,
)

from queueserver_cli.display.evidence import Evidence
from queueserver_cli.words.event_words import counted, item_words
from queueserver_cli.words.execution_words import end_words, sentence

_ACTIVE = {ManagerState.STARTING_QUEUE, ManagerState.EXECUTING_QUEUE, ManagerState.PAUSED}
#: Reasons that leave nothing undone.
_AS_PLANNED = {QueueStopReason.EMPTY, QueueStopReason.INSTRUCTION}
#: Why a queue stopped, without the full stop.
WHY = {
    QueueStopReason.EMPTY: "The queue stopped because it is empty",
    QueueStopReason.REQUESTED: "The queue stopped as requested",
    QueueStopReason.INSTRUCTION: "The queue stopped at a queue-stop",
    QueueStopReason.FAILURE: "The queue stopped because a plan did not end well",
    QueueStopReason.ENVIRONMENT: "The queue stopped because the environment is going away",
    QueueStopReason.HELD: "The queue stopped because the first item is held (see: qserver why)",
    QueueStopReason.PAUSE: "The queue stopped because of a pause for which the plan had no checkpoint left",
}


class QueueProgress:
    """What was executed since the queue was started. Feed it every event, in order.

    It begins with the QueueStarted that belongs to the start: what comes before it belongs to an earlier one.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._started = False
        self.executed: list[HistoryEntry] = []
        #: None while it runs.
        self.stop_reason: QueueStopReason | None = None
        #: Events were lost: the history knows what was executed.
        self.has_gap = False

    def take(self, event: Event | Snapshot) -> None:
        """Take what a watch tells."""
        if isinstance(event, StatusChanged):
            self._evidence.take(event.status)
        elif isinstance(event, Snapshot):
            self.has_gap = self._started = True
            if event.status is not None and event.status.manager_state not in _ACTIVE:
                self.stop_reason = QueueStopReason.UNSPECIFIED
        elif isinstance(event, QueueStarted):
            self._started = True
        elif self._started:
            self._take_of_this_start(event)

    def _take_of_this_start(self, event: Event) -> None:
        if isinstance(event, ItemStarted):
            self._evidence.say(f"started: {item_words(event.running_item.item)}")
        elif isinstance(event, HistoryAdded):
            self.executed.append(event.entry)
            self._evidence.say(end_words(event.entry))
        elif isinstance(event, QueueStopped):
            self.stop_reason = event.reason

    @property
    def not_completed(self) -> Sequence[HistoryEntry]:
        """What was executed and did not end by itself and well."""
        return [entry for entry in self.executed if entry.result.exit_status is not ExitStatus.COMPLETED]

    def is_well(self, items_left: int) -> bool:
        """Whether everything that was to be executed completed."""
        return not self.not_completed and (self.stop_reason in _AS_PLANNED or not items_left)

    def words(self, items_left: int) -> str:
        """Why the queue stopped, what did not end well, and how much was done."""
        reason = self.stop_reason or QueueStopReason.UNSPECIFIED
        told = [sentence(WHY.get(reason, "The queue is not running any more"))]
        bad = self.not_completed
        if bad:
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            told.append(f"{sentence(end_words(bad[0]))}{more}")
        told.append(f"{counted(len(self.executed) - len(bad), 'plan')} completed, {items_left} left in the queue.")
        if bad:
            told.append(f"All about it: qserver item {bad[0].item.uid}")
        return " ".join(told)
