"""Requests that were answered, so that a client that did not get the answer may ask again.

An answer is stored in the same step as the change it speaks of: whoever repeats a request finds either both or
neither. Answers are kept for an hour at least, and then for as long as nothing pushes them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

#: Seconds for which an answer is kept at least, unless there are more than MOST_KEPT younger ones.
KEPT_SECONDS = 3600.0
MOST_KEPT = 100_000
#: Old answers are let go a few at a time, with the commits that bring new ones.
_FORGOTTEN_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request and its answer, serialized. The fingerprint covers method, caller and content."""

    request_id: str
    fingerprint: str
    answer: bytes
    time: float


def outdated(requests: Mapping[str, AnsweredRequest], now: float) -> tuple[str, ...]:
    """Which answers to let go now, oldest first; ``requests`` is in order of time."""
    return tuple(islice(_outdated(requests, now), _FORGOTTEN_AT_ONCE))


def _outdated(requests: Mapping[str, AnsweredRequest], now: float) -> Iterator[str]:
    surplus = len(requests) - MOST_KEPT
    for position, request in enumerate(requests.values()):
        if position >= surplus and now - request.time < KEPT_SECONDS:
            return
        yield request.request_id
