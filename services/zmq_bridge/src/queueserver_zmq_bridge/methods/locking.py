"""``lock``, ``unlock`` and ``lock_info``, and the check of a key that comes with other requests."""

from __future__ import annotations

from typing import Any, Final

from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver_client.lock_errors import Locked, LockKeyInvalid
from queueserver_client.models.lock import LockInfo

from queueserver_zmq_bridge.answers.lock import describe_lock, lock_fields
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.refusal import NotTaken, Refused
from queueserver_zmq_bridge.server import Server

_NONE: Final[Fields] = {"lock_info": {}, "lock_info_uid": None}


def key_of(params: Params) -> str:
    """The key that a request brings; empty if it brings none. Raises Refused for what can't be a key."""
    key = params.get("lock_key")
    if key is not None and not isinstance(key, str):
        raise NotTaken(f"Lock key must be a non-empty string or None: lock_key = {key!r}")
    return key or ""


async def require_key(server: Server, lock: Lock, params: Params) -> None:
    """Raise Refused if a lock makes a key necessary that the request does not bring."""
    if not lock:
        return
    key = key_of(params)
    answer, info = await _read(server, key)
    is_locked = (info.environment and Lock.ENVIRONMENT in lock) or (info.queue and Lock.QUEUE in lock)
    if is_locked and not (key and answer.key_fits):
        raise NotTaken(f"Invalid lock key: \n{describe_lock(info)}")


async def _read(server: Server, key: str = "") -> tuple[pb.GetLockResponse, LockInfo]:
    """The lock, and whether a key is that of it."""
    answer = await server.read(server.stubs.lock.GetLock, pb.GetLockRequest(lock_key=key))
    return answer, LockInfo.from_proto(answer.lock_info)


async def _lock(server: Server, params: Params) -> Fields:
    user, note = params.get("user"), params.get("note")
    if "user" not in params:
        raise Refused("User name is not specified: the text 'user' is required")
    if not isinstance(user, str) or not user:
        raise Refused(f"User name must be a non-empty string: user = {user!r:.200}")
    key = _required_key(params)
    if note is not None and not isinstance(note, str):
        raise Refused(f"Note must be a string or None: note = {note!r}")
    if not params.get("environment") and not params.get("queue"):
        await _require_no_other_lock(server, key)
        raise Refused("Invalid option: environment and/or queue must be selected")
    request = pb.AcquireLockRequest(
        environment=bool(params.get("environment")), queue=bool(params.get("queue")), note=note or "", lock_key=key
    )
    try:
        answer = await server.change(server.stubs.lock.AcquireLock, request, (user, None))
    except Locked as error:
        raise Refused(f"RE Manager was locked with a different key: \n{describe_lock(error.lock)}") from None
    return _fields(answer)


async def _require_no_other_lock(server: Server, key: str) -> None:
    answer, info = await _read(server, key)
    if (info.environment or info.queue) and not answer.key_fits:
        raise Refused(f"RE Manager was locked with a different key: \n{describe_lock(info)}")


async def _unlock(server: Server, params: Params) -> Fields:
    request = pb.ReleaseLockRequest(lock_key=_required_key(params))
    try:
        return _fields(await server.change(server.stubs.lock.ReleaseLock, request))
    except (LockKeyInvalid, Locked):
        answer, info = await _read(server)
        raise Refused(f"Invalid lock key: \n{describe_lock(info)}", **_fields(answer)) from None


async def _lock_info(server: Server, params: Params) -> Fields:
    key = params.get("lock_key")
    asked = key if isinstance(key, str) else ""
    answer, info = await _read(server, asked)
    if key is not None and not isinstance(key, str):
        raise Refused(f"Lock key must be a non-empty string or None: lock_key = {key!r}", **_fields(answer))
    if key is not None and (info.environment or info.queue) and not (asked and answer.key_fits):
        raise Refused(f"Invalid lock key: \n{describe_lock(info)}", **_fields(answer))
    return _fields(answer)


def _required_key(params: Params) -> str:
    if "lock_key" not in params:
        raise Refused("Request contains no lock key: 'lock_key' parameter is required")
    key = params["lock_key"]
    if not isinstance(key, str) or not key:
        raise Refused(f"Lock key must be a non-empty string: lock_key = {key!r}")
    return key


def _fields(answer: Any) -> Fields:
    return {
        "lock_info": lock_fields(LockInfo.from_proto(answer.lock_info)),
        "lock_info_uid": answer.lock_info_uid,
    }


METHODS: Final = (
    Method("lock", _lock, ("environment", "queue", "lock_key", "note", "user"), failed=_NONE),
    Method("unlock", _unlock, ("lock_key",), failed=_NONE),
    Method("lock_info", _lock_info, ("lock_key",), failed=_NONE),
)
