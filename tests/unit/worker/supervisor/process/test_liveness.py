"""Signs of life, and their absence."""

from __future__ import annotations

import asyncio

from queueserver_worker.supervisor.process.liveness import Liveness

SECONDS = 10.0


async def test_silence_is_told_once_and_so_is_its_end() -> None:
    changes: asyncio.Queue[bool] = asyncio.Queue()
    liveness = Liveness(0.01, changes.put_nowait)
    liveness.start()
    assert await asyncio.wait_for(changes.get(), SECONDS) is False
    liveness.heartbeat()
    assert changes.get_nowait() is True
    assert await asyncio.wait_for(changes.get(), SECONDS) is False
    liveness.stop()
    assert changes.empty()


async def test_a_sign_in_time_keeps_it_quiet() -> None:
    changes: list[bool] = []
    liveness = Liveness(SECONDS, changes.append)
    liveness.start()
    liveness.heartbeat()
    liveness._look()
    assert changes == []
    liveness.stop()
