"""What is published: console text as it comes, and the status at each change and once a second.

Guarantees: console text is published unchanged and in order, also what was written while the connection to the Manager
was broken, as far as the Worker keeps it; the status is read only when it has changed. While the Manager is away,
nothing is published.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from async_timeout import timeout
from queueserver_client import (
    ConsoleWritten,
    EventKind,
    EventsLost,
    QueueServerError,
    ServiceUnavailable,
    Snapshot,
    StatusChanged,
)
from queueserver_client.events import Event
from queueserver_client.watch import Watch
from queueserver_long_work.time_slice import next_turn_after

from queueserver_zmq_bridge.info.information_socket import InformationSocket
from queueserver_zmq_bridge.methods.status import status_fields
from queueserver_zmq_bridge.server import Server

logger = logging.getLogger(__name__)
#: Seconds between two publications of a status that does not change.
STATUS_SECONDS: Final = 1.0
#: Seconds for which a watch looks for a Manager that is away; then a line in the log says so, and it looks again.
_PATIENCE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 1.0
_KINDS: Final = (EventKind.STATUS, EventKind.CONSOLE)


class Publisher:
    """Follows the Manager."""

    def __init__(self, server: Server, socket: InformationSocket) -> None:
        self._server = server
        self._socket = socket
        self._is_present = False
        #: There is news of the status; and it was not read since then.
        self._has_changed = asyncio.Event()
        self._is_unread = True

    async def run(self) -> None:
        """Publish until this is cancelled."""
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._publish_status())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self) -> None:
        """Watch the Manager, however long it is away."""
        token = ""
        while True:
            watch = self._watch(token)
            try:
                async with watch:
                    async for entry in watch:
                        await self._take(entry)
            except QueueServerError as error:
                self._is_present = False
                logger.warning("Nothing is published: %s", error)
                token = watch.resume_token if isinstance(error, ServiceUnavailable) else ""
                await next_turn_after(_PAUSE_SECONDS)

    def _watch(self, token: str) -> Watch:
        return Watch(
            self._server.connection,
            _KINDS,
            resume_token=token,
            reconnect_timeout=_PATIENCE_SECONDS,
            wait_for_server=True,
            on_interruption=self._is_interrupted,
            on_sign_of_life=self._is_alive,
        )

    def _is_interrupted(self, _error: QueueServerError) -> None:
        self._is_present = False

    def _is_alive(self) -> None:
        if not self._is_present:
            self._is_present = True
            self._has_changed.set()

    async def _take(self, entry: Event | Snapshot) -> None:
        if isinstance(entry, ConsoleWritten):
            await self._socket.publish_console(entry.console.text, entry.console.time.timestamp())
        elif isinstance(entry, (StatusChanged, Snapshot)):
            # Console text of a snapshot was written before this watch began, and was published then.
            self._has_changed.set()
        elif isinstance(entry, EventsLost):
            logger.warning("Some console text was not published: it was lost while nobody read it.")

    async def _publish_status(self) -> None:
        while True:
            try:
                async with timeout(STATUS_SECONDS):
                    await self._has_changed.wait()
            except asyncio.TimeoutError:
                pass
            if self._has_changed.is_set():
                self._has_changed.clear()
                self._is_unread = True
            if self._is_present and await self._is_read() and not self._has_changed.is_set():
                await self._socket.publish_status(self._server.status_view.last)

    async def _is_read(self) -> bool:
        """Read the status if it has changed; False if that is not possible now."""
        if self._is_unread:
            try:
                await status_fields(self._server)
            except QueueServerError:
                return False
            self._is_unread = False
        return True
