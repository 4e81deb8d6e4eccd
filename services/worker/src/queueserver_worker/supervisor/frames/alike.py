"""Lists and maps of messages of which many are alike.

These are the components of devices of one class, parameters of similar plans, and data keys of the same devices in each
run.

A large beamline has tens of thousands of them. What was read before is not checked and filled again, but copied.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgpack
from google.protobuf.message import Message

Fill: TypeAlias = Callable[[Any, Any, int], None]

#: How many are kept, and the longest one, in bytes.
_MOST: Final = 128
_LONGEST: Final = 32 * 1024


def remembering(fill: Fill) -> Fill:
    """The same as `fill`, which fills a field with a list or map; quicker for one that was read not long ago."""

    def fill_or_copy(message: Any, bodies: Any, depth: int) -> None:
        try:
            packed = msgpack.packb(bodies)
        except (TypeError, ValueError):
            # What msgpack does not know is no message either.
            packed = b""
        if not packed or len(packed) > _LONGEST:
            fill(message, bodies, depth)
        else:
            kind: Any = type(message)
            message.MergeFromString(_content(fill, kind, packed, depth))

    return fill_or_copy


@lru_cache(maxsize=_MOST)
def _content(fill: Fill, kind: Any, packed: bytes, depth: int) -> bytes:
    """The field in the contract's encoding. Raises BadFrameError."""
    message: Message = kind()
    fill(message, msgpack.unpackb(packed), depth)
    return message.SerializeToString()
