"""Unix sockets on which services listen: each accessible to its owner only, and never taken from a living service."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from queueserver_rpc.listening import UNIX, ListenError

#: What fits into the kernel's sockaddr_un everywhere (Linux has 107, macOS 103).
MAX_PATH_BYTES = 103


@contextlib.contextmanager
def place_for(address: str) -> Iterator[None]:
    """Make the place of ``unix:PATH`` free; a socket that is bound inside can be used by its owner only.

    Raises ListenError if that is not possible.
    """
    path = _path(address)
    if not path.parent.is_dir():
        raise ListenError(f"Can't listen on {address}: create the directory {path.parent} first.")
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise ListenError(f"Can't listen on {address}: choose a path of at most {MAX_PATH_BYTES} bytes.")
    if not os.access(path.parent, os.W_OK):
        raise ListenError(f"Can't listen on {address}: the directory {path.parent} may not be written. Choose another.")
    _remove_stale(path)
    mask = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(mask)


def forget(address: str) -> None:
    """Remove the socket of a service that has ended; harmless for another kind of address."""
    if address.startswith(UNIX):
        with contextlib.suppress(OSError):
            _path(address).unlink()


def _path(address: str) -> Path:
    # gRPC also takes unix:///PATH.
    path = address.removeprefix(UNIX)
    return Path(path.removeprefix("//") if path.startswith("///") else path)


def _remove_stale(path: Path) -> None:
    """Remove the socket of a dead process. Raises ListenError if a living one listens on it."""
    if not path.is_socket():
        if os.path.lexists(path):
            raise ListenError(f"Can't listen on {UNIX}{path}: there is something else of that name. Choose another.")
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise ListenError(f"Can't listen on {UNIX}{path}: {error.strerror}. Choose another path.") from error
    raise ListenError(f"Can't listen on {UNIX}{path}: another service is using it.")
