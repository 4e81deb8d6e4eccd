"""Reports the state of the embedded Redis and of its disk to the Manager, at the start and at each change.

The Manager has only a socket of Redis, so it can't know why Redis does not run, or how full its disk is. It inherits a
pipe, on which it gets a line of JSON at once and one at each change: ``state`` (see :class:`~.disk.DiskState`),
``message``, ``free_bytes``, ``needed_bytes``. A Manager that is started again gets a new pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from queueserver_standalone.embedded_redis.disk import NEEDED_BYTES, DiskError, DiskState, megabytes
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.log import logger

#: The number of the pipe, in the Manager's environment.
REPORT_VARIABLE = "QUEUESERVER_REDIS_REPORT_FD"
#: A figure is reported again only if it differs by more than this part of it.
_TOLERANCE = 0.1
#: A line is written in one piece or not at all.
_LONGEST_MESSAGE = 1000


class RedisReport:
    """What the Manager is told. It warns below ``warn_below`` free bytes; 0 for no warning."""

    def __init__(self, directory: Path, warn_below: int) -> None:
        self._directory = directory
        self._warn_below = warn_below
        self._trouble: StandaloneError | None = None
        self._free: int | None = None
        self._is_low = False
        self._pipe = -1

    def open(self) -> int:
        """Create a pipe for a Manager that is about to start; returns the end to inherit, which the caller closes."""
        self.close()
        read_end, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        self._write()
        return read_end

    def close(self) -> None:
        """Close the pipe of the Manager before."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def does_not_start(self, trouble: StandaloneError) -> None:
        """Report that Redis does not start."""
        if isinstance(trouble, DiskError) and trouble.free is not None:
            self._free = trouble.free
        if str(trouble) != str(self._trouble):
            self._trouble = trouble
            self._write()

    def runs(self) -> None:
        """Report that Redis was started."""
        if self._trouble is not None:
            self._trouble = None
            self._write()

    def room(self, free: int) -> None:
        """Report how many bytes are free on its disk."""
        known, was_low = self._free, self._is_low
        # A disk that is very near to the bound is not reported again and again.
        self._is_low = free < self._warn_below * (1 + _TOLERANCE * was_low)
        if known is not None and was_low == self._is_low and abs(free - known) <= _TOLERANCE * known:
            return
        self._free = free
        if self._is_low and not was_low:
            logger.warning("%s", self._low())
        elif was_low and not self._is_low:
            logger.info("There is room again on the disk of Redis: %s are free.", megabytes(free))
        self._write()

    def _write(self) -> None:
        if self._pipe < 0:
            return
        state, message = self._state()
        line = {
            "state": state.value if state is not None else "not_starting",
            "message": message[:_LONGEST_MESSAGE],
            "free_bytes": self._free,
            "needed_bytes": NEEDED_BYTES,
        }
        # The Manager does not read, or is gone: the next line, or the next pipe, tells it.
        with contextlib.suppress(OSError):
            os.write(self._pipe, json.dumps(line).encode() + b"\n")

    def _state(self) -> tuple[DiskState | None, str]:
        trouble = self._trouble
        if trouble is not None:
            return trouble.state if isinstance(trouble, DiskError) else None, str(trouble)
        return (DiskState.SPACE_LOW, self._low()) if self._is_low else (DiskState.OK, "")

    def _low(self) -> str:
        return (
            f"The disk of Redis is almost full: {megabytes(self._free or 0)} are free for {self._directory}, and "
            f"below {megabytes(self._warn_below)} it is time to make room. When it is full nothing can be stored."
        )
