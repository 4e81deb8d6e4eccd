"""Whether the status that a client was shown agreed with what happened.

A status is a statement about now, for as long as a connection that works shows it. Of the owner of the queue, it says:

- an item is running, or none: unless it says as well that the Worker or Redis can't be reached, since then it is what
  was known last. It is wrong while no attempt at this item is executed, or while one is executed although none is said
  to be, by the traces that plans leave.
- the Worker (or Redis) can be reached: wrong while its process has been killed and is not started again.
- so many items are in the history: wrong while fewer than the attempts that have ended.

A client without a connection is shown nothing, and a standby makes no statement. A statement may become wrong whenever
something happens; it must not stay wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeVar

from queueserver_client import ConnectionState, ManagerRole

from tests.chaos.status_record import Shown
from tests.chaos.verdict import Traces

#: Seconds for which a statement may be wrong.
ALLOWED = 1.0
_NEVER = float("inf")

T = TypeVar("T")
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Kill:
    """A part that was killed: when its processes had ended, and when it was started again.

    Not when somebody asked for that: an engine needs a tenth of a second to kill a container, in which plans go on.
    """

    name: str
    at: float
    back: float


@dataclass
class Agreement:
    """For how long the status was wrong, by what it said: the longest time of each, in seconds; and how that came."""

    longest: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def note(self, what: str, wrong: Span) -> None:
        """Something was said in spite of the facts."""
        seconds = wrong[1] - wrong[0]
        self.longest[what] = max(seconds, self.longest.get(what, 0.0))
        if seconds > ALLOWED:
            self.problems.append(
                f"for {seconds:.2f} s from {wrong[0]:.2f} on the status said {what}, and it was not so"
            )


def compare(
    shown: Sequence[Shown],
    traces: Traces,
    labels: Mapping[str, str],
    kills: Sequence[Kill],
) -> Agreement:
    """Compare what was shown with traces and kills; ``labels`` has the label of each item by uid."""
    found = Agreement()
    executed = list(_executed(traces, [kill.at for kill in kills if kill.name == "worker"]))
    said = [one for one in shown if one.status.role is ManagerRole.OWNER]
    certain = [one for one in said if _is_up(one, "worker") and _is_up(one, "storage")]
    for uid, span in _spans(certain, lambda one: one.status.running_item_uid):
        if uid is None:
            wrong = _inside(span, [times for _, times in executed])
        else:
            wrong = _outside(span, [times for label, times in executed if label == labels.get(uid)])
        for each in wrong:
            found.note("that nothing is running" if uid is None else "that an item is running", each)
    for name, part in (("worker", "worker"), ("redis", "storage")):
        away = [(kill.at, kill.back) for kill in kills if kill.name == name]
        for is_up, span in _spans(said, lambda one, part=part: _is_up(one, part)):  # type: ignore[misc] # of a lambda
            for each in _inside(span, away) if is_up else ():
                found.note(f"that {name} can be reached", each)
    ends = sorted(traces.ended_at.values())
    for number, (begin, end) in _spans(certain, lambda one: one.status.items_in_history):
        if number < len(ends) and ends[number] < end:
            found.note("that the history is shorter", (max(begin, ends[number]), end))
    return found


def _is_up(one: Shown, part: str) -> bool:
    return getattr(one.status, part) is ConnectionState.UP


def _executed(traces: Traces, kills: Iterable[float]) -> Iterator[tuple[str, Span]]:
    """Label and time of each attempt, which ends at the latest when the Worker is killed."""
    ends = sorted(kills)
    for label, attempts in traces.begun.items():
        for attempt in attempts:
            begin = traces.begun_at[attempt]
            killed = next((at for at in ends if at > begin), _NEVER)
            yield label, (begin, min(traces.ended_at.get(attempt, _NEVER), killed))


def _spans(shown: Sequence[Shown], said: Callable[[Shown], T]) -> Iterator[tuple[T, Span]]:
    """What was said without a break, and from when to when."""
    last_end, number = 0.0, 0
    pieces: list[tuple[int, T, Shown]] = []
    for one in shown:
        number += one.begin != last_end
        last_end = one.end
        pieces.append((number, said(one), one))
    for (_, value), group in groupby(pieces, key=lambda piece: piece[:2]):
        ones = [one for _, _, one in group]
        yield value, (ones[0].begin, ones[-1].end)


def _inside(span: Span, others: Iterable[Span]) -> Iterator[Span]:
    """The parts of a time that are in one of the others."""
    for begin, end in others:
        if max(begin, span[0]) < min(end, span[1]):
            yield max(begin, span[0]), min(end, span[1])


def _outside(span: Span, others: Iterable[Span]) -> Iterator[Span]:
    """The parts of a time that are in none of the others."""
    at = span[0]
    for begin, end in sorted(_inside(span, others)):
        if begin > at:
            yield at, begin
        at = max(at, end)
    if at < span[1]:
        yield at, span[1]
