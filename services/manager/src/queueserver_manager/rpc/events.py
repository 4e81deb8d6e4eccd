"""EventService: what watching yields, put into messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from queueserver.manager.v1 import event_service_pb2 as pb
from queueserver.manager.v1.event_service_pb2_grpc import EventServiceServicer
from queueserver_rpc.turns import in_turns

from queueserver_manager.domain.errors import FieldInvalid
from queueserver_manager.operations.feed import Kind
from queueserver_manager.operations.watching import Batch, SnapshotPart
from queueserver_manager.rpc.office import Office
from queueserver_manager.rpc.positions import page_size
from queueserver_manager.rpc.status_message import status_to_proto
from queueserver_manager.wire import framing
from queueserver_manager.wire.answers import how_many_fit
from queueserver_manager.wire.items import entry_bytes, item_bytes, running_to_proto
from queueserver_manager.wire.permissions import permissions_to_proto
from queueserver_manager.wire.tasks import status_of

_DEFAULT_KINDS = frozenset({Kind.STATUS, Kind.QUEUE, Kind.HISTORY})
_KINDS = {int(kind): kind for kind in Kind if kind is not Kind.WORKER_ATTACHED}
_DEFAULT_HISTORY, _LARGEST_HISTORY = 100, 10_000
#: Of the items or entries in one message of the snapshot, unless one alone is longer.
_PART_BYTES = 1024 * 1024


class EventServicer(EventServiceServicer):
    """Serves watchers."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def Watch(self, request: pb.WatchRequest, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Contract: EventService.Watch."""
        del context
        unknown = [kind for kind in request.kinds if kind not in _KINDS]
        if unknown:
            raise FieldInvalid("kinds", f"{unknown[0]} is no kind of event: use those of EventKind")
        kinds = frozenset(_KINDS[kind] for kind in request.kinds) or _DEFAULT_KINDS
        history = page_size(request.history_limit, _DEFAULT_HISTORY, _LARGEST_HISTORY, "history_limit")
        watching = self._office.term().watching.watch(kinds, request.resume_token, history)
        async for part in watching:
            if isinstance(part, Batch):
                yield _batch(part)
                continue
            async for message in _snapshot(part):
                yield message


def _batch(batch: Batch) -> bytes:
    """A WatchResponse from serialized WatchEvents."""
    events = framing.submessage(pb.WatchResponse.BATCH_FIELD_NUMBER, framing.repeated(1, batch.events))
    return events + framing.submessage(pb.WatchResponse.RESUME_TOKEN_FIELD_NUMBER, batch.token.encode())


async def _snapshot(part: SnapshotPart) -> AsyncIterator[bytes]:
    """A part of the snapshot as one WatchResponse, or as several if it is long."""
    rest = part
    while True:
        items, history = rest.items, rest.history
        items = items[: await in_turns(how_many_fit(items, item_bytes, _PART_BYTES))]
        history = history[: await in_turns(how_many_fit(history, entry_bytes, _PART_BYTES))] if not items else ()
        more = SnapshotPart(part.revision, items=rest.items[len(items) :], history=rest.history[len(history) :])
        is_last = not more.items and not more.history
        yield _message(replace(rest, items=items, history=history, token=part.token if is_last else ""))
        if is_last:
            return
        rest = more


def _message(part: SnapshotPart) -> bytes:
    """A WatchResponse from a part of the snapshot."""
    snapshot = pb.Snapshot(revision=part.revision, complete=bool(part.token))
    if part.status is not None:
        snapshot.status.CopyFrom(status_to_proto(part.status))
    if part.running is not None:
        snapshot.running_item.CopyFrom(running_to_proto(part.running))
    snapshot.console.extend(pb.WatchEvent.FromString(wire).console for wire in part.console)
    snapshot.documents.extend(pb.WatchEvent.FromString(wire).document for wire in part.documents)
    if part.permissions is not None:
        snapshot.permissions.CopyFrom(permissions_to_proto(part.permissions))
    snapshot.tasks.extend(status_of(kept, with_value=False) for kept in part.tasks)
    content = b"".join(
        (
            snapshot.SerializeToString(),
            framing.repeated(pb.Snapshot.QUEUE_FIELD_NUMBER, map(item_bytes, part.items)),
            framing.repeated(pb.Snapshot.HISTORY_FIELD_NUMBER, map(entry_bytes, part.history)),
        )
    )
    token = framing.submessage(pb.WatchResponse.RESUME_TOKEN_FIELD_NUMBER, part.token.encode()) if part.token else b""
    return framing.submessage(pb.WatchResponse.SNAPSHOT_FIELD_NUMBER, content) + token
