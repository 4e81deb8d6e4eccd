"""The tie between the environment and its supervisor.

Guarantees on Linux: when the supervisor's main thread ends, the kernel kills this process, even if user code
holds the interpreter lock for ever. Elsewhere only the end of the channel is noticed, which needs a running
interpreter. Processes started by user code are not covered.
"""

import os
import signal
import sys
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
ORPHANED = 70
"""Exit code of an environment that found its supervisor gone."""


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies; end at once if the parent is gone already."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    import ctypes  # noqa: PLC0415 - not needed, and not always available, on other platforms

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(ORPHANED)


def stop_at_once() -> NoReturn:
    """End this process now: no cleanup, because its supervisor is gone."""
    os._exit(ORPHANED)
