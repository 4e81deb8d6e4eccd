"""The log of the embedded Redis: a disk that takes no more of it must not make Redis stop."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from async_timeout import timeout
from queueserver_long_work.time_slice import next_turn
from queueserver_standalone.embedded_redis.redis_child import copy_log

SECONDS = 10.0
#: Far more than fits into a pipe and into what waits to be copied.
LENGTH = 4 * 1024 * 1024


@pytest.mark.parametrize("log", ["/dev/full", "/nowhere/redis.log"])
async def test_the_log_is_read_to_its_end_even_if_it_can_not_be_written(log: str) -> None:
    writer = f"import os\nleft = {LENGTH}\nwhile left: left -= os.write(1, b'x' * min(left, 65536))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", writer, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    copying = asyncio.create_task(copy_log(process.stdout, Path(log)))
    try:
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
        await asyncio.wait_for(copying, SECONDS)
    finally:
        # Not waited for: asyncio announces the end of a process only when all that it printed was read.
        process._transport.close()  # type: ignore[attr-defined]
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)


async def test_what_comes_when_there_is_room_again_is_in_the_log(tmp_path: Path) -> None:
    log, output = tmp_path / "redis.log", asyncio.StreamReader()
    log.mkdir()
    copying = asyncio.create_task(copy_log(output, log))
    output.feed_data(b"lost\n")
    async with timeout(SECONDS):
        while output._buffer:  # type: ignore[attr-defined] # nothing else tells that it was read
            await next_turn()
    log.rmdir()
    output.feed_data(b"kept\n")
    output.feed_eof()
    await asyncio.wait_for(copying, SECONDS)
    assert log.read_bytes() == b"kept\n"
