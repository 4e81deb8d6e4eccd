"""What the supervisor and the environment agree on about tasks: their names, and how much they may return."""

from __future__ import annotations

from typing import Final

MAX_RETURN_VALUE_BYTES: Final = 2 * 1024 * 1024
"""Longest encoded return value: results wait in files and in snapshots, and clients read them in one message."""
_WORDS: Final = {"function": "Execute function", "script": "Load script", "update": "Update environment"}


def kind_of(work: str | None) -> str:
    """What a task does, in words; `work` is the name of its kind in TaskCommand."""
    return _WORDS.get(work or "", "Task")


def failure_text(kind: str, why: str) -> str:
    """The message of a task that failed; `why` is a sentence or the text of an exception."""
    return f"Error occurred while executing '{kind}': {why}"
