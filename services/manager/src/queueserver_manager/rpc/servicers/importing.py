"""The part of ServerService that takes over the state of another server."""

from __future__ import annotations

import time
from typing import Any

from queueserver.manager.v1 import import_state_pb2 as pb
from queueserver.manager.v1.server_service_pb2_grpc import ServerServiceServicer
from queueserver_long_work.time_slice import in_time_slices

from queueserver_manager.domain.import_progress import Import
from queueserver_manager.domain.lock.lock import Claim, LockKey
from queueserver_manager.domain.permissions import names
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.importing import ImportedSettings, ImportRequest
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.guards import lock_key_of
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.replies import reply_to_long
from queueserver_manager.rpc.servicers.lock import note_of
from queueserver_manager.wire.imports import read_part
from queueserver_manager.wire.items import set_time
from queueserver_manager.wire.permissions import groups_from_proto

_MAX_ID = 128


class Importing(ServerServiceServicer):
    """Convert, call the operation, convert back."""

    _current_term: CurrentTerm

    async def ImportState(self, request: pb.ImportStateRequest, context: Any) -> Any:  # noqa: N802
        """Contract: ServerService.ImportState."""
        term, caller = self._current_term.term(), caller_of(context)
        now, key = time.time(), lock_key_of(request, caller)
        wanted = ImportRequest(
            _wanted(request, now),
            _settings(request, now, key),
            into_existing=request.into_existing,
            autostart=request.autostart,
            key=LockKey(key) if key else None,
        )
        reply = await in_time_slices(reply_to_long(request, caller, _encode))
        return await term.importing.take(wanted, lambda: read_part(request, now, term.importing.prepare), reply)


def _wanted(request: pb.ImportStateRequest, now: float) -> Import:
    if not request.import_id or len(request.import_id) > _MAX_ID:
        raise FieldInvalid("import_id", f"required: the identity of the import, of at most {_MAX_ID} characters")
    for name in ("history_count", "item_count"):
        if getattr(request, name) < 0:
            raise FieldInvalid(name, "must be 0 or more")
    return Import(request.import_id, request.source, request.history_count, request.item_count, now)


def _settings(request: pb.ImportStateRequest, now: float, key: str) -> ImportedSettings:
    given = request.settings
    return ImportedSettings(
        groups_from_proto(given.permissions) if given.HasField("permissions") else None,
        given.loop if given.HasField("loop") else None,
        given.ignore_failures if given.HasField("ignore_failures") else None,
        _claim(given.lock, now, key) if given.HasField("lock") else None,
    )


def _claim(lock: pb.ImportedLock, now: float, key: str) -> Claim:
    if not key:
        raise FieldInvalid("lock_key", "required: the key of the lock that is imported")
    if not (lock.environment or lock.queue):
        raise FieldInvalid("settings.lock.environment", "say what to lock: environment, queue or both")
    user = names.composed(lock.user)
    problem = names.problem_of(user)
    if problem:
        raise FieldInvalid("settings.lock.user", problem)
    seconds = lock.time.seconds + lock.time.nanos / 1e9 if lock.HasField("time") else now
    # A lock in the future would be one of a clock that was wrong.
    return Claim(lock.environment, lock.queue, user, note_of(lock, "settings.lock.note"), min(max(seconds, 0.0), now))


def _encode(done: Import, revision: int) -> bytes:
    answer = pb.ImportStateResponse(
        history_done=done.history_done, items_done=done.items_done, known_count=done.known, revision=revision
    )
    if done.begun:
        set_time(answer.begin_time, done.begun)
    if done.completed:
        set_time(answer.complete_time, done.completed)
    return answer.SerializeToString()
