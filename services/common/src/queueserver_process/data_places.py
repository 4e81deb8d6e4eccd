"""Where the server of one machine keeps its data and its sockets: for the server, and for tools that look for it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

#: Unlike tempfile.gettempdir() this needs no file to be written, which fails on a full disk.
_TEMPORARY = "/tmp"  # noqa: S108 - a private directory is made there


def default_data_directory(*, demo: bool) -> Path:
    """The user's own state directory, for example ``~/.local/state/queueserver``.

    The demo has one of its own, so that its queue and its permissions never become those of an instrument.
    """
    return platformdirs.user_state_path("queueserver-demo" if demo else "queueserver", appauthor=False)


def identity(directory: Path) -> str:
    """A short name of a data directory on this machine, the same each time."""
    return hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:10]


def runtime_path(directory: Path) -> Path:
    """The private directory for the sockets of the server on ``directory``."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    parent = Path(base) if base and Path(base).is_dir() else Path(os.environ.get("TMPDIR") or _TEMPORARY)
    return parent / f"qserver-{os.getuid()}-{identity(directory)}"
