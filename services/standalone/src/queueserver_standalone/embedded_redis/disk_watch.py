"""Checks regularly how much room the disk of Redis has: no system announces that it becomes less.

When its log has become long, Redis rewrites it, beside the old one. That would fill a disk with too little room for
both, and a Redis whose change does not fit on the disk ends. So on such a disk Redis is told not to rewrite its log.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from async_timeout import timeout
from queueserver_long_work.time_slice import next_turn_after

from queueserver_standalone.embedded_redis.disk import NEEDED_BYTES, Disk, DiskError, megabytes
from queueserver_standalone.embedded_redis.redis_child import ask
from queueserver_standalone.embedded_redis.redis_report import RedisReport
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.log import logger

_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
#: By how much the log has to grow before Redis rewrites it, in per cent: the default of Redis, and never.
_BY_ITSELF, _NEVER = 100, 0


class DiskWatch:
    """Tells the report how much room there is, and Redis whether that is enough to rewrite its log."""

    def __init__(self, disk: Disk, report: RedisReport, socket: Path) -> None:
        """``socket`` is where Redis listens while it runs."""
        self._disk = disk
        self._report = report
        self._socket = socket
        self._is_too_small = False

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await self.look()
            await next_turn_after(_SECONDS)

    async def look(self) -> None:
        """Check once. A disk that does not respond is not reported here: Redis will report what it can't do."""
        with contextlib.suppress(DiskError):
            free = await self._disk.free()
            self._report.room(free)
            await self._bound_rewriting(free, await self._disk.ask(self._size_of_data))

    def _size_of_data(self) -> int:
        return sum(path.stat().st_size for path in self._disk.directory.rglob("*") if path.is_file())

    async def _bound_rewriting(self, free: int, size: int) -> None:
        is_too_small = free < size + NEEDED_BYTES
        if not is_too_small and not self._is_too_small:
            return
        # Repeated at each check while there is too little room: a Redis that was restarted has lost the setting.
        percentage = _NEVER if is_too_small else _BY_ITSELF
        try:
            async with timeout(_ANSWER_SECONDS):
                await ask(self._socket, f"CONFIG SET auto-aof-rewrite-percentage {percentage}", "+OK")
        except (StandaloneError, OSError, asyncio.TimeoutError):
            return
        if is_too_small and not self._is_too_small:
            logger.warning(
                "%s are free and the data of Redis are %s: its log grows, and is not written anew until there is room.",
                *(megabytes(free), megabytes(size)),
            )
        self._is_too_small = is_too_small
