"""Where a standalone server keeps its data and its sockets, and the lock that makes it the only one there.

The data directory survives; the runtime directory holds only unix sockets, whose paths the kernel limits to about a
hundred characters, so it is short, private and outside the data. The lock on a data directory is released as soon as
the supervisor and its children are gone, however they ended.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from queueserver_process import data_places

from queueserver_standalone.errors import StandaloneError

_PRIVATE = 0o700
#: How long to wait for a server that was killed, and for one that may be ending.
_LOCK_SECONDS = 2.0
_LOCK_OF_LIVING_SECONDS = 0.5
#: The longest name of a socket below the runtime directory, and the longest path that sockaddr_un holds everywhere.
_LONGEST_SOCKET = "/worker"
_MAX_SOCKET_BYTES = 103


#: The default data directory; a short name for a data directory.
default_data_directory, identity = data_places.default_data_directory, data_places.identity


def prepare(directory: Path) -> None:
    """Make the data directory and its parts. Raises StandaloneError if that is not possible."""
    try:
        for part in (directory, directory / "redis", directory / "worker"):
            part.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            if not os.access(part, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(part))
        for name in ("standalone.lock", "redis.log"):
            if (directory / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(directory / name))
    except OSError as error:
        reason = "it is not a directory" if isinstance(error, FileExistsError) else str(error.strerror).lower()
        where = "" if error.filename in (None, str(directory)) else f" ({error.filename})"
        message = f"The data directory {directory} can't be used{where}: {reason}. Choose another by --data-dir."
        raise StandaloneError(message) from error


@contextmanager
def exclusive(directory: Path) -> Iterator[int]:
    """Lock the data directory; returns the file descriptor of the lock, for the children to inherit.

    Because they inherit it, the directory stays locked until the last of them is gone, so the successor of a
    supervisor that was killed starts only when they have ended. Raises StandaloneError if another process
    has locked the directory and does not release it soon.
    """
    path = directory / "standalone.lock"
    try:
        lock = path.open("a+", encoding="utf-8")
    except OSError as error:
        message = f"The data directory {directory} can't be written: {error.strerror}. Choose another by --data-dir."
        raise StandaloneError(message) from error
    with lock:
        try:
            lock.seek(0)
            holder = lock.read().strip()
            _lock(lock.fileno(), _LOCK_OF_LIVING_SECONDS if _lives(holder) else _LOCK_SECONDS)
        except TimeoutError as error:
            message = (
                f"The data directory {directory} is in use by another start-re-manager (process "
                f"{holder or 'unknown'}). Stop that one, or choose another directory by --data-dir."
            )
            raise StandaloneError(message) from error
        except OSError as error:
            message = (
                f"The data directory {directory} can't be locked: {error.strerror}. Choose one on a local disk by "
                "--data-dir."
            )
            raise StandaloneError(message) from error
        _note_holder(lock.fileno())
        yield lock.fileno()


def _note_holder(file_descriptor: int) -> None:
    """Write down which process holds the lock, for the message of a refused one. On a full disk it stays unknown."""
    with contextlib.suppress(OSError):
        os.ftruncate(file_descriptor, 0)
        os.write(file_descriptor, f"{os.getpid()}\n".encode())


def _lives(pid: str) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _lock(file_descriptor: int, seconds: float) -> None:
    """Take the lock, waiting for it at most ``seconds``; TimeoutError if that is not enough."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        fcntl.flock(file_descriptor, fcntl.LOCK_EX)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def runtime_directory(directory: Path) -> Path:
    """Make the private directory for the sockets of the server on ``directory``, or find it again."""
    path = data_places.runtime_path(directory)
    parent = path.parent
    if len(os.fsencode(path)) + len(_LONGEST_SOCKET) > _MAX_SOCKET_BYTES:
        message = f"The path {parent} is too long for sockets. Set XDG_RUNTIME_DIR to a shorter one, such as /tmp."
        raise StandaloneError(message)
    try:
        path.mkdir(mode=_PRIVATE, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        message = f"No directory for sockets can be made in {parent}: {error.strerror}. Set XDG_RUNTIME_DIR."
        raise StandaloneError(message) from error
    # Where all users can write, another user may have put something of that name.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != _PRIVATE:
        return Path(tempfile.mkdtemp(prefix="qserver-", dir=parent))
    return path
