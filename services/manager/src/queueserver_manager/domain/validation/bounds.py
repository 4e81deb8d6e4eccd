"""Bounds of a parameter in words, for a number that is outside them."""

from __future__ import annotations

import math
from typing import Any

from queueserver_inventory.value_fit import first_outside
from queueserver_protos.numbers import FIRST_DOUBTFUL

from queueserver_manager.domain.validation.type_words import shown


def out_of_bounds(value: Any, minimum: float | None, maximum: float | None) -> str:
    """What is wrong with the first number inside a value that is out of bounds; empty if all are within them."""
    number = first_outside(value, minimum, maximum)
    return "" if number is None else f"must be {_range(minimum, maximum)}, not {shown(number)}"


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
    if beside and len(beside) < len(text) and abs(bound) < FIRST_DOUBTFUL:
        return exclusive, beside
    return inclusive, text


def _exact(number: float) -> str:
    """A text that is this very number, as short as people would write it."""
    return _rounded(number) or repr(float(number)).removesuffix(".0")


def _rounded(number: float) -> str:
    """A number in 15 digits, as people write it; empty if it has more of them."""
    text = f"{number + 0.0:.15g}"  # which makes -0 a 0
    return text if float(text) == number else ""
