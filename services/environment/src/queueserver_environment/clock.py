"""The time of events, in the form in which it travels."""

import time

from google.protobuf.timestamp_pb2 import Timestamp

_NANOSECONDS = 1_000_000_000


def now() -> Timestamp:
    """Time of day, UTC."""
    seconds, nanoseconds = divmod(time.time_ns(), _NANOSECONDS)
    return Timestamp(seconds=seconds, nanos=nanoseconds)
