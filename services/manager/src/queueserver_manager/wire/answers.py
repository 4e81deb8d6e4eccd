"""How many objects one response has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from queueserver_long_work.work import Work
from queueserver_rpc.message_sizes import PART_BYTES

T = TypeVar("T")
#: Beside its content, a field has so many bytes at most.
_FRAME = 8


def how_many_fit(objects: Sequence[T], encode: Callable[[T], bytes]) -> Work[int]:
    """How many of the first objects one response has room for: one at least. They are encoded on the way."""
    room = PART_BYTES
    for number, one in enumerate(objects):
        room -= len(encode(one)) + _FRAME
        if room < 0 and number:
            return number
        yield
    return len(objects)
