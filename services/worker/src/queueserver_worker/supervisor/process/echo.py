"""The environment's console, shown once more where the Worker was started: startup output, prints, live tables.

Guarantees: the Worker never waits for a reader of its output (see `queueserver_process.terminal`); what is
left out there is noted there, and is still published to every watcher.
Does not guarantee that text and log lines, which go to standard error, appear in the order in which they came.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from queueserver_process.terminal import Terminal

Echo = Callable[[str], None]
"""Takes each piece of console text. Called in the loop, so it must not wait."""


def silence(_: str) -> None:
    """Show nothing."""


class ConsoleEcho:
    """Shows console text on the Worker's own standard output."""

    def __init__(self) -> None:
        self._terminal = Terminal(sys.stdout, "of the environment's output")

    def __call__(self, text: str) -> None:
        """Show a piece of text soon."""
        self._terminal.write(text)

    def close(self) -> None:
        """Show what waits, for a short time, and nothing after that."""
        self._terminal.close()
