"""The directory in which outcomes wait as files, also while its disk can't be written.

Guarantees: what was written is in its file when :meth:`StateDirectory.write` returns, or waits in memory and is tried
again until it is in its file or removed; in the meantime `storage` says so. On a full disk there still is room for one
ordinary outcome, which was reserved while there was room (except on file systems that write nothing in its old place).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

from queueserver.common.v1 import storage_pb2
from queueserver.common.v1.storage_pb2 import StorageStatus
from queueserver_long_work.time_slice import next_turn_after

from queueserver_worker.clock import now

RESERVED_BYTES = 512 * 1024
"""Room for an outcome with as much console text as one can have, many times over."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 20.0
_UNFINISHED = ".part"
_log = logging.getLogger(__name__)


class StateDirectoryBusyError(OSError):
    """Another living Worker uses the same directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"Another Worker uses {directory}: stop it, or give this one another --state-dir.")


class StateDirectory:
    """Files below `path`, held by one Worker. `on_change` is called when `storage` has changed.

    Raises StateDirectoryBusyError when another Worker has the directory, OSError when it can't be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _lock(path)
        self._reserve = path / "reserve"
        self._pending: dict[Path, bytes] = {}
        self._trouble = asyncio.Event()
        #: The directory's state.
        self.storage = StorageStatus(state=storage_pb2.STORAGE_STATE_OK, location=str(path))
        self.on_change: Callable[[StorageStatus], None] = lambda _: None
        for leftover in path.glob(f"*{_UNFINISHED}"):
            _remove(leftover)
        self.try_again()

    def close(self) -> None:
        """Release the directory. May be called again."""
        self._lock.close()

    def write(self, path: Path, data: bytes) -> bool:
        """Give a file these bytes; False if they wait in memory until it can be written."""
        try:
            _write(path, data)
        except OSError as error:
            if not self._write_reserved(path, data):
                self._pending[path] = data
            self._refused(error)
        return path not in self._pending

    def remove(self, path: Path) -> None:
        """Remove a file, and what waits to be written to it."""
        self._pending.pop(path, None)
        _remove(path)

    async def keep_trying(self) -> None:
        """Write what waits as soon as that is possible; until cancelled. No disk announces that it has room again."""
        delay = _FIRST_DELAY
        while True:
            await self._trouble.wait()
            await next_turn_after(delay)
            delay = _FIRST_DELAY if self.try_again() else min(2 * delay, _LONGEST_DELAY)

    def try_again(self) -> bool:
        """Write what waits now; False if the directory still can't be written."""
        try:
            for path, data in tuple(self._pending.items()):
                _write(path, data)
                del self._pending[path]
            if not self._reserve.exists():
                _write(self._reserve, bytes(RESERVED_BYTES))
            # With nothing to write, only a trial shows that it can be written.
            trial = self.path / "trial"
            _write(trial, bytes(1))
            _remove(trial)
        except OSError as error:
            self._refused(error)
            return False
        if self._trouble.is_set():
            self._trouble.clear()
            _log.info("%s can be written again.", self.path)
            self._tell(StorageStatus(state=storage_pb2.STORAGE_STATE_OK, location=str(self.path)))
        return True

    def _refused(self, error: OSError) -> None:
        """Publish what is wrong, if that is news."""
        self._trouble.set()
        full = error.errno in _FULL
        state = storage_pb2.STORAGE_STATE_DISK_FULL if full else storage_pb2.STORAGE_STATE_DISK_ERROR
        reason = f"{', disk full' if full else ''} ({error.strerror or error})"
        fate = (
            "What has ended waits in its memory until it is stored, and is lost if the Worker is killed before."
            if self._pending
            else "What has ended so far is kept."
        )
        start_time = self.storage.start_time if self.storage.HasField("start_time") else now()
        storage = StorageStatus(
            state=state,
            message=f"The Worker can't write to {self.path}{reason}. {fate} Make it possible.",
            start_time=start_time,
            location=str(self.path),
            needed_bytes=RESERVED_BYTES + sum(map(len, self._pending.values())),
        )
        with contextlib.suppress(OSError):
            storage.free_bytes = shutil.disk_usage(self.path).free
        if (storage.state, storage.message) != (self.storage.state, self.storage.message):
            _log.error("%s", storage.message)
            self._tell(storage)

    def _tell(self, storage: StorageStatus) -> None:
        self.storage = storage
        self.on_change(storage)

    def _write_reserved(self, path: Path, data: bytes) -> bool:
        """Turn the reserved room into the file; False if that can't be done."""
        if len(data) > RESERVED_BYTES:
            return False
        part = path.with_suffix(_UNFINISHED)
        try:
            self._reserve.rename(part)
            with part.open("r+b", buffering=0) as file:
                file.write(data)
                file.truncate(len(data))
            part.replace(path)
        except OSError:
            _remove(part)
            return False
        return True


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(_UNFINISHED)
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        _remove(part)
        raise


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # Harmless: after a restart of the Worker the Manager gets this outcome once more and knows it.
        _log.warning("%s can't be removed: %s.", path, error)


def _lock(directory: Path) -> IO[bytes]:
    # The kernel drops the lock when its holder dies, so a killed Worker never locks out its successor. Nothing is
    # written to hold it: a Worker starts also where it can't write.
    descriptor = os.open(directory / "lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StateDirectoryBusyError(directory) from None
    return file
