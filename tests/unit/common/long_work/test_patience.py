"""Time for which the loop stood still is not taken for somebody else's silence."""

from __future__ import annotations

import asyncio

import pytest
from queueserver_long_work.patience import Patience, within
from queueserver_long_work.time_slice import clock, next_turn, next_turn_after

SECONDS = 20.0
LIMIT = 0.2


def stand_still(seconds: float) -> None:
    """Let nobody else have a turn."""
    end = clock() + seconds
    while clock() < end:
        pass


async def test_it_ends_when_its_time_is_over_and_not_before() -> None:
    ended, begun = asyncio.Event(), clock()
    patience = Patience(LIMIT, ended.set)
    await asyncio.wait_for(ended.wait(), SECONDS)
    assert patience.is_over
    assert clock() - begun >= LIMIT


async def test_time_for_which_the_loop_stood_still_does_not_end_it() -> None:
    ended = asyncio.Event()
    patience = Patience(LIMIT, ended.set)
    stand_still(3 * LIMIT)
    for _ in range(3):
        await next_turn()
    assert not patience.is_over
    await asyncio.wait_for(ended.wait(), SECONDS)


async def test_it_is_renewed_and_stopped() -> None:
    ended = asyncio.Event()
    patience = Patience(LIMIT, ended.set)
    for _ in range(5):
        await next_turn_after(LIMIT / 4)
        patience.renew()
    assert not patience.is_over
    patience.stop()
    patience.stop()
    await next_turn_after(2 * LIMIT)
    assert not ended.is_set()


async def test_what_takes_too_long_is_given_up() -> None:
    begun = clock()
    with pytest.raises(asyncio.TimeoutError):
        async with within(LIMIT):
            await asyncio.Event().wait()
    assert clock() - begun >= LIMIT


async def test_an_answer_that_came_while_the_loop_stood_still_is_heard() -> None:
    came: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with within(LIMIT):
        asyncio.get_running_loop().call_soon(stand_still, 3 * LIMIT)
        asyncio.get_running_loop().call_later(LIMIT, came.set_result, "answer")
        assert await came == "answer"


async def test_who_is_cancelled_is_cancelled() -> None:
    async def wait() -> None:
        async with within(SECONDS):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await next_turn()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
