"""What an environment does whose supervisor is gone: it ends, at once and without cleanup.

Guarantees on Linux: when the supervisor's main thread ends, the kernel kills this process, even if user code
holds the interpreter lock for ever. Elsewhere only the end of the channel is noticed, which needs a running
interpreter. Processes started by user code are not covered.
"""

import os
from typing import NoReturn

from queueserver_process.parent_death import die_with_parent

ORPHANED = 70
"""Exit code of an environment that found its supervisor gone."""


def die_with_supervisor() -> None:
    """Tie this process to its supervisor; end at once if that is gone already."""
    if not die_with_parent(os.getppid()):
        stop_at_once()


def stop_at_once() -> NoReturn:
    """End this process now."""
    os._exit(ORPHANED)
