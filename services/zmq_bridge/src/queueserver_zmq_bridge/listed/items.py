"""Many items at once, encoded in time slices, so that other clients are answered meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from queueserver_long_work.time_slice import TimeSlice

if TYPE_CHECKING:
    from queueserver_zmq_bridge.sockets.encoding import Encoded, Encoding


async def encoded_list(encoding: Encoding, values: Iterable[Any]) -> Encoded:
    """A list of values, which may be made as they are asked for."""
    time_slice, encoded = TimeSlice(), list[bytes]()
    for value in values:
        encoded.append(encoding.encode(value))
        await time_slice.yield_if_due()
    return encoding.join_list(encoded)
