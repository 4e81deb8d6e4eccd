"""Whether Redis responds: told in less than a second, whether or not anything else is asked of it.

One connection is there for that alone, on which Redis is pinged several times a second. When it breaks, a new one
decides.

Guarantee: that the process or the machine of Redis is gone, or the network to it, is told in less than a second. A
Redis that only takes its time is not told as gone: while it waits for its disk, the kernel of its machine confirms that
our ping has come. It is told when it has been silent for as long as the answer to any command may take.
Does not guarantee that anything else works: what Redis refuses is told where it is refused.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from queueserver_long_work.patience import Patience
from queueserver_long_work.time_slice import next_turn_after
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from queueserver_manager.domain.storage import Fault, StorageState
from queueserver_manager.store.connection import Busy, answered_within, have_ready
from queueserver_manager.store.faults import fault_of

#: Seconds between two pings, or attempts to connect; until a connection breaks on which nothing is confirmed; and
#: until a new one has to work. Together they are the longest time until a Redis that is gone is told as such.
_PAUSE, _UNCONFIRMED, _PATIENCE = 0.2, 0.3, 0.3
_LOST = Fault(StorageState.UNREACHABLE, f"no new connection within {_PATIENCE:g} s")


class _BrokeError(Exception):
    """A connection that worked has broken."""


class Heartbeat:
    """Pings one Redis for as long as the Manager runs."""

    def __init__(
        self,
        redis: Redis,
        hear: Callable[[Fault | None], None],
        give_up: Callable[[Fault], None],
        connections: int,
        busy: Busy | None = None,
    ) -> None:
        """``hear`` is told why nothing is heard, or None; ``give_up``, that Redis was silent as long as it may be.

        So many more ``connections`` are made before Redis counts as back, so that it can be used at once.
        """
        self._redis = redis
        self._hear = hear
        self._give_up = give_up
        self._connections = connections
        self._busy = busy

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            patience = Patience(_PATIENCE, partial(self._hear, _LOST))
            try:
                async with self._connection() as connection:
                    patience.stop()
                    await self._stay(connection)
            except _BrokeError:
                continue
            except (RedisError, OSError) as error:
                self._hear(fault_of(error))
                await next_turn_after(_PAUSE)
            finally:
                patience.stop()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AbstractConnection]:
        """A new connection that works, and the others as well. Raises redis.RedisError, OSError."""
        pool = self._redis.connection_pool
        async with answered_within(busy=self._busy):
            connection: AbstractConnection = await pool.get_connection()  # type: ignore[no-untyped-call] # decorated without types
        try:
            await self._ping(connection)
            await have_ready(self._redis, self._connections, self._busy)
            yield connection
        finally:
            # Nobody else gets it: an answer may still come.
            await connection.disconnect(nowait=True)
            await pool.release(connection)

    async def _stay(self, connection: AbstractConnection) -> None:
        """Ping Redis on a connection until that breaks. Raises redis.RedisError, _BrokeError."""
        while True:
            self._hear(None)
            await next_turn_after(_PAUSE)
            try:
                await self._ping(connection)
            except RedisTimeoutError as error:
                self._give_up(fault_of(error))
                raise
            except (RedisConnectionError, OSError) as error:
                raise _BrokeError from error

    async def _ping(self, connection: AbstractConnection) -> None:
        """Raises redis.TimeoutError if Redis is silent for as long as it may be, and other errors of redis."""
        patience = Patience(_UNCONFIRMED, partial(_break_off_unconfirmed, connection))
        try:
            async with answered_within(busy=self._busy):
                await connection.send_command("PING", check_health=False)
                await connection.read_response()
        finally:
            patience.stop()


def _break_off_unconfirmed(connection: AbstractConnection) -> None:
    """End a connection over TCP if the other machine has not confirmed what was sent."""
    writer = connection._writer  # noqa: SLF001 - redis-py has no way to its socket
    line = writer.transport.get_extra_info("socket") if writer is not None else None
    if writer is None or line is None or line.family not in (socket.AF_INET, socket.AF_INET6):
        return
    # On Linux, TIOCOUTQ of such a socket counts the bytes that are not confirmed.
    (unconfirmed,) = struct.unpack("i", fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4)))
    if unconfirmed:
        writer.transport.abort()
