"""A whole Queue Server for a test, started by ``start-re-manager`` as a person would start it."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import psutil  # type: ignore[import-untyped]  # it has no type information

from tests.harness.ports import reserved_port
from tests.harness.process import ProcessError, TestProcess, kill_process, wait_until_gone
from tests.harness.services import COMMANDS, DEMO_STARTUP

Part = Literal["redis", "worker", "manager", "environment", "bridge"]
_MARK = "QUEUESERVER_TEST_STACK"
_STOP_SECONDS = 45.0
_PARTS: dict[Part, Callable[[str], bool]] = {
    "redis": lambda line: "redis-server" in line,
    "worker": lambda line: "queueserver_worker" in line and "queueserver_environment" not in line,
    "manager": lambda line: "queueserver_manager" in line,
    "environment": lambda line: "queueserver_environment" in line,
    "bridge": lambda line: "queueserver_zmq_bridge" in line,
}


class Stack:
    """Redis, Worker and Manager below one start-re-manager, in a directory of their own."""

    def __init__(self, directory: Path, *options: str, startup: Path = DEMO_STARTUP, bridge: str = "OFF") -> None:
        """``directory`` must be short, since it holds unix sockets. ``options`` go to start-re-manager.

        There is no 0MQ bridge unless an option says otherwise, or ``bridge`` is empty: then nothing is said about it.
        """
        self.data_directory = directory / "data"
        self.runtime_directory = directory / "run"
        self.runtime_directory.mkdir(mode=0o700)
        self._startup = startup
        self._options = options
        self._bridge = bridge
        self._token = secrets.token_hex(8)
        self.address = f"127.0.0.1:{reserved_port()}"
        self.process: TestProcess | None = None

    @property
    def supervisor(self) -> TestProcess:
        """The process of start-re-manager."""
        if self.process is None:
            raise AssertionError("the stack was not started")
        return self.process

    @property
    def redis_socket(self) -> Path:
        """Socket of the embedded Redis. ProcessError if there is none."""
        found = list(self.runtime_directory.glob("*/redis"))
        if len(found) != 1:
            raise ProcessError(f"expected one socket of Redis, found {found}")
        return found[0]

    def start(self) -> None:
        """Start it, or start it again on the same data and the same port; waits until it is ready."""
        self.address = self.launch().wait_ready()

    def launch(self) -> TestProcess:
        """Start it without waiting until it is ready."""
        kind = "--startup-dir" if self._startup.is_dir() else "--startup-script"
        command: list[str | Path] = [COMMANDS / "start-re-manager", "--listen", self.address]
        command += ["--data-dir", self.data_directory, kind, self._startup]
        # Startup code of tests lies in the repository, and stacks share it: none of them is to write there.
        command += ["--update-existing-plans-devices", "NEVER", *self._options]
        environment = {
            _MARK: self._token,
            "XDG_RUNTIME_DIR": str(self.runtime_directory),
            "QSERVER_ZMQ_BRIDGE": self._bridge,
        }
        self.process = TestProcess("start-re-manager", command, environment=environment)
        return self.process

    def stop(self) -> int:
        """Stop it as Ctrl-C does; answers the exit code."""
        self.supervisor.send(signal.SIGINT)
        return self.supervisor.wait(_STOP_SECONDS)

    def kill_all(self) -> None:
        """``kill -9`` of the supervisor, and with it of everything: a power failure without the darkness."""
        pids = self.pids()
        self.supervisor.kill()
        for pid in pids:
            wait_until_gone(pid)

    def pid(self, part: Part) -> int:
        """Process id of a part. ProcessError if there is not exactly one."""
        found = [int(process.pid) for process in self._descendants() if _PARTS[part](_command_line(process))]
        if len(found) != 1:
            raise ProcessError(f"expected one {part} process, found {found}; the log was:\n{self.supervisor.output}")
        return found[0]

    def pids(self) -> list[int]:
        """Process ids of everything below the supervisor."""
        return [int(process.pid) for process in self._descendants()]

    def kill(self, part: Part, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill a part and wait until it is gone. The supervisor starts it again, except an environment."""
        kill_process(self.pid(part), number)

    def kill_and_wait_for_restart(self, part: Literal["redis", "worker", "manager"]) -> None:
        """Kill a part and wait until the supervisor has started it again and it is ready."""
        seen = len(self.supervisor.output.lines())
        self.kill(part)
        self.supervisor.output.wait_for(f"{part.capitalize()} runs again", after=seen)

    def log(self) -> str:
        """Last lines of the log of all parts."""
        return str(self.supervisor.output) if self.process is not None else "(not started)"

    def close(self) -> None:
        """Stop it if it runs, kill what is left, and fail if something of it outlived its supervisor."""
        if self.process is None:
            return
        if self.process.running:
            self.stop()
        self.process.close()
        orphans = [process for process in psutil.process_iter() if self._is_ours(process)]
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError):
                kill_process(orphan.pid)
        if orphans:
            raise ProcessError(f"left behind: {orphans}; the log was:\n{self.log()}")

    def _descendants(self) -> list[psutil.Process]:
        children: list[psutil.Process] = psutil.Process(self.supervisor.pid).children(recursive=True)
        return children

    def _is_ours(self, process: psutil.Process) -> bool:
        # redis-server overwrites its environment with its title, which names the socket
        try:
            return process.environ().get(_MARK) == self._token or str(self.runtime_directory) in _command_line(process)
        except psutil.Error:
            return False


@contextlib.contextmanager
def running_stack(*options: str, startup: Path = DEMO_STARTUP) -> Iterator[Stack]:
    """A stack on a fresh data directory; it and all its processes are gone afterwards."""
    with short_directory() as directory:
        stack = Stack(directory, *options, startup=startup)
        try:
            stack.start()
            yield stack
        finally:
            stack.close()


@contextlib.contextmanager
def short_directory() -> Iterator[Path]:
    """A temporary directory whose path is short enough for unix sockets below it."""
    directory = Path(tempfile.mkdtemp(prefix="qs"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
