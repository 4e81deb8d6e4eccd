"""Clients that follow something to its end: an item, a task, the environment.

Guarantees: a follower gets the state at once, then each one that is news to it, the final one included, and waits for
nothing after that. It is woken by changes, never by time, and leaves no trace. When the term ends, so does every wait,
also one that begins afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from queueserver_manager.domain.refusals.errors import Refused

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Follower(Generic[T]):
    """One client that follows something."""

    #: The state that was found last, whether or not it was news to the client.
    found: T | None = None
    #: The final state, if that was told ahead: it may be gone before the client is ready for it.
    end: T | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something may have changed."""
        self._news.set()

    async def news(self) -> None:
        """Wait until something may have changed."""
        await self._news.wait()
        self._news.clear()


class Followers(Generic[T]):
    """All followers of one kind of thing, by the uid of what each follows."""

    def __init__(self) -> None:
        self._followers: dict[str, set[Follower[T]]] = {}
        self._ended: Refused | None = None

    async def follow(
        self,
        uid: str,
        look: Callable[[Follower[T]], Awaitable[T]],
        is_news: Callable[[T | None, T], bool],
        is_final: Callable[[T], bool],
    ) -> AsyncIterator[T]:
        """The state now, and each that ``is_news`` after the last one that the client got (or None), until a final one.

        Raises what ``look`` raises, and the reason for which the term ended.
        """
        follower = Follower[T]()
        shown: T | None = None
        self._followers.setdefault(uid, set()).add(follower)
        try:
            while True:
                state = follower.found = await look(follower)
                if is_news(shown, state):
                    shown = state
                    # A change while the client takes it wakes the follower afterwards.
                    yield state
                if is_final(state):
                    return
                # Check before waiting as well: no event wakes a follower that comes after the end.
                if self._ended is None:
                    await follower.news()
                if self._ended is not None:
                    raise self._ended
        finally:
            followers = self._followers.get(uid, set())
            followers.discard(follower)
            if not followers:
                self._followers.pop(uid, None)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._followers)

    def wake(self, uids: Iterable[str]) -> None:
        """Something may have changed about these: let their followers look."""
        for uid in uids:
            for follower in self._followers.get(uid, ()):
                follower.wake()

    def wake_all(self) -> None:
        """Something may have changed about all of them."""
        self.wake(tuple(self._followers))

    def tell_end(self, uid: str, state: T) -> None:
        """Tell the state in which one has ended: its followers may not find that any more when they look."""
        for follower in self._followers.get(uid, ()):
            follower.end = state
            follower.wake()

    def end_with(self, reason: Refused) -> None:
        """Dismiss every follower: the term has ended."""
        self._ended = reason
        self.wake_all()
