"""What happens to clients when their process forks.

gRPC works with threads, and a fork copies only the thread that forks: in the child no call would ever be answered, and
gRPC's remains there can't be shut down without a crash. So in a child of a process that has started using a client,
every call is refused at once, closing does nothing, and connections are left as they are: they belong to the parent.
Before its first call a client has nothing that a fork could break.

gRPC itself tries to start again in a child, unless it is told not to before it is imported. With clients in use that
fails often, and ends a child that never used one: so it is told not to, unless the user says otherwise in the
variable GRPC_ENABLE_FORK_SUPPORT, or has imported gRPC before.
"""

from __future__ import annotations

import os
import weakref
from typing import Any

#: Objects of gRPC and of its event loop that a child must never take down.
_parents: weakref.WeakSet[Any] = weakref.WeakSet()
_GRPC_VARIABLE = "GRPC_ENABLE_FORK_SUPPORT"
_in_use = False
_orphaned = False


def _import_grpc() -> None:
    """Import gRPC, which reads its variable then and never again."""
    if _GRPC_VARIABLE in os.environ:
        return
    os.environ[_GRPC_VARIABLE] = "0"
    try:
        import grpc  # noqa: F401, PLC0415 - under this condition
    finally:
        # The variable is not meant for other programs that this one starts.
        del os.environ[_GRPC_VARIABLE]


def note_use(held: object) -> None:
    """From now on this process uses gRPC, through an object that belongs to this process alone."""
    global _in_use  # noqa: PLW0603 - a process has one state
    _in_use = True
    _parents.add(held)


def is_orphaned() -> bool:
    """Whether this process was forked from one that used a client."""
    return _orphaned


def require_own_process() -> None:
    """Raise RuntimeError in a process that was forked from one that used a client."""
    if _orphaned:
        raise RuntimeError(
            "This process was forked from one that already used a client, and there is no way to the server from here: "
            'start the process with the method "spawn" or "forkserver" of multiprocessing, or fork before the first '
            "call of a client, and make a new client in this process."
        )


def _prepare() -> None:
    """Import what the child needs: there it could wait for ever for a thread that was importing it."""
    if _in_use:
        import ctypes  # noqa: F401, PLC0415 - only those who fork pay for it


def _orphan() -> None:
    global _orphaned  # noqa: PLW0603 - as above
    if not _in_use:
        return
    _orphaned = True
    import ctypes  # noqa: PLC0415 - as above

    for held in _parents:
        # One reference too many: so it outlives everything, even the end of the interpreter.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))


_import_grpc()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_prepare, after_in_child=_orphan)
