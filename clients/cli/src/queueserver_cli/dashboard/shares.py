"""How the lines of a screen are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Wish:
    """How many lines a part would use."""

    #: With fewer it shows nothing.
    least: int
    #: It can't use more.
    most: int


def shared(total: int, wishes: Sequence[Wish]) -> list[int]:
    """Lines for each part. Those that come first are served first, and the last one gets what is left."""
    given = []
    left = total
    for wish in wishes:
        share = wish.least if min(wish.least, wish.most) > 0 and wish.least <= left else 0
        given.append(share)
        left -= share
    for number, wish in enumerate(wishes):
        if given[number]:
            more = max(min(wish.most - given[number], left), 0)
            given[number] += more
            left -= more
    return given
