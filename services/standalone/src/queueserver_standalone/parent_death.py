"""Starts a command that can't outlive the process that started it.

Run as a script: ``parent_death.py PARENT_PID EXECUTABLE ARGV0 [ARGUMENT]…``. It asks the kernel to kill this process
as soon as its parent is gone, whatever killed the parent, and then becomes the command; the command line that
``ps`` shows is the command's own. It imports next to nothing, because it runs before every service.

The kernel offers this on Linux only. Elsewhere the command starts all the same, and outlives a parent that
was killed by SIGKILL.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the command. Does not return."""
    parent, executable, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the kernel knew of our wish
        sys.exit(1)
    os.execv(executable, command)  # noqa: S606 - the supervisor chose the command; no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
