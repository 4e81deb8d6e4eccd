"""A disk that is full for some processes, without one that really is: they may not make any file longer."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped]  # it has no type information


@contextlib.contextmanager
def disk_full_for(*pids: int) -> Iterator[None]:
    """Let every write to a file by these processes, and by what they start meanwhile, fail until the block ends."""
    before = {pid: psutil.Process(pid).rlimit(resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in before.items():
        psutil.Process(pid).rlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                # It first: what it starts from now on has no such limit any more.
                _limit(process, limits)
                for child in process.children(recursive=True):
                    _limit(child, limits)


def _limit(process: psutil.Process, limits: tuple[int, int]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.rlimit(resource.RLIMIT_FSIZE, limits)
