"""The time of day, in the form in which it travels."""

import time

from google.protobuf.timestamp_pb2 import Timestamp


def now() -> Timestamp:
    """Time of day, UTC."""
    moment = Timestamp()
    moment.FromNanoseconds(time.time_ns())
    return moment
