"""Files that other processes read at any time."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Give a file this text, unless it has it already; no reader ever sees a part of it. Raises OSError."""
    # A symbolic link stays one. Unlike Path.resolve this follows any number of links.
    path = Path(os.path.realpath(path))
    content = text.encode()
    if _content_of(path) == content:
        return
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _content_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
