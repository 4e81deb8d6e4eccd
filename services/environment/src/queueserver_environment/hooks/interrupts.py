"""SIGINT in the environment: it does not stop plans here, and must not end the process or leave RE panicked."""

import signal
from types import FrameType
from typing import Any, Final

from queueserver_environment.console.standard_streams import streams

_ENDING: Final = (signal.SIG_DFL, signal.default_int_handler)
"""Handlers that end the process, or the RunEngine with it. Others are left in place."""


def survive_interrupts(_engine: Any = None) -> None:
    """Take SIGINT without ending. Called in the main thread."""
    if signal.getsignal(signal.SIGINT) in _ENDING:
        signal.signal(signal.SIGINT, _explain_interrupt)


def _explain_interrupt(_signal: int, _frame: FrameType | None) -> None:
    streams.note("Ignored an interrupt (SIGINT): abort the plan or destroy the environment instead.\n")
