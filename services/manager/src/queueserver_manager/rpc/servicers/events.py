"""EventService: the results of watching as messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver.manager.v1.event_service_pb2_grpc import EventServiceServicer
from queueserver_long_work.time_slice import TimeSlice
from queueserver_rpc.message_sizes import DEFAULT_MESSAGE_BYTES, MAX_MESSAGE_BYTES, PART_BYTES

from queueserver_manager.domain.events import Kind
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.watch.watch_streams import Batch, SnapshotPart
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.positions import page_size
from queueserver_manager.rpc.status_message import status_to_proto
from queueserver_manager.wire import framing
from queueserver_manager.wire.items import entry_bytes, item_bytes, running_to_proto
from queueserver_manager.wire.locks import lock_to_proto
from queueserver_manager.wire.permissions import permissions_to_proto
from queueserver_manager.wire.tasks import status_of

_DEFAULT_KINDS = frozenset({Kind.STATUS, Kind.QUEUE, Kind.HISTORY})
_KINDS = {int(kind): kind for kind in Kind if kind is not Kind.WORKER_ATTACHED}
_DEFAULT_HISTORY, _LARGEST_HISTORY = 100, 10_000
#: Room for the rest of an event's message, which is little more than the token.
_BESIDE_EVENT = 4096


class EventServicer(EventServiceServicer):
    """Serves watchers."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def WatchEvents(self, request: event_service_pb2.WatchEventsRequest, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Contract: EventService.WatchEvents."""
        del context
        unknown = [kind for kind in request.kinds if kind not in _KINDS]
        if unknown:
            raise FieldInvalid("kinds", f"{unknown[0]} is not a kind of event: use those of EventKind")
        kinds = frozenset(_KINDS[kind] for kind in request.kinds) or _DEFAULT_KINDS
        history = page_size(request.history_limit, _DEFAULT_HISTORY, _LARGEST_HISTORY, "history_limit")
        longest = _longest_event(request.max_message_bytes)
        after = _after_revision(request)
        watching = self._current_term.term().watching.watch(kinds, request.resume_token, history, longest, after)
        async for part in watching:
            if isinstance(part, Batch):
                yield _batch(part)
                continue
            async for message in _snapshot(part):
                yield message


def _after_revision(request: event_service_pb2.WatchEventsRequest) -> int:
    """Revision after which to start; 0 for none. Raises FieldInvalid."""
    if request.after_revision < 0:
        raise FieldInvalid("after_revision", "must be 0 or more")
    if request.after_revision and request.resume_token:
        raise FieldInvalid("after_revision", "must be left out with a resume_token, which says where to continue")
    return request.after_revision


def _longest_event(max_message_bytes: int) -> int:
    """Bytes that an event may have for a client that accepts such messages. Raises FieldInvalid."""
    if max_message_bytes < 0:
        raise FieldInvalid("max_message_bytes", "must be 0 or more")
    return min(max(max_message_bytes, DEFAULT_MESSAGE_BYTES), MAX_MESSAGE_BYTES) - _BESIDE_EVENT


def _batch(batch: Batch) -> bytes:
    """A WatchEventsResponse from serialized WatchEvents."""
    events = framing.submessage(
        event_service_pb2.WatchEventsResponse.BATCH_FIELD_NUMBER, framing.repeated(1, batch.events)
    )
    return events + framing.submessage(
        event_service_pb2.WatchEventsResponse.RESUME_TOKEN_FIELD_NUMBER, batch.token.encode()
    )


async def _snapshot(part: SnapshotPart) -> AsyncIterator[bytes]:
    """A part of the snapshot as one WatchEventsResponse, or as several if it is long."""
    time_slice = TimeSlice()
    ready: list[bytes] = []
    size = 0
    for field, content in _contents(part):
        framed = framing.submessage(field, content)
        if ready and size + len(framed) > PART_BYTES:
            yield _message(part.revision, ready)
            ready, size = [], 0
        ready.append(framed)
        size += len(framed)
        await time_slice.yield_if_due()
    yield _message(part.revision, ready, part.token)


def _contents(part: SnapshotPart) -> Iterator[tuple[int, bytes]]:
    """Everything in a part of the snapshot: the number of its field, and its content, serialized."""
    if part.status is not None:
        yield event_service_pb2.WatchSnapshot.STATUS_FIELD_NUMBER, status_to_proto(part.status).SerializeToString()
    if part.running is not None:
        yield (
            event_service_pb2.WatchSnapshot.RUNNING_ITEM_FIELD_NUMBER,
            running_to_proto(part.running).SerializeToString(),
        )
    if part.permissions is not None:
        yield (
            event_service_pb2.WatchSnapshot.PERMISSIONS_FIELD_NUMBER,
            permissions_to_proto(part.permissions).SerializeToString(),
        )
    if part.lock is not None:
        lock = lock_to_proto(part.lock.lock, emergency_key_is_set=part.lock.emergency_key_is_set)
        yield event_service_pb2.WatchSnapshot.LOCK_INFO_FIELD_NUMBER, lock.SerializeToString()
    for wire in part.console:
        yield (
            event_service_pb2.WatchSnapshot.CONSOLE_FIELD_NUMBER,
            event_pb2.WatchEvent.FromString(wire).console.SerializeToString(),
        )
    for wire in part.documents:
        yield (
            event_service_pb2.WatchSnapshot.DOCUMENTS_FIELD_NUMBER,
            event_pb2.WatchEvent.FromString(wire).document.SerializeToString(),
        )
    for kept in part.tasks:
        yield event_service_pb2.WatchSnapshot.TASKS_FIELD_NUMBER, status_of(kept, with_value=False).SerializeToString()
    for item in part.items:
        yield event_service_pb2.WatchSnapshot.QUEUE_FIELD_NUMBER, item_bytes(item)
    for entry in part.history:
        yield event_service_pb2.WatchSnapshot.HISTORY_FIELD_NUMBER, entry_bytes(entry)


def _message(revision: int, ready: list[bytes], token: str = "") -> bytes:
    """A WatchEventsResponse with contents of the snapshot, framed; with a token it is the last one."""
    head = event_service_pb2.WatchSnapshot(revision=revision, complete=bool(token)).SerializeToString()
    ending = (
        framing.submessage(event_service_pb2.WatchEventsResponse.RESUME_TOKEN_FIELD_NUMBER, token.encode())
        if token
        else b""
    )
    return (
        framing.submessage(event_service_pb2.WatchEventsResponse.SNAPSHOT_FIELD_NUMBER, head + b"".join(ready)) + ending
    )
