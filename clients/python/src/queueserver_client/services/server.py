"""The server itself: stop it, and read its versions, settings and limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver.manager.v1 import server_service_pb2 as pb

from queueserver_client.connection.connection import Connection
from queueserver_client.errors import ServiceUnavailable
from queueserver_client.models.server_info import ServerInfo, StopMode
from queueserver_client.watch import SILENCE_SECONDS

#: An environment has seconds to close, and a plan to end.
WAIT_SECONDS = 60.0


class AsyncServer:
    """``client.server``. Errors: those of the methods of the same name in ServerService."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stop(self, mode: StopMode | str, *, wait: bool = True, wait_timeout: float = WAIT_SECONDS) -> None:
        """End the server in good order: ``client.server.stop("when_idle")``. It is not started again by itself.

        Args:
            mode: "when_idle": only if nothing is being executed. "at_once": whatever it is doing; a plan that runs is
                aborted, and its item is at the head of the queue again.
            wait: Wait until it serves no clients any more. Otherwise the call returns once it is about to end.
            wait_timeout: Seconds to wait at most.

        Raises:
            InvalidState: it is not idle.
            DeadlineExceeded: it still serves clients when the time to wait is over.
        """
        request = pb.StopServerRequest(mode=pb.StopMode.Name(StopMode(mode).number))  # type: ignore[arg-type] # names are accepted
        stubs = self._connection.stubs
        if not wait:
            await self._connection.change(stubs.server.StopServer, request)
            return
        watched = event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_STATUS])
        patience = self._connection.timeout
        await self._connection.ready(patience, patience if self._connection.was_ready else 0.0)
        stream = self._connection.stream(
            stubs.events.WatchEvents, watched, timeout=wait_timeout, silence=SILENCE_SECONDS
        )
        async with aclosing(stream):
            follows = await _begins(stream)
            await self._connection.change(stubs.server.StopServer, request)
            if follows:
                await _ends(stream)

    async def info(self) -> ServerInfo:
        """Versions, limits, settings, startup code, and how long the processes have run."""
        answer = await self._connection.read(self._connection.stubs.server.GetServerInfo, pb.GetServerInfoRequest())
        return ServerInfo.from_proto(answer.info)


async def _begins(stream: AsyncGenerator[Any, None]) -> bool:
    """Whether a server can be watched: one that can't use Redis can be stopped but not watched."""
    try:
        await stream.__anext__()
    except ServiceUnavailable:
        return False
    return True


async def _ends(stream: AsyncGenerator[Any, None]) -> None:
    try:
        async for _ in stream:
            pass
    except ServiceUnavailable:
        # This is how it ends.
        return
