"""The plan to look into before the queue is started: it was executed and did not end well."""

from __future__ import annotations

from dataclasses import dataclass

from queueserver_manager.domain.queue.item import ExitStatus
from queueserver_manager.domain.record import Record

#: Characters of the plan's error that a sentence shows.
_MOST_TEXT = 300
#: What the message of a failed plan begins with.
_PREFIX = "Plan failed: "
_HOW = {
    ExitStatus.COMPLETED: "completed",
    ExitStatus.FAILED: "failed",
    ExitStatus.STOPPED: "was stopped",
    ExitStatus.ABORTED: "was aborted",
    ExitStatus.HALTED: "was halted",
}


@dataclass(frozen=True, slots=True)
class Setback:
    """A plan that did not end well, and the attempt at the head of the queue that retries it, if there is one."""

    #: Name of the plan.
    name: str
    #: Which attempt is at the head of the queue; 0 if none is.
    next_attempt: int = 0
    next_uid: str = ""
    #: Its item; empty if the history no longer has it.
    item_uid: str = ""
    #: None if the history no longer has it.
    exit_status: ExitStatus | None = None
    #: Why it ended, in one sentence.
    message: str = ""

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        how = _HOW[self.exit_status] if self.exit_status is not None else "did not end well"
        message = self.message.removeprefix(_PREFIX)
        said = message if len(message) <= _MOST_TEXT else f"{message[:_MOST_TEXT]}…"
        why = f": {said.rstrip().removesuffix('.')}" if said.strip() else ""
        if self.next_attempt:
            return f"The first item is attempt {self.next_attempt} of {self.name!r}, which {how}{why}."
        return f"The plan that was executed last, {self.name!r}, {how}{why}."


def setback_of(record: Record) -> Setback | None:
    """What the attempt at the head of the queue retries, else what was executed last if it did not end well."""
    head = record.queue.at(0) if len(record.queue) else None
    if head is not None and head.attempt > 1:
        before = record.history.entry_of_item(head.retry_of_uid)
        if before is None:
            return Setback(head.name, head.attempt, head.uid)
        return Setback(
            before.item.name,
            head.attempt,
            head.uid,
            before.item.uid,
            before.result.exit_status,
            before.result.message,
        )
    for last in record.history.newest(1):
        if not last.result.exit_status.is_success:
            item = last.item
            return Setback(item.name, 0, "", item.uid, last.result.exit_status, last.result.message)
    return None
