"""Which lock protects what a request changes, as the contract says in the comment of its method."""

from __future__ import annotations

from typing import Any

from queueserver.common.v1 import method_pb2
from queueserver.manager.v1 import (
    environment_service_pb2,
    history_service_pb2,
    permission_service_pb2,
    queue_service_pb2,
    run_engine_service_pb2,
    server_service_pb2,
    task_service_pb2,
)

from queueserver_manager.domain.lock.lock import Guard, LockKey, composed, problem_of_key
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.caller import Caller
from queueserver_manager.rpc.identity import LOCK_KEY

_MODULES = (
    environment_service_pb2,
    history_service_pb2,
    permission_service_pb2,
    queue_service_pb2,
    run_engine_service_pb2,
    server_service_pb2,
    task_service_pb2,
)
_ENVIRONMENT = frozenset({method_pb2.METHOD_LOCK_ENVIRONMENT, method_pb2.METHOD_LOCK_BOTH})
_QUEUE = frozenset({method_pb2.METHOD_LOCK_QUEUE, method_pb2.METHOD_LOCK_BOTH})


def _lock_of(method: Any) -> method_pb2.MethodLock.ValueType:
    lock: method_pb2.MethodLock.ValueType = method.GetOptions().Extensions[method_pb2.rules].lock
    return lock


#: By full name of the request, for each method that has a lock.
LOCKS: dict[str, method_pb2.MethodLock.ValueType] = {
    method.input_type.full_name: _lock_of(method)
    for module in _MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if _lock_of(method) != method_pb2.METHOD_LOCK_UNSPECIFIED
}


def guard_of(request: Any, caller: Caller) -> Guard | None:
    """What the lock may protect of a request's changes, with its key; None if no lock does. Raises FieldInvalid."""
    lock = LOCKS.get(request.DESCRIPTOR.full_name)
    if lock is None:
        return None
    text = lock_key_of(request, caller)
    return Guard(lock in _ENVIRONMENT, lock in _QUEUE, LockKey(text) if text else None)


def lock_key_of(request: Any, caller: Caller) -> str:
    """The key that came with a request that can have one, empty if there was none. Raises FieldInvalid."""
    given: str = request.lock_key
    if given and caller.lock_key and composed(given) != composed(caller.lock_key):
        raise FieldInvalid("lock_key", f"differs from the metadata {LOCK_KEY}: send the key in one of the two")
    text = given or caller.lock_key
    problem = problem_of_key(text)
    if problem:
        raise FieldInvalid("lock_key" if given else LOCK_KEY, problem)
    return text
