"""The files of the embedded Redis, put in order before it is started on them.

Only what can't be an answered change is touched: everything that was answered is on the disk, and ends with a line end.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from queueserver_standalone.log import logger

#: Of a rewriting of its files that was cut off. Redis leaves them lying, each as large as all of its data.
_LEFTOVERS = ("temp-*.aof", "temp-*.rdb", "appendonlydir/temp-*")
#: Where changes are appended, by releases up to 6.2, and by later ones.
_LOGS = ("appendonly.aof", "appendonlydir/*.incr.aof")
#: Fewer zeros may be the end of a checksum; more are not what is left of one change.
_FEWEST_ZEROS, _MOST_ZEROS = 16, 64 * 1024 * 1024
_CHUNK = 64 * 1024


def put_in_order(directory: Path) -> None:
    """Do what can be done. No Redis must be running in the directory."""
    for pattern in _LEFTOVERS:
        for path in directory.glob(pattern):
            with contextlib.suppress(OSError):
                path.unlink()
    for pattern in _LOGS:
        for path in directory.glob(pattern):
            with contextlib.suppress(OSError):
                _cut_zeros(path)


def _cut_zeros(path: Path) -> None:
    """Cut off zeros at the end of a log.

    A power failure amid a change can leave them there, when the file had become longer and its content was not on the
    disk yet. Redis copes with an end that is missing, but not with zeros in its place.
    """
    with path.open("r+b", buffering=0) as log:
        size = log.seek(0, os.SEEK_END)
        length = _length_without_zeros(log, size)
        if not _FEWEST_ZEROS <= size - length <= _MOST_ZEROS or length < len(b"\r\n"):
            return
        log.seek(length - len(b"\r\n"))
        if log.read(len(b"\r\n")) != b"\r\n":
            return
        log.truncate(length)
        os.fsync(log.fileno())
    logger.warning("%s ended with %d zeros, after a power failure perhaps: they were cut off.", path, size - length)


def _length_without_zeros(log: BinaryIO, size: int) -> int:
    end = size
    while end > 0 and size - end <= _MOST_ZEROS:
        begin = max(0, end - _CHUNK)
        log.seek(begin)
        kept = len(log.read(end - begin).rstrip(b"\0"))
        if kept:
            return begin + kept
        end = begin
    return end
