"""What people read about devices for whose connections the startup code waits."""

import time
from collections.abc import Sequence
from typing import Final

from queueserver_environment.connections.views import Waited
from queueserver_environment.connections.waits import ConnectionWaits

_TOLD_AT_ONCE: Final = 2
"""Names of one kind in a text that is shown while something waits."""
_WORTH_TELLING: Final = 0.5
"""Seconds."""
_TOLD_AT_THE_END: Final = 20
"""Names of one kind in a text that is printed once."""
_NOT_CONNECTED: Final = (
    "Not connected, although the startup code waited for it (a device is offered all the same, and plans can use it as "
    "soon as it connects):"
)


def progress_text(stage: str, found: Sequence[Waited], begin: float, waits: ConnectionWaits) -> str:
    """Say what is waited for, for example "loading 10-motors.py: waiting 41 s (since 22:31:05) for …".

    ``begin`` is when the longest of the waits began, by the monotonic clock.
    """
    seconds = time.monotonic() - begin
    since = time.strftime("%H:%M:%S", time.localtime(time.time() - seconds))
    lasts = f" {seconds:.0f} s (since {since})" if seconds >= _WORTH_TELLING else ""
    total, failed = waits.seen()
    before = f"; {failed} of {total} before did not connect ({waits.spent:.0f} s)" if failed else ""
    return f"{stage}: waiting{lasts} for {waited_text(found, _TOLD_AT_ONCE)}{before}"


def waited_text(found: Sequence[Waited], most: int) -> str:
    """Name devices and how many of their signals are connected, for example "stage, 3 of 11 signals connected, …"."""
    names = listing([each.name for each in found], most)
    if all(each.is_signal for each in found):
        return names
    missing = [label for each in found for label in each.missing]
    signals = sum(each.signals for each in found)
    names += f", {signals - len(missing)} of {signals} signals connected"
    return f"{names}, missing {listing(missing, most)}" if missing else names


def failure_text(found: Waited, seconds: float) -> str:
    """Say what did not connect in that time."""
    signals = f": {found.signals - len(found.missing)} of {found.signals} signals connected"
    missing = f", missing {listing(found.missing, _TOLD_AT_THE_END)}" if found.missing else ""
    return f"{found.name} did not connect in {seconds:.3g} s{'' if found.is_signal else signals + missing}"


def end_text(found: Sequence[Waited]) -> str:
    """List what is not connected when the startup code has run, a line for each."""
    each = [waited_text([one], _TOLD_AT_ONCE) for one in found]
    if len(each) > _TOLD_AT_THE_END:
        each[_TOLD_AT_THE_END:] = [f"and {len(each) - _TOLD_AT_THE_END} more"]
    return "\n  ".join([_NOT_CONNECTED, *each])


def listing(names: Sequence[str], most: int) -> str:
    """Join names, of which at most that many are told."""
    told = ", ".join(names[:most])
    return f"{told} and {len(names) - most} more" if len(names) > most else told
