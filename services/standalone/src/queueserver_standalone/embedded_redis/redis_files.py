"""Repairs the files of the embedded Redis before it is started on them.

Only bytes that can't be an acknowledged change are removed: every acknowledged change is on the disk, and ends with a
line end.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from queueserver_standalone.log import logger

#: Left by an interrupted rewrite of its files. Redis does not remove them, and each is as large as all of its data.
_LEFTOVERS = ("temp-*.aof", "temp-*.rdb", "appendonlydir/temp-*")
#: The files to which changes are appended, by releases up to 6.2, and by later ones.
_LOGS = ("appendonly.aof", "appendonlydir/*.incr.aof")
#: Fewer zeros may be the end of a checksum; more can't be the rest of one change.
_FEWEST_ZEROS, _MOST_ZEROS = 16, 64 * 1024 * 1024
_CHUNK = 64 * 1024


def put_in_order(directory: Path) -> None:
    """Repair what can be repaired. No Redis may be running in the directory."""
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

    A power failure during a change can leave them there, when the file had become longer and its content was not on the
    disk yet. Redis can read a log whose end is missing, but not one with zeros in its place.
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
