"""The one number type of JSON and of google.protobuf.Value, a 64-bit float, and Python's two.

A whole number below 2**53 in magnitude is an int in Python; every other number is a float there. From 2**53 up to
2**64 a whole number may be an identifier or a counter that has lost digits on its way; beyond that it is none that
people count with (docs/decisions/0005-numbers.md).
"""

from __future__ import annotations

from typing import Final

#: The first whole number that may be what another one became: 2**53 + 1 becomes this.
FIRST_DOUBTFUL: Final = 2.0**53
#: From here on a whole number was meant as a float.
FIRST_SURE_FLOAT: Final = 2.0**64


def is_exact(whole: int) -> bool:
    """Whether a float carries a whole number, and all those nearer to 0, without a change."""
    return -FIRST_DOUBTFUL <= whole <= FIRST_DOUBTFUL


def may_have_lost_digits(number: float) -> bool:
    """Whether a number may be what another, whole one became. Infinities and NaN are none."""
    return FIRST_DOUBTFUL <= abs(number) < FIRST_SURE_FLOAT and number.is_integer()


def python_number(number: float) -> int | float:
    """A number of JSON as Python has it: the same object if it is a float there too."""
    return int(number) if -FIRST_DOUBTFUL < number < FIRST_DOUBTFUL and number.is_integer() else number
