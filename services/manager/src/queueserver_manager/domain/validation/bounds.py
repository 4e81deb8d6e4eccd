"""Whether the numbers in a value are within the bounds of a parameter, and if not, the words that say so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from queueserver_manager.domain.validation.type_words import shown

#: Up to here a float can be every whole number.
_ALL_WHOLE_NUMBERS = 2.0**53


def out_of_bounds(value: Any, minimum: float | None, maximum: float | None) -> str:
    """What is wrong with the numbers anywhere inside a value, as a phrase; empty if all are within the bounds.

    Numbers in lists and in values of objects count; keys, texts and truth values do not. Bounds are inclusive.
    """
    for number in _numbers_in(value):
        if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
            return f"must be {_range(minimum, maximum)}, not {shown(number)}"
    return ""


def _numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value
    elif isinstance(value, (list, dict)):
        for element in value.values() if isinstance(value, dict) else value:
            yield from _numbers_in(element)


def _range(minimum: float | None, maximum: float | None) -> str:
    lower = None if minimum is None else _bound(minimum, -math.inf, "at least", "more than")
    upper = None if maximum is None else _bound(maximum, math.inf, "at most", "less than")
    if lower and upper and (lower[0], upper[0]) == ("at least", "at most"):
        return f"from {lower[1]} to {upper[1]}"
    return " and ".join(" ".join(bound) for bound in (lower, upper) if bound)


def _bound(bound: float, outside: float, inclusive: str, exclusive: str) -> tuple[str, str]:
    """The words and the number for a bound; a type that excludes 5 has the number right beside it."""
    text, beside = _exact(bound), _rounded(math.nextafter(bound, outside))
    # Further from 0 there are whole numbers between neighbours, for which the words would not be true.
    if beside and len(beside) < len(text) and abs(bound) < _ALL_WHOLE_NUMBERS:
        return exclusive, beside
    return inclusive, text


def _exact(number: float) -> str:
    """A text that is this very number, as short as people would write it."""
    return _rounded(number) or repr(float(number)).removesuffix(".0")


def _rounded(number: float) -> str:
    """A number in 15 digits, as people write it; empty if it has more of them."""
    text = f"{number + 0.0:.15g}"  # which makes -0 a 0
    return text if float(text) == number else ""
