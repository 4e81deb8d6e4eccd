"""Names, texts and numbers of devices and suspenders, which are foreign code: reading them may do anything."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from queueserver_environment.plans.failures import shorten

T = TypeVar("T")
MOST_SECONDS: Final = 9_000_000_000
"""Longest duration that is told, 285 years: its nanoseconds fit 64 bits."""


def safely(read: Callable[[], T], otherwise: T) -> T:
    """Read something of a foreign object; return `otherwise` if that raises."""
    try:
        return read()
    except BaseException:  # noqa: BLE001 - protects the plan that runs: nothing that is only told may end it
        return otherwise


def bounded_text(read: Callable[[], Any], limit: int) -> str:
    """Read something as a text of at most that many characters; empty if there is none."""

    def as_text() -> str:
        found = read()
        return "" if found is None else shorten(str(found), limit)[:limit]

    return safely(as_text, "")


def name_of(thing: Any, limit: int) -> str:
    """Read the name of a device or signal; its class name if it has none."""
    return bounded_text(lambda: thing.name, limit) or bounded_text(lambda: type(thing).__name__, limit)


def seconds_of(read: Callable[[], Any]) -> float | None:
    """Read a finite number of seconds, None if it is none."""
    seconds = safely(lambda: float(read()), -1.0)
    return seconds if 0.0 <= seconds <= MOST_SECONDS else None
