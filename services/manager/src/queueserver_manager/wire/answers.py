"""How long an answer may be: every gRPC client takes 4 MB, unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from queueserver_rpc.steps import Work

T = TypeVar("T")
#: Bytes of all that is listed in one answer, unless one alone is longer. Documented in the contract.
ANSWER_BYTES = 3 * 1024 * 1024
#: Beside its content, a field has so many bytes at most.
_FRAME = 8


def how_many_fit(objects: Sequence[T], encode: Callable[[T], bytes], room: int = ANSWER_BYTES) -> Work[int]:
    """How many of the first objects one answer has room for: one at least. They are encoded on the way."""
    for number, one in enumerate(objects):
        room -= len(encode(one)) + _FRAME
        if room < 0 and number:
            return number
        yield
    return len(objects)
