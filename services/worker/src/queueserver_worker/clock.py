"""The time of events, in the form in which it travels."""

from __future__ import annotations

import time

from google.protobuf.timestamp_pb2 import Timestamp

# The end of the year 9999, the last that a Timestamp can express.
_LAST_SECOND = 253_402_300_799
_NANOSECONDS = 1_000_000_000


def now() -> Timestamp:
    """Time of day, UTC."""
    seconds, nanoseconds = divmod(time.time_ns(), _NANOSECONDS)
    return Timestamp(seconds=seconds, nanos=nanoseconds)


def is_time(moment: Timestamp) -> bool:
    """Whether this time was set and can be read everywhere."""
    return 0 < moment.seconds <= _LAST_SECOND and 0 <= moment.nanos < _NANOSECONDS
