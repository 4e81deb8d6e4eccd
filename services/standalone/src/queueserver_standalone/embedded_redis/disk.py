"""The disk below the data directory: how much room it has, and whether Redis could write to it now.

Only writing shows whether it can be written: with a quota, a limit on file sizes or a file system that became
read-only, a disk seems to have room. A disk that does not respond at all, such as a file server that is away, blocks
only the one thread that asks it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TypeVar

from async_timeout import timeout

from queueserver_standalone.errors import StandaloneError

#: Free bytes that Redis needs before it is started: for the next changes, including a large batch.
NEEDED_BYTES = 8 * 1024 * 1024
_ANSWER_SECONDS = 20.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: Errors of a file system that can't reserve room.
_UNKNOWN = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_CHUNK = bytes(256 * 1024)
T = TypeVar("T")


class DiskState(Enum):
    """The state of a disk. The Manager knows the values."""

    OK = "ok"
    SPACE_LOW = "space_low"
    DISK_FULL = "disk_full"
    DISK_ERROR = "disk_error"


class DiskError(StandaloneError):
    """The disk can't be written; the text says why, and what to do."""

    def __init__(self, message: str, state: DiskState, free: int | None = None) -> None:
        super().__init__(message)
        self.state = state
        #: Bytes that are free as the file system counts them; None if it does not say.
        self.free = free


class Disk:
    """The file system in which a directory is."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._turn = asyncio.Lock()
        #: A question that the disk has not answered yet; its caller may have given up.
        self._is_asked = False

    async def free(self) -> int:
        """Bytes that we may still use. Raises DiskError if the disk does not respond."""
        return await self.ask(lambda: shutil.disk_usage(self.directory).free)

    async def require_room(self) -> None:
        """Return if as much as Redis needs can be written. Raises DiskError."""
        await self.ask(self._try)

    def _try(self) -> None:
        with tempfile.TemporaryFile(dir=self.directory, prefix="room-", buffering=0) as trial:
            _reserve(trial.fileno(), NEEDED_BYTES)
            os.fsync(trial.fileno())

    async def ask(self, question: Callable[[], T]) -> T:
        """Call a function that uses the disk in a thread; returns what it returns. Raises DiskError."""
        async with self._turn:
            if self._is_asked:
                raise self._silent()
            self._is_asked = True
            try:
                async with timeout(_ANSWER_SECONDS):
                    return await self._in_thread(question)
            except asyncio.TimeoutError:
                raise self._silent() from None
            except OSError as error:
                raise disk_error(error, self.directory) from error

    async def _in_thread(self, question: Callable[[], T]) -> T:
        """Ask in a thread that nothing waits for at the end: the answer may never come."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def tell(result: T | None, error: OSError | None) -> None:
            self._is_asked = False
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type] # None only if that is the answer

        def ask() -> None:
            result, failure = None, None
            try:
                result = question()
            except OSError as error:
                failure = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, result, failure)

        threading.Thread(target=ask, name="disk", daemon=True).start()
        return await answer

    def _silent(self) -> DiskError:
        return DiskError(f"The disk of {self.directory} does not respond: check it.", DiskState.DISK_ERROR)


def disk_error(error: OSError, directory: Path) -> DiskError:
    """What is wrong with a disk that could not be written."""
    reason = error.strerror or str(error)
    if error.errno not in _FULL:
        message = f"Redis can't run: {directory} can't be written: {reason}. Make it writable."
        return DiskError(message, DiskState.DISK_ERROR)
    try:
        free = shutil.disk_usage(directory).free
    except OSError:
        free = 0
    needed, has = megabytes(NEEDED_BYTES), megabytes(free)
    if free < NEEDED_BYTES:
        what = f"{has} are free for {directory}, and {needed} or more are needed ({reason}). Make room there."
    else:
        what = (
            f"{needed} or more are needed in {directory} and can't be written ({reason}), although {has} are free. "
            "Raise the quota, or the limit on the size or number of files, or make room there."
        )
    return DiskError(f"Redis can't run, disk full: {what}", DiskState.DISK_FULL, free)


def megabytes(number: int) -> str:
    """A number of bytes as people read it."""
    return f"{number / 1024 / 1024:.1f} MB" if number < 100 * 1024 * 1024 else f"{number // (1024 * 1024)} MB"


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):  # not on macOS
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
        else:
            return
    for _ in range(size // len(_CHUNK)):
        os.write(descriptor, _CHUNK)
