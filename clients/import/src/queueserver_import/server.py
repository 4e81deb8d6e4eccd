"""The server that is filled: what it has, and the requests of one import."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from queueserver.manager.v1 import import_state_pb2 as pb
from queueserver.manager.v1 import server_service_pb2, status_service_pb2
from queueserver_client import InterruptedPolicy, Status
from queueserver_client.connection.connection import Connection

from queueserver_import.failures import Failure
from queueserver_import.state import OldState, Progress, State

#: Seconds for one request: it may have to wait for a Manager that starts again.
_SECONDS = 60.0
#: Elements and bytes of one request.
_ELEMENTS, _BYTES = 1000, 2 * 1024 * 1024
_UNBOUNDED = 2**31 - 1


@dataclass(frozen=True)
class Facts:
    """What an import has to know of the server."""

    items: int
    entries: int
    invalid_items: int
    policy: str
    #: How many history entries it keeps.
    most_entries: int


class Server:
    """A connection to the server. Methods raise QueueServerError."""

    def __init__(self, address: str | None, user: str | None) -> None:
        self._connection = Connection(address, user, None, _SECONDS)

    @property
    def address(self) -> str:
        """Where it is."""
        return self._connection.address

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def facts(self) -> Facts:
        """What the server has, and how much it keeps."""
        stubs = self._connection.stubs
        answer = await self._connection.read(stubs.status.GetStatus, status_service_pb2.GetStatusRequest())
        status = Status.from_proto(answer.status)
        about = await self._connection.read(stubs.server.GetServerInfo, server_service_pb2.GetServerInfoRequest())
        bounds = {limit.name: limit.max_count for limit in about.info.limits}
        return Facts(
            status.items_in_queue,
            status.items_in_history,
            status.invalid_items,
            status.queue_mode.interrupted.value,
            bounds.get("history") or _UNBOUNDED,
        )

    async def send(self, request: pb.ImportStateRequest) -> pb.ImportStateResponse:
        """Send one request."""
        return await self._connection.change(self._connection.stubs.server.ImportState, request)


@dataclass(frozen=True)
class Import:
    """One import: what is sent with each of its requests."""

    state: State
    source: str
    lock_key: str
    into_existing: bool

    def request(self, *, check: bool = False) -> pb.ImportStateRequest:
        """A request without a part of the queue or the history."""
        state = self.state
        return pb.ImportStateRequest(
            import_id=state.import_id,
            source=self.source[:200],
            history_count=state.entries,
            item_count=state.items,
            into_existing=self.into_existing,
            autostart=state.autostart,
            lock_key=state.lock.key if state.lock is not None else self.lock_key,
            validate_only=check,
        )

    def begin(self, *, check: bool = False) -> pb.ImportStateRequest:
        """The first request, which brings the settings."""
        request, state = self.request(check=check), self.state
        request.settings.SetInParent()
        if state.permissions is not None:
            request.settings.permissions.CopyFrom(state.permissions)
        for name, value in (state.mode or {}).items():
            setattr(request.settings, name, value)
        if state.lock is not None:
            request.settings.lock.CopyFrom(state.lock.message)
        return request


async def carry_out(wanted: Import, old: OldState, server: Server, progress: Progress) -> pb.ImportStateResponse:
    """Send what the server does not have yet; returns its last answer. Raises Failure, QueueServerError."""
    done = await server.send(wanted.begin())
    if done.HasField("complete_time"):
        return done
    state, waiting = wanted.state, None
    await old.begin_again()
    async for request in _parts(wanted, old, done.history_done, done.items_done):
        if waiting is not None:
            done = await server.send(waiting)
            progress("sent", done.history_done + done.items_done, state.entries + state.items)
        waiting = request
    # The last part completes the import, so before it is sent it must be clear that all parts are of one state.
    if not old.is_still(state):
        raise Failure(
            "The old server's Redis changed during the import, so its server is still working: stop it, then import "
            "again with --into-existing; what has been imported already is recognised by its uids."
        )
    if waiting is not None:
        done = await server.send(waiting)
        progress("sent", done.history_done + done.items_done, state.entries + state.items)
    return done


async def _parts(
    wanted: Import, old: OldState, history_done: int, items_done: int
) -> AsyncIterator[pb.ImportStateRequest]:
    """The requests that are left, each with a part."""
    kinds: tuple[tuple[str, str, AsyncIterator[Any], int], ...] = (
        ("history", "history_start", old.entries(State()), history_done),
        ("items", "item_start", old.items(State()), items_done),
    )
    for field, start, elements, done in kinds:
        request, size, number = wanted.request(), 0, 0
        setattr(request, start, done)
        async for element in elements:
            number += 1
            if number <= done:
                continue
            if _is_full(len(getattr(request, field)), size, element.ByteSize()):
                yield request
                request, size = wanted.request(), 0
                setattr(request, start, number - 1)
            getattr(request, field).append(element)
            size += element.ByteSize()
        if getattr(request, field):
            yield request


def _is_full(count: int, size: int, more: int) -> bool:
    return count > 0 and (count >= _ELEMENTS or size + more > _BYTES)


#: What is assumed of a server that can't be asked.
UNKNOWN_SERVER = Facts(0, 0, 0, InterruptedPolicy.REQUEUE.value, _UNBOUNDED)
