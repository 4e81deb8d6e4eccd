"""The connection to Redis: from an address to a client, and waiting for an answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from queueserver_long_work.patience import within
from queueserver_long_work.time_slice import next_turn_after
from queueserver_rpc.redis_options import refusal_of_options, without_password_option
from queueserver_rpc.redis_places import FORMS, Places, moves, places_of
from redis.asyncio import Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from queueserver_manager.store.keys import Keys
from queueserver_manager.store.pool import Names, Pool, with_names
from queueserver_manager.store.primary.moving_primary import redis_at

#: Seconds after which an unanswered command counts as lost.
COMMAND_TIMEOUT = 2.0
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 1.0
#: Checked before redis-py sees it, which takes what it does not understand for localhost or database 0.
_FORM = re.compile(r"(rediss?://([^/?#]*@)?[^/?#@]+(/\d*)?|unix://([^/?#]*@)?/[^?#]+)(\?.*)?")


class AddressError(ValueError):
    """A Redis address that can't be understood."""


def connect(address: str, prefix: str = "qs") -> Redis:
    """Client for ``redis://user:password@host:port/db``, ``rediss://…``, ``unix://PATH`` or ``host[:port[/db]]``.

    Also for a primary that is found by Sentinels or in a cluster, where it is the one that has the keys of ``prefix``.

    Nothing is sent yet. A command is never repeated by the client: whether a commit took effect must not be
    guessed. The client does not bound a command either; :func:`answered_within` does. Raises AddressError.
    """
    url = address if "://" in address else f"redis://{address}"
    places = places_of(url) if moves(url) else None
    understood = _FORM.fullmatch(url) if places is None else True
    problem = refusal_of_options(url) if understood else None
    if problem is not None:
        raise AddressError(problem)
    redis = _client(url, places, prefix) if understood else None
    if redis is None:
        raise AddressError(
            f"Can't understand the Redis address {without_password(address)!r}: use "
            f"redis://user:password@host:port/db, rediss://…, unix:///path/to/socket, host:port, {FORMS}."
        )
    return redis


def _client(url: str, places: Places | None, prefix: str) -> Redis | None:
    """Client for a URL; None if redis-py does not understand it. Its error may show a part of the password.

    Raises AddressError for certificates that can't be used.
    """
    try:
        options: dict[str, Any] = {
            # The client's own bound on sending loses cancellations: a Manager that is told to stop would continue.
            "socket_timeout": None,
            "socket_connect_timeout": COMMAND_TIMEOUT,
            "retry": Retry(NoBackoff(), 0),
            "health_check_interval": 0,
        }
        if places:
            redis = redis_at(places, Keys(prefix).meta, options)
        else:
            redis = Redis.from_pool(Pool(**with_names({**options, **parse_url(url)}, Names())))
        # Nothing is sent, but an option that a connection does not know or can't read is noticed.
        connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call] # it has no types of its own
        if isinstance(connection, SSLConnection):
            connection.ssl_context.get()
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror
        raise AddressError(f"The certificates that the Redis address names can't be used: {reason}.") from None
    except (ValueError, TypeError, RedisError):
        return None
    return redis


def without_password(address: str) -> str:
    """Address without its secrets."""
    return without_password_option(re.sub(r"^([a-z+]+://)?.*@", r"\1…@", address, flags=re.DOTALL), "…")


class Busy:
    """Whether Redis is busy with long work of ours: it does one thing after another, so other callers wait."""

    def __init__(self) -> None:
        #: Seconds that it may take beyond the bound of every answer.
        self.seconds = 0.0

    @contextmanager
    def for_seconds(self, seconds: float) -> Iterator[None]:
        """Redis gets work that may take this much longer; one at a time."""
        self.seconds = seconds
        try:
            yield
        finally:
            self.seconds = 0.0


@asynccontextmanager
async def answered_within(seconds: float = COMMAND_TIMEOUT, busy: Busy | None = None) -> AsyncIterator[None]:
    """Bound the commands inside. Raises redis.TimeoutError; then it is not known what was done.

    Time in which the answer could not be read, because the loop or the process stood still, does not count, nor what
    Redis needs for long work that it got before.
    """
    seconds += busy.seconds if busy is not None else 0.0
    try:
        async with within(seconds):
            yield
    except asyncio.TimeoutError as error:
        raise RedisTimeoutError(f"no answer within {seconds:g} s") from error


async def have_ready(redis: Redis, connections: int, busy: Busy | None = None) -> None:
    """Have so many connections open that can be used at once. Raises redis.RedisError, OSError."""
    try:
        async with answered_within(busy=busy):
            await asyncio.gather(*(redis.ping() for _ in range(connections)))
    except (RedisError, OSError):
        # One that Redis has closed would make the next command fail.
        await redis.connection_pool.disconnect(inuse_connections=False)
        raise


async def wait_for_answer(redis: Redis) -> None:
    """Return once Redis answers. Attempts are spaced by a growing delay, since Redis can't notify us."""
    delay = _FIRST_DELAY
    while True:
        if await answers(redis):
            return
        await next_turn_after(delay)
        delay = min(2 * delay, _LONGEST_DELAY)


async def answers(redis: Redis) -> bool:
    """Whether Redis answers now."""
    try:
        async with answered_within():
            await redis.ping()
    except (RedisError, OSError):
        return False
    return True
