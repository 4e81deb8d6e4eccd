"""Numbers in plan arguments.

JSON and google.protobuf.Value know one kind of number, a 64-bit float. A whole number below 2**53 in magnitude
is exact in it and reaches the plan as int; every other number reaches it as float. Refused is what may not be
what the client meant: NaN and infinities (JSON has none), and whole numbers from 2**53 up to 2**64, which an
integer could only have become by losing digits. Larger ones are no integers used for counting, so they pass
as floats (docs/decisions/0005-numbers.md).
"""

from __future__ import annotations

import math

FIRST_INEXACT = 2.0**53
FIRST_SURE_FLOAT = 2.0**64


def exact_number(number: float) -> int | float:
    """Give a JSON number its Python type. Raises ValueError that says what to do if it can't be passed on."""
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a number that JSON has: leave the argument out, or pass text or null")
    if not number.is_integer():
        return number
    magnitude = abs(number)
    if magnitude < FIRST_INEXACT:
        return int(number)
    if magnitude < FIRST_SURE_FLOAT:
        raise ValueError(
            f"whole numbers from 2^53 ({int(FIRST_INEXACT)}) on lose digits on their way: pass it as text, "
            "or in another unit"
        )
    return number
