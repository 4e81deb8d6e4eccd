"""Long work in turns, and the time between two attempts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from queueserver_long_work.time_slice import next_turn, next_turn_after

LATE = 0.01


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_wait_that_is_given_up_when_its_time_is_over_already_ends_without_a_complaint(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    complaints: list[str] = []

    def complain(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        complaints.append(context["message"])

    async def give_up() -> None:
        asyncio.get_running_loop().set_exception_handler(complain)
        waiting = asyncio.ensure_future(next_turn_after(LATE / 2))
        await next_turn()
        # One turn that takes too long: when the loop looks at its timers, this one is due and nobody waits for it.
        end = time.perf_counter() + LATE
        while time.perf_counter() < end:
            pass
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()

    loop = new_loop()
    try:
        loop.run_until_complete(give_up())
    finally:
        loop.close()
    assert complaints == []
