"""When a running plan will probably end: from its own points, else from earlier executions of the same plan.

Not guaranteed: anything. It is an estimate, which is shown with "about", and not shown at all where there is no basis.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

#: With fewer times between two points there is no estimate.
LEAST_PACES = 2
#: This many of the newest earlier executions count.
MOST_EARLIER = 5
#: Calls with more numbers, texts and brackets than this are not compared.
MOST_LEAVES = 1000
#: Texts count as the same if this many characters are, and their length.
MOST_CHARACTERS = 200


class Basis(Enum):
    """Where an estimate comes from."""

    POINTS = "points"
    EARLIER = "earlier"


@dataclass(frozen=True)
class Progress:
    """How far along a plan is."""

    #: Seconds since it began.
    elapsed: float
    #: Points so far, and how many there will be, if that is known.
    done: int = 0
    expected: int | None = None
    #: Seconds that some of the newest points took each.
    paces: Sequence[float] = ()
    #: Seconds since the last point.
    since_last: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """About how much longer it takes."""

    #: Seconds; 0 if it takes longer already than it ever did.
    remaining: float
    basis: Basis
    #: Seconds that the whole plan takes.
    total: float


@dataclass(frozen=True)
class Call:
    """A plan with its arguments, such that calls that differ only in their numbers have the same words."""

    words: tuple[str, ...]
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Earlier:
    """An execution that completed."""

    call: Call
    seconds: float
    #: How many runs it opened.
    runs: int = 1


def estimate(progress: Progress, earlier: Sequence[float]) -> Estimate | None:
    """About when a plan ends; None if there is no basis.

    Args:
        progress: How far along it is.
        earlier: Seconds that earlier executions of the same plan took.
    """
    left = 0 if progress.expected is None else progress.expected - progress.done
    if left > 0 and len(progress.paces) >= LEAST_PACES:
        pace = statistics.fmean(progress.paces)
        # A point that takes longer than the others delays those that follow.
        remaining = max(left * pace - progress.since_last, (left - 1) * pace)
        return Estimate(remaining, Basis.POINTS, progress.elapsed + remaining)
    if not earlier:
        return None
    total = statistics.median(earlier)
    return Estimate(max(total - progress.elapsed, 0.0), Basis.EARLIER, total)


def comparable(call: Call, history: Iterable[Earlier]) -> list[Earlier]:
    """The newest similar executions; the oldest of ``history`` comes first.

    Executions of the same call are similar. If there are none, those whose calls differ only in numbers are.
    """
    similar = [earlier for earlier in history if earlier.call.words == call.words]
    same = [earlier for earlier in similar if earlier.call.numbers == call.numbers]
    return (same or similar)[-MOST_EARLIER:]


def durations(call: Call, expected: int | None, similar: Iterable[Earlier]) -> list[float]:
    """Seconds that a call takes, judged by each similar execution.

    If one of the numbers in which they differ is the number of points, it takes as much longer or shorter.
    """
    at = _place_of_points(call, expected)
    return [earlier.seconds * _factor(call, earlier.call, at) for earlier in similar]


def _place_of_points(call: Call, expected: int | None) -> int | None:
    """Which of the numbers is the number of points: the last one that has its value, as signatures have it."""
    found = [at for at, number in enumerate(call.numbers) if number == expected]
    return found[-1] if found else None


def _factor(call: Call, earlier: Call, at: int | None) -> float:
    if at is None or earlier.numbers[at] < 1:
        return 1.0
    return call.numbers[at] / earlier.numbers[at]


def call_of(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call | None:
    """A plan with its arguments; None if they are too long to be compared."""
    words, numbers = [name], list[float]()
    left: list[Any] = [kwargs, args]
    while left:
        if len(words) + len(numbers) + len(left) > MOST_LEAVES:
            return None
        value = left.pop()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            words.append("number")
            numbers.append(value)
        elif isinstance(value, Mapping):
            words.append(f"{{{len(value)}")
            for key in sorted(value, reverse=True):
                left += [value[key], str(key)]
        elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            words.append(f"[{len(value)}")
            left += reversed(value)
        else:
            text = value if isinstance(value, str) else repr(value)
            words.append(f"{type(value).__name__} {len(text)} {text[:MOST_CHARACTERS]}")
    return Call(tuple(words), tuple(numbers))
