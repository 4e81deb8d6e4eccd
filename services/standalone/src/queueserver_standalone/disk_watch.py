"""Looks again and again how much room there is on the disk of Redis: no system announces that it becomes less."""

from __future__ import annotations

import contextlib

from queueserver_rpc.turns import next_turn_after

from queueserver_standalone.disk import Disk, DiskError
from queueserver_standalone.redis_report import RedisReport

_SECONDS = 5.0


async def watch_room(disk: Disk, report: RedisReport) -> None:
    """Tell the report how much room there is, until cancelled. A disk that does not say is not told of here."""
    while True:
        with contextlib.suppress(DiskError):
            report.room(await disk.free())
        await next_turn_after(_SECONDS)
