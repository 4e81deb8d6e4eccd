"""The time of events, in the form in which it travels."""

import time


def now() -> int:
    """Time of day, in nanoseconds since 1970, UTC."""
    return time.time_ns()


def nanoseconds(seconds: float) -> int:
    """Give a time in the form in which it travels."""
    return round(seconds * 1_000_000_000)
