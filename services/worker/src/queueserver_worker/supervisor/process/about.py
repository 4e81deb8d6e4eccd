"""Facts about the Worker and its environment, for people who ask.

Guarantees: a request waits at most two seconds for git and never for the environment; what the environment reports
is cut to a bounded size; nothing here delays the opening of an environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from async_timeout import timeout
from queueserver.common.v1 import process_pb2 as pb
from queueserver.worker.v1.environment_channel_pb2 import EnvironmentAbout
from queueserver_process.process_facts import ProcessFacts, shown_value

from queueserver_worker.supervisor.process.code_revision import find_revision

_PATIENCE: Final = 2.0
_MOST_LIBRARIES, _LONGEST_WORD = 50, 200
_KINDS: Final = {
    "--startup-dir": pb.STARTUP_SOURCE_KIND_DIRECTORY,
    "--startup-script": pb.STARTUP_SOURCE_KIND_SCRIPT,
    "--startup-module": pb.STARTUP_SOURCE_KIND_MODULE,
}
_NOT_YET: Final = "git has not answered yet: ask again in a moment."


class About:
    """Facts about one Worker. Its methods are called in the loop."""

    def __init__(self, facts: ProcessFacts, source: tuple[str, str], settings: Mapping[str, str]) -> None:
        """`source` are the option and the value that say where the startup code is."""
        self._facts = facts
        self._settings = settings
        self._code = pb.StartupCode(
            kind=_KINDS.get(source[0], pb.STARTUP_SOURCE_KIND_UNSPECIFIED), source=shown_value(source[1])
        )
        self._path = "" if self._code.kind == pb.STARTUP_SOURCE_KIND_MODULE else source[1]
        self._environment: pb.ProcessInfo | None = None
        self._pid, self._opened, self._begun = 0, 0.0, 0.0
        self._revision: asyncio.Future[pb.CodeRevision | None] | None = None

    def opening(self, pid: int) -> None:
        """An environment process was started."""
        self.gone()
        self._pid, self._opened, self._begun = pid, time.time(), time.monotonic()
        if self._path:
            self._look(Path(self._path))

    def update(self, about: EnvironmentAbout) -> None:
        """The environment reported its facts."""
        process = about.process
        libraries = sorted(process.libraries.items())[:_MOST_LIBRARIES]
        self._environment = pb.ProcessInfo(
            version=self._facts.version,
            python=process.python[:_LONGEST_WORD],
            executable=shown_value(process.executable),
            host=self._facts.host,
            pid=self._pid,
            libraries={name[:_LONGEST_WORD]: version[:_LONGEST_WORD] for name, version in libraries},
        )
        self._environment.start_time.FromNanoseconds(int(self._opened * 1e9))
        self._code.path = shown_value(about.startup_path)
        if self._revision is None and about.startup_path:
            self._look(Path(about.startup_path))

    def gone(self) -> None:
        """There is no environment any more."""
        self._environment = self._revision = None

    async def info(self) -> pb.WorkerInfo:
        """Everything that is known now."""
        info = pb.WorkerInfo(worker=process_info(self._facts), startup_code=self._code)
        info.settings.extend(pb.Setting(name=name, value=shown_value(value)) for name, value in self._settings.items())
        if self._path:
            info.startup_code.path = shown_value(self._path)
        if self._environment is not None:
            info.environment.CopyFrom(self._environment)
            info.environment.uptime.FromNanoseconds(int((time.monotonic() - self._begun) * 1e9))
        if self._revision is not None:
            revision = await _within_patience(self._revision)
            if revision is not None:
                info.startup_code.revision.CopyFrom(revision)
        return info

    def _look(self, path: Path) -> None:
        """Ask git in a separate thread, which may stay behind when the disk does not answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[pb.CodeRevision | None] = loop.create_future()
        self._revision = answer

        def look() -> None:
            found = find_revision(path)
            # The loop is closed already when the service ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(answer.set_result, found)

        threading.Thread(target=look, name="code-revision", daemon=True).start()


def process_info(facts: ProcessFacts) -> pb.ProcessInfo:
    """Facts as a message."""
    info = pb.ProcessInfo(
        version=facts.version,
        python=facts.python,
        executable=shown_value(facts.executable),
        host=shown_value(facts.host),
        pid=facts.pid,
        libraries=facts.libraries,
    )
    info.start_time.FromNanoseconds(int(facts.started * 1e9))
    info.uptime.FromNanoseconds(int(facts.uptime * 1e9))
    return info


async def _within_patience(answer: asyncio.Future[pb.CodeRevision | None]) -> pb.CodeRevision | None:
    try:
        async with timeout(_PATIENCE):
            return await asyncio.shield(answer)
    except asyncio.TimeoutError:
        return pb.CodeRevision(problem=_NOT_YET)
