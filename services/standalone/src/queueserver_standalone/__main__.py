"""The command start-re-manager. Ctrl-C ends it in good order even while it loads.

It imports next to nothing itself, so that Ctrl-C hardly ever prints a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; returns the exit code: 0 when stopped on request, 1 when something is wrong."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    from queueserver_standalone.command import run  # noqa: PLC0415 - see above

    try:
        return run(arguments)
    except KeyboardInterrupt:  # when the event loop has ended, and with it everything
        return 0


def _leave(_number: int, _frame: object) -> None:
    """End at once: nothing was started yet."""
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
