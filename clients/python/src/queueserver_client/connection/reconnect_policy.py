"""How long, and after which failures, a broken stream is resumed.

Guarantee: a stream that has sent something, or whose connection once worked, is resumed for as long as
its timeout says, counted from the last message; a server that never answered is given up at once.
"""

from __future__ import annotations

import time

from queueserver_client.connection import refusals
from queueserver_client.connection.connection import Connection
from queueserver_client.errors import QueueServerError, WatcherTooSlow

#: Seconds to wait for a server that is away, unless the caller says otherwise.
RECONNECT_TIMEOUT = 60.0


class ReconnectPolicy:
    """The attempts at one stream."""

    def __init__(self, connection: Connection, timeout: float, *, begun: bool = False) -> None:
        self._connection = connection
        self._timeout = timeout
        self._begun = begun
        self._attempt = 0
        self._give_up = time.monotonic() + timeout

    async def ready(self) -> None:
        """Wait until the connection works. Raises ServiceUnavailable."""
        patience = self._timeout if self._begun or self._connection.was_ready else 0.0
        await self._connection.ready(max(self._give_up - time.monotonic(), 0.0), patience)

    def alive(self) -> None:
        """A message came: the next failure is the first one again."""
        self._begun, self._attempt = True, 0
        self._give_up = time.monotonic() + self._timeout

    def accept(self, error: QueueServerError) -> bool:
        """Take a failure; returns whether it is the first one since the last message. Raises it if it is final."""
        final = not (refusals.may_pass(error) or isinstance(error, WatcherTooSlow))
        never_there = error.reason == "UNREACHABLE" and not (self._begun or self._connection.was_ready)
        if final or never_there or time.monotonic() >= self._give_up:
            raise error
        self._attempt += 1
        return self._attempt == 1

    async def pause(self, at_least: float | None = None) -> None:
        """Wait before the next attempt, longer each time."""
        left = self._give_up - time.monotonic()
        await self._connection.back_off(max(self._attempt - 1, 0), left, at_least=at_least or 0.0)
