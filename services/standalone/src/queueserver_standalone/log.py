"""The log of the supervisor, in the form that the other services use: ``[I <date> <time>,<ms> logger] text``.

A terminal that does not read holds nobody up: the parts are kept running, and Ctrl-C is obeyed.
"""

from __future__ import annotations

import logging
import sys

from queueserver_rpc.terminal import TerminalHandler

logger = logging.getLogger("queueserver_standalone")


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"[{record.levelname[0]} {self.formatTime(record)} {record.name}] {record.getMessage()}"


def configure() -> None:
    """Send the log to standard error, one line for each record."""
    handler = TerminalHandler(sys.stderr)
    handler.setFormatter(_LineFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
