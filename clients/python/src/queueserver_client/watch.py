"""The stream of events, which resumes by itself.

A watch begins with a :class:`Snapshot` and continues with each change in order. When the connection breaks, the
Manager restarts or the stream can't keep up, it continues after the last event, from the token that came with
it. If that is no longer possible it starts again with a snapshot marked ``restarted``.

Not guaranteed: console text and documents are kept only in the Worker's memory; ``EventsLost`` says where some
are missing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from queueserver.manager.v1 import event_pb2, event_service_pb2

from queueserver_client.connection import forks
from queueserver_client.connection.channel import MAX_MESSAGE_BYTES
from queueserver_client.connection.connection import Connection
from queueserver_client.connection.reconnect_policy import ReconnectPolicy
from queueserver_client.errors import QueueServerError, ResumeTokenExpired
from queueserver_client.event_reader import read_event
from queueserver_client.events import DocumentEmitted, Event, EventKind, Snapshot
from queueserver_client.items.column_order import ColumnOrder

if TYPE_CHECKING:
    from typing_extensions import Self  # only for the type checker; not needed to run


#: The server sends at least an empty batch every 10 seconds; after this long without one the stream is broken.
SILENCE_SECONDS = 30.0

Interrupted = Callable[[QueueServerError], None]
SignOfLife = Callable[[], None]


class Watch:
    """An asynchronous iterator over a snapshot and events. Close it, or use it as a context manager."""

    def __init__(
        self,
        connection: Connection,
        kinds: Sequence[EventKind],
        *,
        resume_token: str = "",
        after_revision: int = 0,
        history_limit: int = 0,
        reconnect_timeout: float,
        wait_for_server: bool = False,
        on_interruption: Interrupted | None = None,
        on_sign_of_life: SignOfLife | None = None,
    ) -> None:
        self._connection = connection
        self._request = event_service_pb2.WatchEventsRequest(
            kinds=[event_pb2.EventKind.Value(f"EVENT_KIND_{kind.name}") for kind in kinds],
            history_limit=history_limit,
            max_message_bytes=MAX_MESSAGE_BYTES,
        )
        self._token = resume_token
        self._after_revision = after_revision
        self._reconnect_timeout = reconnect_timeout
        self._wait_for_server = wait_for_server
        self._on_interruption = on_interruption
        self._on_sign_of_life = on_sign_of_life
        self._columns = ColumnOrder()
        self._stream = self._run()

    @property
    def resume_token(self) -> str:
        """From here another watch can continue; empty before the snapshot is complete.

        Events come in batches with one token each. Inside a batch this is still the token of the batch before,
        so a watch that resumes there gets the first events of the batch again, never too few.
        """
        return self._token

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Event | Snapshot:
        forks.require_own_process()
        return await self._stream.__anext__()

    async def aclose(self) -> None:
        """End the watch. Repeating it is harmless."""
        if not forks.is_orphaned():
            await self._stream.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _run(self) -> AsyncGenerator[Event | Snapshot, None]:
        restarted = False
        reconnect_policy = ReconnectPolicy(
            self._connection, self._reconnect_timeout, begun=self._wait_for_server or bool(self._token)
        )
        while True:
            error: QueueServerError
            try:
                await reconnect_policy.ready()
                async with aclosing(self._attempt(restarted=restarted)) as entries:
                    async for entry in entries:
                        reconnect_policy.alive()
                        if isinstance(entry, Snapshot):
                            restarted = False
                        if entry is not None:
                            yield entry
                        reconnect_policy.alive()  # time that the reader needed is not the server's silence
                error = self._connection.broken(f"{self._connection.address} ended the stream.")
            except ResumeTokenExpired:
                if not self._token:
                    raise
                self._token, self._after_revision, restarted = "", 0, True
                continue
            except QueueServerError as failure:
                error = failure
            if reconnect_policy.accept(error) and self._on_interruption is not None:
                self._on_interruption(error)
            await reconnect_policy.pause(error.retry_after)

    async def _attempt(self, *, restarted: bool) -> AsyncGenerator[Event | Snapshot | None, None]:
        """One call. Yields None for a message without news, so that the caller knows it lives."""
        self._request.resume_token = self._token
        self._request.after_revision = 0 if self._token else self._after_revision
        stub = self._connection.stubs.events
        parts: list[event_service_pb2.WatchSnapshot] = []
        stream = self._connection.stream(stub.WatchEvents, self._request, timeout=None, silence=SILENCE_SECONDS)
        async with aclosing(stream):
            async for message in stream:
                if self._on_sign_of_life is not None:
                    self._on_sign_of_life()
                if message.HasField("snapshot"):
                    parts.append(message.snapshot)
                    if not message.snapshot.complete:
                        continue
                    self._token = message.resume_token
                    snapshot = Snapshot.from_parts(parts, restarted=restarted)
                    yield replace(snapshot, documents=[self._columns.apply(each) for each in snapshot.documents])
                    parts = []
                    continue
                found = [self._read(proto) for proto in message.batch.events]
                for event in found[:-1]:
                    yield event
                self._token = message.resume_token
                yield found[-1] if found else None

    def _read(self, proto: event_pb2.WatchEvent) -> Event:
        event = read_event(proto)
        if isinstance(event, DocumentEmitted):
            return replace(event, document=self._columns.apply(event.document))
        return event
