"""Ties a process to the one that started it: whatever kills the parent, the kernel kills this process too.

A process of ours calls `die_with_parent` first. For any other command this file is run as a script:
``parent_death.py PARENT_PID EXECUTABLE ARGV0 [ARGUMENT]…`` ties itself to its parent and then becomes the command, so
that the command line that ``ps`` shows is the command's own. It runs before every service and imports only the standard
library, and of that next to nothing.

The kernel offers this on Linux only. Elsewhere a process outlives a parent that was killed by SIGKILL. Processes that
the tied one starts are not covered. The kernel watches the thread that started the process.
"""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> bool:
    """Tie this process to its parent, which was the process of that id; returns False if that is gone already."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - not needed, and not always available, on other platforms

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    # It may have died before the kernel knew of our wish.
    return os.getppid() == parent


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the command. Does not return."""
    parent, executable, *command = arguments
    if not die_with_parent(int(parent)):
        sys.exit(1)
    os.execv(executable, command)  # noqa: S606 - the supervisor chose the command; no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
