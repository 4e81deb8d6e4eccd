"""Ctrl-C, while nothing is there that has to be put in order."""

from __future__ import annotations

import os
import signal

#: As a shell tells of a program that Ctrl-C has ended.
_INTERRUPTED = 130


def end_at_once() -> None:
    """From now on let Ctrl-C end the process without a traceback. What was printed has been flushed."""
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(_INTERRUPTED))
