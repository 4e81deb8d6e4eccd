"""What is not carried out, and why."""

from __future__ import annotations

from typing import Any

_SHOWN = 2000


class Refused(Exception):  # noqa: N818 - the outcome of a request, not a fault
    """A request that is not carried out. ``fields`` replace the neutral result fields of the method."""

    def __init__(self, message: str, *, prefixed: bool = True, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        #: Whether the prefix of the method comes first.
        self.prefixed = prefixed
        self.fields = fields


class NotTaken(Refused):
    """A request that the method does not even look at: a parameter is unknown, or the key of a lock is missing."""


class NoAnswer(Exception):  # noqa: N818 - as above
    """The request is one that is never answered."""


def shown(value: object, most: int = _SHOWN) -> str:
    """A value in a message, cut off after so many characters."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
