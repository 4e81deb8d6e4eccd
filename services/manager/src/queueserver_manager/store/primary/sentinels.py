"""What Sentinels say: where the primary is, and whether it is being replaced."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from queueserver_long_work.patience import within
from queueserver_long_work.time_slice import next_turn_after
from queueserver_rpc.redis_places import Places
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, InvalidResponse, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from queueserver_manager.store.primary.asking import SECONDS, Place, ask, server_at

_log = logging.getLogger(__name__)
#: Seconds between two questions to one that does not answer.
_PAUSE = 0.5
_NO_SENTINEL = "an answer that no Sentinel gives"


class PrimaryInDoubtError(RedisError):
    """A change is in a server that may not be the primary any more."""


@dataclass(frozen=True, slots=True)
class _View:
    """What one Sentinel says."""

    #: ``HOST:PORT``.
    primary: str
    #: Each failover has a higher number than those before it.
    epoch: int
    #: The server that it is replacing; empty if there is none.
    replaced: str

    @classmethod
    def of(cls, address: Sequence[bytes], fields: Mapping[bytes, bytes] | Sequence[bytes]) -> _View:
        """Read its answers to GET-MASTER-ADDR-BY-NAME and MASTER; the second is a list in the older protocol."""
        pairs = fields.items() if isinstance(fields, Mapping) else zip(fields[::2], fields[1::2], strict=True)
        about = {_text(name): _text(value) for name, value in pairs}
        replaces = "failover_in_progress" in about["flags"].split(",")
        # While the other replicas are told, this still names the server that is replaced, and the address the new one.
        replaced = f"{about['ip']}:{about['port']}" if replaces else ""
        return cls("{}:{}".format(*_place(address)), int(about["config-epoch"]), replaced)


class Sentinels:
    """The primary is where most of them say: one that was away may not know yet that it has moved."""

    def __init__(self, places: Places, options: dict[str, Any]) -> None:
        self._places, self._options = places, options
        self._last: Place | None = None
        self._each = [_Sentinel(places, place, options) for place in places.hosts]
        #: Ends all connections. One that leads to the old primary might still be answered, by what is out of date.
        self.on_move: Callable[[], Awaitable[None]] | None = None

    async def find(self) -> Place:
        """Host and port. Raises redis.ConnectionError."""
        place = await self._agreed_place()
        if place != self._last:
            _log.info("The primary of %s is at %s:%d", self._places.name, *place)
            before, self._last = self._last, place
            if before is not None and self.on_move is not None:
                await self.on_move()
        return place

    async def require(self, server: str) -> None:
        """Return if a server (``HOST:PORT``) is the primary and no Sentinel is replacing it.

        The Sentinel with the newest configuration decides what the primary is. Most Sentinels have to answer. Raises
        PrimaryInDoubtError.
        """
        said = await asyncio.gather(*(each.view() for each in self._each))
        views = [view for view in said if isinstance(view, _View)]
        if 2 * len(views) <= len(said):
            problems = _told([one for one in said if isinstance(one, str)])
            raise PrimaryInDoubtError(f"{len(views)} of {len(said)} Sentinels say what the primary is: {problems}")
        newest = max(views, key=lambda view: view.epoch)
        if newest.primary != server:
            raise PrimaryInDoubtError(f"{server} was replaced by {newest.primary}")
        if any(view.replaced == server for view in views):
            raise PrimaryInDoubtError(f"{server} is being replaced")

    async def close(self) -> None:
        """Close what is kept open for asking them."""
        for each in self._each:
            await each.close()

    async def _agreed_place(self) -> Place:
        """What most of them say, as soon as it is known: one that hangs must not delay each new connection."""
        asking = [asyncio.create_task(self._ask(sentinel)) for sentinel in self._places.hosts]
        said: Sequence[Place | str] = ()
        count = 0
        try:
            for next_answer in asyncio.as_completed(asking):
                await next_answer
                said = [one.result() for one in asking if one.done()]
                places = Counter(one for one in said if isinstance(one, tuple))
                for place, count in places.most_common(1):
                    if 2 * count > len(asking):
                        return place
        finally:
            for one in asking:
                one.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        raise RedisConnectionError(
            f"{count} of {len(said)} Sentinels agree on where {self._places.name} is: {_told(said)}"
        )

    async def _ask(self, sentinel: Place) -> Place | str:
        """Where the primary is, or why this Sentinel does not say."""
        words = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._places.name)
        try:
            try:
                answer = await ask(self._places, sentinel, self._options, *words, identify=False)
            except AuthenticationError:
                answer = await ask(self._places, sentinel, self._options, *words)
            return _place(answer) if answer else "it does not know that name"
        except (RedisError, OSError) as error:
            return str(error) or type(error).__name__


class _Sentinel:
    """One of them, asked on a connection that stays open.

    If it does not answer, later changes do not wait for it. It is asked again until it answers, and then counts again,
    even if nothing has changed since.
    """

    def __init__(self, places: Places, place: Place, options: dict[str, Any]) -> None:
        self._words = [("SENTINEL", what, places.name) for what in ("GET-MASTER-ADDR-BY-NAME", "MASTER")]
        self._client = server_at(places, place, options, identify=False)
        #: For one that wants a password.
        self._identified = server_at(places, place, options)
        #: Why it did not answer the last time; empty if it did.
        self._problem = ""
        self._asking_again: asyncio.Task[None] | None = None

    async def view(self) -> _View | str:
        """What it says from now on, or why it does not."""
        answer = self._problem or await self._ask()
        if isinstance(answer, str) and (self._asking_again is None or self._asking_again.done()):
            self._asking_again = asyncio.create_task(self._ask_until_it_answers())
        return answer

    async def close(self) -> None:
        """Close its connections. What it did before does not count any more: the next answer is waited for."""
        asking, self._asking_again = self._asking_again, None
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        self._problem = ""
        for client in (self._client, self._identified):
            await client.aclose()

    async def _ask_until_it_answers(self) -> None:
        while self._problem:
            await next_turn_after(_PAUSE)
            await self._ask()

    async def _ask(self) -> _View | str:
        problem = "no answer"
        with suppress(asyncio.TimeoutError):
            async with within(SECONDS):
                # A connection that was kept may have ended: nothing is changed by asking twice.
                for _ in range(2):
                    try:
                        view = await self._asked(self._client)
                    except AuthenticationError as error:
                        problem = str(error)
                        self._client, self._identified = self._identified, self._client
                    except (RedisError, OSError) as error:
                        problem = str(error) or type(error).__name__
                        await self._client.connection_pool.disconnect()
                    else:
                        self._problem = ""
                        return view
        self._problem = problem
        return problem

    async def _asked(self, client: Redis) -> _View:
        async with client.pipeline(transaction=False) as questions:
            for words in self._words:
                questions.execute_command(*words)
            answers = await questions.execute(raise_on_error=False)
        for words, answer in zip(self._words, answers, strict=True):
            if isinstance(answer, AuthenticationError):
                raise answer
            if isinstance(answer, RedisError):
                raise ResponseError(f"{' '.join(words[:2])}: {answer}")
        try:
            return _View.of(*answers)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InvalidResponse(_NO_SENTINEL) from error


def _place(address: Sequence[bytes | str]) -> Place:
    # A text is a sequence, too.
    if isinstance(address, (str, bytes)):
        raise InvalidResponse(_NO_SENTINEL)
    try:
        host, port = map(_text, address)
        return host, int(port)
    except (TypeError, ValueError) as error:
        raise InvalidResponse(_NO_SENTINEL) from error


def _text(word: bytes | str) -> str:
    return word.decode() if isinstance(word, bytes) else word


def _told(said: Sequence[Place | str]) -> str:
    return "; ".join(dict.fromkeys(one if isinstance(one, str) else f"{one[0]}:{one[1]}" for one in said))
