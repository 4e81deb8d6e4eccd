"""Following anything to its end: each state that is news, the final one, and nobody left waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.refusals.errors import NotReady
from queueserver_manager.operations.watch.followers import Follower, Followers

from tests.unit.manager.scripted_store import SECONDS

END = 9


class Counter:
    """Something with a number that grows; clients follow it up to a last one."""

    def __init__(self) -> None:
        self.number = 0
        self.followers = Followers[int]()
        #: What followers had found before they looked.
        self.found_before: list[int | None] = []

    async def look(self, follower: Follower[int]) -> int:
        self.found_before.append(follower.found)
        return self.number if follower.end is None else follower.end

    def follow(self, uid: str = "a") -> AsyncIterator[int]:
        return self.followers.follow(
            uid, self.look, is_news=lambda shown, number: shown != number, is_final=lambda number: number == END
        )

    def becomes(self, number: int) -> None:
        self.number = number
        self.followers.wake(["a"])


async def told(stream: AsyncIterator[int]) -> int:
    return await asyncio.wait_for(anext(stream), SECONDS)


async def test_a_follower_gets_the_state_at_once_and_each_that_is_news_until_the_final_one() -> None:
    counter = Counter()
    stream = counter.follow()
    assert await told(stream) == 0
    next_one = asyncio.create_task(told(stream))
    for number in (0, 0, 3):
        await next_turn()
        assert not next_one.done()
        counter.becomes(number)
    assert await next_one == 3
    # While the client takes one state, the next one comes.
    counter.becomes(END)
    assert await told(stream) == END
    with pytest.raises(StopAsyncIteration):
        await told(stream)
    assert not counter.followers
    assert counter.found_before[:2] == [None, 0]


async def test_followers_of_something_else_are_not_woken() -> None:
    counter = Counter()
    other = counter.follow("b")
    await told(other)
    waits = asyncio.create_task(told(other))
    await next_turn()
    counter.becomes(1)
    await next_turn()
    assert not waits.done()
    counter.followers.wake_all()
    assert await waits == 1


async def test_a_follower_is_told_an_end_that_it_would_not_find_any_more() -> None:
    counter = Counter()
    streams = [counter.follow("a"), counter.follow("b")]
    assert [await told(stream) for stream in streams] == [0, 0]
    counter.followers.tell_end("a", END)
    assert await told(streams[0]) == END
    with pytest.raises(StopAsyncIteration):
        await told(streams[0])
    waits = asyncio.create_task(told(streams[1]))
    await next_turn()
    assert not waits.done()
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    assert not counter.followers


async def test_the_end_of_the_term_ends_every_wait_also_one_that_begins_afterwards() -> None:
    counter = Counter()
    early, late = counter.follow(), counter.follow()
    await told(early)
    waits = asyncio.create_task(told(early))
    await next_turn()
    counter.followers.end_with(NotReady())
    with pytest.raises(NotReady):
        await waits
    assert await told(late) == 0
    with pytest.raises(NotReady):
        await told(late)
    assert not counter.followers


async def test_a_client_that_can_not_look_leaves_no_trace() -> None:
    followers = Followers[int]()

    async def look(_: object) -> int:
        raise KeyError

    with pytest.raises(KeyError):
        await told(followers.follow("a", look, lambda _shown, _number: True, lambda _: False))
    assert not followers
