"""Single Workers and Managers as processes, for tests that need one of them, or two of the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO_STARTUP = (REPOSITORY / "examples" / "startup").resolve()
COMMANDS = Path(sys.executable).parent


class WorkerProcess:
    """A Worker on a unix socket below ``directory``, which must be short, or at an address of its own."""

    def __init__(
        self,
        directory: Path,
        startup: Path = DEMO_STARTUP,
        *options: str,
        listen: str = "",
        clock: Path | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        """With ``clock``, its wall clock is wrong by what this file says; ``inside`` are words before its command."""
        kind = "--startup-dir" if startup.is_dir() else "--startup-script"
        under = ["tests.harness.jumping_clock", str(clock)] if clock is not None else []
        self._command = [*inside, sys.executable, "-m", *under, "queueserver_worker"]
        self._command += ["--listen", listen or f"unix:{directory / 'worker.sock'}"]
        self._command += ["--state-dir", str(directory / "worker")]
        self._command += [kind, str(startup), *options]
        (directory / "worker").mkdir(exist_ok=True)
        self.process = self._start()

    def restart(self) -> None:
        """Start it again on the same socket and the same state; it must have ended."""
        self.process.close()
        self.process = self._start()

    def close(self) -> None:
        """End it. May be called again."""
        self.process.close()

    def _start(self) -> TestProcess:
        process = TestProcess("Worker", self._command, environment=_search_path())
        self.address = process.wait_ready()
        return process


class ManagerProcess:
    """A Manager on a free port of the loopback interface; a restart keeps the port."""

    def __init__(
        self,
        redis_url: str,
        worker_address: str,
        *options: str,
        instance_id: str = "",
        stretches: Path | None = None,
        clock: Path | None = None,
        host: str = "127.0.0.1",
        inside: Sequence[str] = (),
    ) -> None:
        """With ``stretches``, a path for a socket, its event loop is measured (``loop_stretches.py``).

        With ``clock``, its wall clock is wrong by what this file says (``jumping_clock.py``). ``inside`` are words
        before its command, for a network in which it has the address ``host``.
        """
        under = ["tests.harness.loop_stretches", str(stretches)] if stretches is not None else []
        under += ["tests.harness.jumping_clock", str(clock)] if clock is not None else []
        self._command = [*inside, sys.executable, "-m", *under, "queueserver_manager"]
        self._redis_url = redis_url
        self._worker_address = worker_address
        self._options = [*options, *(["--instance-id", instance_id] if instance_id else [])]
        self.address = f"{host}:{reserved_port()}"
        self.process = self._start()

    def restart(self) -> None:
        """Start it again with the same options and the same port; it must have ended."""
        self.process.close()
        self.process = self._start()

    def close(self) -> None:
        """End it. May be called again."""
        self.process.close()

    def _start(self) -> TestProcess:
        command = [*self._command, "--listen", self.address]
        command += ["--redis", self._redis_url, "--worker", self._worker_address, *self._options]
        process = TestProcess("Manager", command, environment=_search_path())
        self.address = process.wait_ready()
        return process


class BridgeProcess:
    """A 0MQ bridge to a Manager, on free ports of the loopback interface."""

    def __init__(
        self,
        manager_address: str,
        *options: str,
        environment: Mapping[str, str] | None = None,
        stretches: Path | None = None,
    ) -> None:
        """With ``stretches``, a path for a socket, its event loop is measured (``loop_stretches.py``)."""
        under = ["tests.harness.loop_stretches", str(stretches)] if stretches is not None else []
        command = [sys.executable, "-m", *under, "queueserver_zmq_bridge", "--manager", manager_address]
        command += ["--zmq-control-addr", "tcp://127.0.0.1:0", "--zmq-info-addr", "tcp://127.0.0.1:0", *options]
        self.process = TestProcess("bridge", command, environment={**_search_path(), **(environment or {})})
        #: The control socket.
        self.address = self.process.wait_ready()

    @property
    def info_address(self) -> str:
        """The information socket."""
        return self.process.output.wait_for("information socket publishes on ").split()[-1]

    def close(self) -> None:
        """End it. May be called again."""
        self.process.close()


def _search_path() -> dict[str, str]:
    return {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
