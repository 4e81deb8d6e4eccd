"""Numbers in plan arguments that may not be what the client meant.

They are NaN and infinities (JSON has none), and whole numbers that may have lost digits on their way
(:mod:`queueserver_protos.numbers`).
"""

from __future__ import annotations

import math

from queueserver_protos.numbers import FIRST_DOUBTFUL, may_have_lost_digits, python_number


def exact_number(number: float) -> int | float:
    """Give a JSON number its Python type. Raises ValueError that says what to do if it can't be passed on."""
    if -FIRST_DOUBTFUL < number < FIRST_DOUBTFUL:
        return python_number(number)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a number that JSON has: leave the argument out, or pass text or null")
    if may_have_lost_digits(number):
        raise ValueError(
            f"whole numbers from 2^53 ({int(FIRST_DOUBTFUL)}) on lose digits on their way: pass it as text, "
            "or in another unit"
        )
    return number
