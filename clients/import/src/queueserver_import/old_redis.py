"""The Redis of a bluesky-queueserver. It is only read, a few megabytes at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from queueserver_import.failures import Broken, Failure, NoConnection

QUEUE: Final = "plan_queue"
HISTORY: Final = "plan_history"
RUNNING: Final = "running_plan"
MODE: Final = "plan_queue_mode"
PERMISSIONS: Final = "user_group_permissions"
LOCK: Final = "lock_info"
AUTOSTART: Final = "autostart_mode_info"
ALL: Final = (QUEUE, HISTORY, RUNNING, MODE, PERMISSIONS, LOCK, AUTOSTART)
DEFAULT_PREFIX: Final = "qs_default"
#: What is read at once: few elements at first, since each may be long, then as many as have about this many bytes.
_FEW, _MOST, _BYTES = 8, 1000, 2 * 1024 * 1024
_SECONDS = 20.0
_T = TypeVar("_T")


class OldRedis:
    """The keys of one bluesky-queueserver. Methods raise NoConnection, and Broken for a key of another type."""

    def __init__(self, address: str, prefix: str) -> None:
        """``address`` is HOST, HOST:PORT, HOST:PORT/DB or a URL that redis-cli takes. Raises Failure."""
        self._prefix = prefix
        url = address if "://" in address else f"redis://{address}"
        try:
            self._redis = Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
            parts = urlsplit(url)
            place = f"{parts.hostname or 'localhost'}:{parts.port or 6379}" if parts.hostname else parts.path
        except ValueError as error:
            raise Failure(f"{address!r} is no address of a Redis ({error}): give HOST:PORT or HOST:PORT/DB.") from None
        #: For people: the address, without a password.
        self.place = f"{place}{parts.path}" if parts.hostname and parts.path.strip("/") else place

    @property
    def described(self) -> str:
        """Where the state is, for people."""
        return f"Redis at {self.place}, {f'prefix {self._prefix}' if self._prefix else 'no prefix'}"

    def key(self, name: str) -> str:
        """Name of a key in Redis."""
        return f"{self._prefix}_{name}" if self._prefix else name

    async def close(self) -> None:
        """End the connection."""
        await self._redis.aclose()

    async def known(self) -> list[str]:
        """Which of the keys exist."""
        return [name for name in ALL if await self._answer(self._redis.exists(self.key(name)))]

    async def other_clients(self) -> int:
        """How many other programs are connected to this Redis; 0 if it does not say."""
        try:
            info: Any = await self._redis.info("clients")
        except RedisError:
            return 0
        return max(0, int(info.get("connected_clients", 1)) - 1)

    async def text(self, name: str) -> bytes | None:
        """What a key holds; None if it does not exist."""
        found: Any = await self._answer(self._redis.get(self.key(name)), name)
        return found if found is None else bytes(found)

    async def length(self, name: str) -> int:
        """How many elements a list has."""
        return int(await self._answer(self._redis.llen(self.key(name)), name))

    async def elements(self, name: str, start: int = 0) -> AsyncIterator[bytes]:
        """The elements of a list, front first."""
        count = _FEW
        while True:
            some: Any = await self._answer(self._redis.lrange(self.key(name), start, start + count - 1), name)
            for element in some:
                yield element
            if len(some) < count:
                return
            start += count
            size = sum(map(len, some))
            count = max(1, min(_MOST, 2 * count, count * _BYTES // max(size, 1)))

    async def _answer(self, answer: Awaitable[_T] | Any, name: str = "") -> _T:
        try:
            found: _T = await answer
        except ResponseError as error:
            if "WRONGTYPE" in str(error):
                raise Broken(f"the key {self.key(name)} is of another type than bluesky-queueserver writes") from None
            raise NoConnection(f"The Redis at {self.place} refuses to be read: {error}.") from None
        except (RedisError, OSError) as error:
            raise NoConnection(
                f"The Redis at {self.place} can't be read ({error}): start it, or say where it is with --redis-addr."
            ) from None
        return found
