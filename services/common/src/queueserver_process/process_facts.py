"""Facts about a process of ours, for people who ask: its Python, its libraries, since when it runs."""

from __future__ import annotations

import os
import platform
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

_MAX_TEXT = 200
_MAX_VALUE = 1_000


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """Facts that do not change while the process runs."""

    #: Of our own part.
    version: str
    #: Versions by the name under which a library is installed.
    libraries: dict[str, str]
    python: str = field(default_factory=lambda: f"{platform.python_implementation()} {platform.python_version()}")
    executable: str = field(default_factory=lambda: sys.executable or "")
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    #: Seconds since the epoch.
    started: float = field(default_factory=time.time)
    _begun: float = field(default_factory=time.monotonic)

    @property
    def uptime(self) -> float:
        """Seconds since these facts were taken, at the start of the process."""
        return time.monotonic() - self._begun


def shown_value(value: object) -> str:
    """A setting or a path as text for a message: any bytes of a path, and not too long."""
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def versions_of(names: Iterable[str]) -> dict[str, str]:
    """Versions of those that are installed."""
    found = {}
    for name in names:
        try:
            known: object = version(name)
        except PackageNotFoundError:
            continue
        # Damaged metadata has none.
        if isinstance(known, str):
            found[name] = known[:_MAX_TEXT]
    return found
