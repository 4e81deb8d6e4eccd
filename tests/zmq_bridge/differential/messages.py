"""Compares two messages by what they mean: both say something or neither does, they begin alike, and what clients look
for in the one is in the other.
"""

from __future__ import annotations

import re
from typing import Final

#: Beginnings that say what failed.
PREFIXES: Final = (
    "Error: ",
    "Failed to add an item: ",
    "Failed to add all items: ",
    "Failed to add a plan: ",
    "Failed to add item to queue: ",
    "Failed to get an item: ",
    "Failed to remove an item: ",
    "Failed to move the item: ",
    "Failed to remove a batch of items: ",
    "Failed to move the batch of items: ",
    "Failed to start execution of the item: ",
    "Failed to set queue mode: ",
    "Failed to interrupt IPython kernel: ",
    "Plan failed: ",
    "Error occurred while executing ",
)
#: What clients look for, or in one of several ways to say it. Each is in both messages or in neither.
PHRASES: Final[tuple[str | tuple[str, ...], ...]] = (
    "RE Manager v",
    "RE Worker environment already exists.",
    "RE Worker environment does not exist.",
    "RE environment does not exist",
    "environment is not open",
    "Environment does not exist.",
    "RE Manager is busy.",
    "RE Manager is not paused",
    "Run Engine is not found",
    "Queue is not running",
    "Unknown method",
    "Unknown user group",
    "unsupported parameters",
    "Supported parameters",
    "Incorrect request format",
    "request contains no item info",
    "'item_type' key is not found",
    "unsupported 'item_type' value",
    "user group is not specified",
    "user name is not specified",
    "Plan validation failed: ",
    "is not in the list of allowed plans",
    "Unrecognized instruction",
    "is not allowed for users from",
    "Function name is not specified",
    ("Ambiguous parameters", "mutually exclusive"),
    "is out of range",
    ("not in the queue", "does not contain items"),
    "currently running",
    "has incorrect",
    "is not supported. Available options",
    "is not allowed. Allowed options",
    "Invalid lock key: ",
    "was locked with a different key",
    "must be a non-empty string",
    "RE Worker environment was destroyed",
    "validation of ",
)
_LOCK: Final = re.compile(
    r"RE Manager is locked by .* at .*\nEnvironment is locked: .*\nQueue is locked:       .*\n"
    r"Emergency lock key:    .*\nNote: .*"
)
_TIME: Final = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d")


def disagreement(real: object, ours: object) -> str:
    """How two messages differ in what they mean; empty if they don't."""
    if not isinstance(real, str) or not isinstance(ours, str):
        return "" if real is ours else "one of them is no text"
    if bool(real) != bool(ours):
        return "one of them is empty"
    if beginnings_of(real) != beginnings_of(ours):
        return f"the beginning: {beginnings_of(real)} there, {beginnings_of(ours)} here"
    for phrase in PHRASES:
        ways = (phrase,) if isinstance(phrase, str) else phrase
        if any(way in real for way in ways) != any(way in ours for way in ways):
            return f"{phrase!r} is in one of them"
    if _lock(real) != _lock(ours):
        return "the lock is described in another way"
    return ""


def beginnings_of(message: str) -> list[str]:
    """The known beginnings of a message, one behind the other: each is said once, not twice."""
    found: list[str] = []
    while prefix := next(filter(message.startswith, PREFIXES), ""):
        found.append(prefix)
        message = message.removeprefix(prefix)
    return found


def _lock(message: str) -> str:
    found = _LOCK.search(message)
    return _TIME.sub("(time)", found.group()) if found else ""
