"""A connection to Redis on which one script is run over and over, with as little as possible in between.

A commit stands between a client and its reply, so the general client's pool, retries and argument encoding are left
out: the words are packed by hiredis, in time slices if there are many, and sent on a separate connection. A script is
never sent twice by itself, except when Redis says that it does not know it, which means that nothing ran.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import hiredis
from queueserver_long_work.time_slice import TimeSlice
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from queueserver_manager.store.connection import COMMAND_TIMEOUT, Busy, answered_within
from queueserver_manager.store.pool import hung_up

Word = str | bytes | int
#: What is sent at once.
_WORDS_PER_PIECE, _BYTES_PER_PIECE = 1000, 128 * 1024
#: The time that other work needs between two pieces is no fault of Redis.
_SECONDS_PER_PIECE = 0.02


async def seconds_for(arguments: Sequence[Word]) -> float:
    """How much longer than a short command one with these words may take to be sent, done and synced to disk."""
    length, time_slice = 0, TimeSlice()
    for start in range(0, len(arguments), _WORDS_PER_PIECE):
        length += sum(len(word) for word in arguments[start : start + _WORDS_PER_PIECE] if isinstance(word, bytes))
        await time_slice.yield_if_due()
    return _SECONDS_PER_PIECE * (len(arguments) // _WORDS_PER_PIECE + length // _BYTES_PER_PIECE)


class ScriptConnection:
    """Runs one script, one call at a time."""

    def __init__(self, redis: Redis, script: bytes, busy: Busy | None = None) -> None:
        """``busy`` is told of runs that take long."""
        self._busy = busy or Busy()
        self._pool = redis.connection_pool
        self._script = script
        # Redis names scripts by this hash; nothing is secured by it.
        self._sha = hashlib.sha1(script, usedforsecurity=False).hexdigest()
        self._connection: AbstractConnection | None = None
        self._writer: asyncio.StreamWriter | None = None
        #: The last run may have taken effect. While there is no connection, it has not.
        self.may_have_run = False

    async def run(self, keys: Sequence[str], arguments: Sequence[Word], more_seconds: float = 0.0) -> bytes:
        """Run the script, which may take ``more_seconds`` than any command.

        Raises redis.RedisError; then it is not known whether it ran, if it :attr:`may_have_run`.
        """
        self.may_have_run = False
        try:
            with self._busy.for_seconds(more_seconds):
                # The same time counts for other callers of Redis meanwhile.
                async with answered_within(busy=self._busy):
                    return await self._run(keys, arguments)
        except BaseException:
            # After a timeout or a cancellation, too: half a command may have been sent.
            await self._drop()
            raise

    @property
    def server(self) -> str:
        """Address of the server of the last run."""
        return address_of(self._connection)

    async def confirmed_by(self, replicas: int, seconds: float) -> tuple[Any, int]:
        """The server's answer to ROLE, and how many replicas have what was written before on this connection.

        Waits for so many of them, for some seconds. Raises redis.RedisError; then it is not known.
        """
        role, confirmed = await self._ask(("ROLE",), ("WAIT", replicas, round(seconds * 1000)), seconds=seconds)
        return role, int(confirmed)

    async def send(self, *words: Word) -> None:
        """Another command, to the server of the last run. Raises redis.RedisError."""
        await self._ask(words)

    async def _ask(self, *commands: Sequence[Word], seconds: float = 0.0) -> list[Any]:
        if self._connection is None or hung_up(self._connection):
            raise RedisConnectionError("the connection broke before the replicas had confirmed")
        try:
            async with answered_within(seconds + COMMAND_TIMEOUT, self._busy):
                # In one go, so that it takes no further round trip.
                for words in commands:
                    await self._connection.send_command(*words, check_health=False)
                return [await self._connection.read_response() for _ in commands]
        except BaseException:
            await self._drop()
            raise

    async def _run(self, keys: Sequence[str], arguments: Sequence[Word]) -> bytes:
        call = ("EVALSHA", self._sha, len(keys), *keys, *arguments)
        try:
            return bytes(await self._exchange(*call))
        except NoScriptError:
            self.may_have_run = False
            await self._exchange("SCRIPT", "LOAD", self._script)
            self.may_have_run = False
            return bytes(await self._exchange(*call))

    async def _exchange(self, *words: Word) -> Any:
        if self._connection is not None and hung_up(self._connection):
            # Nothing is sent on it, so that no commit's fate becomes unknown.
            await self._drop()
        connection = self._connection
        if connection is None:
            connection = self._connection = await self._pool.get_connection()  # type: ignore[no-untyped-call] # decorated without types
            self._writer = connection._writer  # noqa: SLF001 - redis-py closes it, but does not break it off
        self.may_have_run = True
        time_slice = TimeSlice()
        for number, packed in enumerate(_packed(words)):
            if number and not connection.is_connected:
                # redis-py would connect again, and send the rest as if it were a command.
                raise RedisConnectionError("the connection broke in the middle of a command")
            await connection.send_packed_command(packed, check_health=False)
            await time_slice.yield_if_due()
        return await connection.read_response()

    async def _drop(self) -> None:
        """Drop a connection whose state is not known."""
        connection, self._connection = self._connection, None
        writer, self._writer = self._writer, None
        if writer is not None:
            # Closed only, it would stay open until Redis has read what is left of a half command, if ever it does.
            writer.transport.abort()
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)

    async def close(self) -> None:
        """Return the connection."""
        await self._drop()


def _packed(words: Sequence[Word]) -> Iterator[bytes]:
    """A command as Redis reads it, in pieces of bounded length."""
    waiting: list[Word] = []
    size, head = 0, b"*%d\r\n" % len(words)
    for word in words:
        length = len(word) if isinstance(word, bytes) else 0
        if isinstance(word, bytes) and length > _BYTES_PER_PIECE:
            yield _joined(waiting, head) + b"$%d\r\n" % length
            yield from (word[start : start + _BYTES_PER_PIECE] for start in range(0, length, _BYTES_PER_PIECE))
            waiting, size, head = [], 0, b"\r\n"
            continue
        waiting.append(word)
        size += length
        if len(waiting) >= _WORDS_PER_PIECE or size > _BYTES_PER_PIECE:
            yield _joined(waiting, head)
            waiting, size, head = [], 0, b""
    if waiting or head:
        yield _joined(waiting, head)


def _joined(words: Sequence[Word], head: bytes) -> bytes:
    if not words:
        return head
    packed: bytes = hiredis.pack_command(tuple(words))  # type: ignore[arg-type] # its stub allows one word only
    # hiredis puts a header before whatever it packs, as if it were the whole command.
    return head + packed[packed.index(b"\r\n") + 2 :]


def address_of(connection: AbstractConnection | None) -> str:
    """``HOST:PORT`` of the server that a connection leads to; empty for a unix socket."""
    host = getattr(connection, "host", "")
    return f"{host}:{getattr(connection, 'port', 0)}" if host else ""
