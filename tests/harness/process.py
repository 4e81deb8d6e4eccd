"""Processes that tests start: wait for their readiness, read their output, kill them, be sure they are gone.

Everything here blocks with a bound and needs no event loop, so that fixtures of any scope can use it. Waiting
for the end of a process waits on the kernel's own event for it (a pidfd), also for processes of others.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from queueserver_process import parent_death

#: The variable by which services are told of a pipe on which to say where they listen.
READY_FD_VARIABLE = "QUEUESERVER_READY_FD"
START_SECONDS = 60.0
END_SECONDS = 60.0


class ProcessError(AssertionError):
    """A process of a test did not do what it must: start, say something, or end."""


class Output:
    """What a process writes, line by line, with a way to wait for a line."""

    def __init__(self, file_descriptor: int) -> None:
        self._lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(file_descriptor,), daemon=True)
        self._thread.start()

    def lines(self) -> list[str]:
        """Everything so far."""
        with self._changed:
            return list(self._lines)

    def wait_for(self, wanted: str | Callable[[str], bool], within: float = START_SECONDS, *, after: int = 0) -> str:
        """Wait for a line that contains ``wanted`` (or fulfils it), from line number ``after`` on; answers it."""
        fits: Callable[[str], bool] = (lambda line: wanted in line) if isinstance(wanted, str) else wanted
        with self._changed:
            self._changed.wait_for(lambda: self._ended or any(map(fits, self._lines[after:])), within)
            found = next(filter(fits, self._lines[after:]), None)
        if found is None:
            raise ProcessError(f"no line with {wanted!r} within {within:.0f} s; the output was:\n{self}")
        return found

    def wait_until_ended(self, within: float = END_SECONDS) -> None:
        """Wait until nobody can write any more."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended, within):
                raise ProcessError(f"somebody still holds the output after {within:.0f} s")

    def _read(self, file_descriptor: int) -> None:
        with os.fdopen(file_descriptor, encoding="utf-8", errors="replace") as pipe:
            for line in pipe:
                with self._changed:
                    self._lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __str__(self) -> str:
        return "\n".join(self.lines()[-200:])


class TestProcess:
    """A child process of the test."""

    __test__ = False

    def __init__(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        environment: Mapping[str, str] | None = None,
        working_directory: Path | None = None,
        announces: bool = True,
    ) -> None:
        """Start ``command``; with ``announces`` it will say on the readiness pipe where it listens."""
        self.name = name
        ready_read, ready_write = os.pipe()
        output_read, output_write = os.pipe()
        ready = {READY_FD_VARIABLE: str(ready_write)} if announces else {}
        try:
            self._process = subprocess.Popen(
                on_leash([os.fspath(word) for word in command]),
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {}), **ready},
                cwd=working_directory,
                stdin=subprocess.DEVNULL,
                stdout=output_write,
                stderr=output_write,
                pass_fds=[ready_write] if announces else [],
                start_new_session=True,
            )
        finally:
            os.close(ready_write)
            os.close(output_write)
        self._ready = ready_read
        self.output = Output(output_read)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    def wait_ready(self, within: float = START_SECONDS) -> str:
        """Wait until it says where it listens; answers that."""
        deadline = time.monotonic() + within
        text = b""
        while b"\n" not in text:
            readable, _, _ = select.select([self._ready], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._ready, 4096) if readable else b""
            if not chunk:
                raise ProcessError(f"{self.name} did not become ready; it wrote:\n{self.output}")
            text += chunk
        # Whatever else it says behind that is no part of the address.
        return text.decode().splitlines()[0].strip()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.running:
            self._process.send_signal(number)

    def wait(self, within: float = END_SECONDS) -> int:
        """Wait for its end; answers the exit code, negative for a signal."""
        if self.running:
            wait_until_gone(self.pid, within)
        return self._process.wait()

    def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self, within: float = END_SECONDS) -> int:
        """SIGTERM, and wait for its end; answers the exit code."""
        self.send(signal.SIGTERM)
        return self.wait(within)

    def close(self) -> None:
        """Kill it if it still runs, and free what the test holds of it. May be called again."""
        self.kill()
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1


def on_leash(command: list[str]) -> list[str]:
    """The command, made to die with the test run: whoever kills pytest must not leave servers behind.

    The kernel watches the thread that starts the process, so start processes on pytest's own thread.
    """
    executable = shutil.which(command[0])
    if executable is None:
        raise ProcessError(f"there is no command {command[0]}")
    return [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), executable, *command]


def wait_until_gone(pid: int, within: float = END_SECONDS) -> None:
    """Wait until a process, of whomever, has ended. One that is gone already is fine."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        if not poll.poll(within * 1000):
            raise ProcessError(f"process {pid} still runs after {within:.0f} s")
    finally:
        os.close(handle)


def kill_process(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process and wait until it is gone."""
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)
    wait_until_gone(pid)
