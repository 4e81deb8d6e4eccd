"""Names similar to a text that may be misspelt."""

from __future__ import annotations

import difflib
import heapq
import itertools
from collections.abc import Iterable

#: How alike two names must be, from 0 to 1: one letter of four may be another one.
_ALIKE = 0.75
#: Names that are compared letter by letter, which takes some 20 microseconds for each.
_MOST_COMPARED = 30
_BITS = 127
_BIT = tuple(1 << number for number in range(_BITS))


class NearNames:
    """Finds similar names, ignoring case.

    Of thousands of names only those that share most pairs of letters are compared, and pairs are bits of a number, so
    that a search in 5,000 names takes a millisecond: a mistake must not make other clients wait.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: list[tuple[str, str, int]] = [(name, name.lower(), _pairs(name.lower())) for name in names]

    def near(self, text: str) -> list[str]:
        """Names similar to a text, best first."""
        text, names = text.lower(), self._names
        if len(names) > _MOST_COMPARED:
            pairs = _pairs(text)
            names = heapq.nlargest(_MOST_COMPARED, names, key=lambda name: (pairs & name[2]).bit_count())
        compared = difflib.SequenceMatcher(b=text)
        alike: list[tuple[float, str]] = []
        for name, lower, _ in names:
            compared.set_seq1(lower)
            if compared.quick_ratio() >= _ALIKE and compared.ratio() >= _ALIKE:
                alike.append((-compared.ratio(), name))
        return [name for _, name in sorted(alike)]


def _pairs(text: str) -> int:
    letters, bits = text.encode("utf-8", "replace"), 0
    for first, second in itertools.pairwise(letters):
        bits |= _BIT[(first * 31 + second) % _BITS]
    return bits
