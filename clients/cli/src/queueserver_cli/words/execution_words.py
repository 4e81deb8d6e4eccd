"""Executions in words: how a plan ended, and how long it took."""

from __future__ import annotations

from typing import Any

from queueserver_client import ExitStatus, HistoryEntry, ItemResult

#: Beginning of the server's message about a failed plan.
_PREFIX = "Plan failed: "
_HOW = {
    ExitStatus.COMPLETED: "completed",
    ExitStatus.FAILED: "failed",
    ExitStatus.STOPPED: "was stopped",
    ExitStatus.ABORTED: "was aborted",
    ExitStatus.HALTED: "was halted",
}


def seconds(result: ItemResult) -> float | None:
    """How long it took; None if it never began."""
    if result.start_time is None or result.stop_time is None:
        return None
    return max(0.0, (result.stop_time - result.start_time).total_seconds())


def seconds_words(result: ItemResult) -> str:
    """How long it took, for example "12.3 s"; empty if it never began."""
    taken = seconds(result)
    return "" if taken is None else f"{taken:.1f} s"


def message_words(result: ItemResult) -> str:
    """Why it ended as it did; empty if it was completed."""
    return result.message.strip().removeprefix(_PREFIX)


def end_words(entry: HistoryEntry) -> str:
    """The result of an item: "'count' failed after 2.0 s: the shutter is stuck"."""
    result = entry.result
    how = _HOW.get(result.exit_status, "ended in a way that only a newer qserver can show")
    after = f" after {seconds_words(result)}" if seconds_words(result) else ""
    why = f": {message_words(result)}" if message_words(result) else ""
    return f"{entry.item.name!r} {how}{after}{why}"


def sentence(text: str) -> str:
    """A text with a full stop at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def again_words(entry: HistoryEntry) -> str:
    """What replaces it in the queue; empty if nothing does."""
    if not entry.requeued_as_uid:
        return ""
    if entry.result.exit_status in {ExitStatus.COMPLETED, ExitStatus.STOPPED}:
        return f" It is repeated as {entry.requeued_as_uid}."
    return f" A new attempt stands in the queue: {entry.requeued_as_uid}"


def brief(entry: HistoryEntry) -> dict[str, Any]:
    """What a list has of an execution."""
    body: dict[str, Any] = {
        "item_uid": entry.item.uid,
        "name": entry.item.name,
        "exit_status": entry.result.exit_status.value,
        "msg": entry.result.message,
    }
    if entry.requeued_as_uid:
        body["requeued_as_uid"] = entry.requeued_as_uid
    return body
