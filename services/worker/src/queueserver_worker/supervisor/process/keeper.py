"""The environment's process from its start to its end: what ends it, when, and why it is gone.

Guarantees: a process that was told to end, or that broke off, is killed when its time is over; the reason
for its end is the first that fits: what it reported itself, what was done to it, how it died.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from queueserver.common.v1.environment_pb2 import EnvironmentFailure

from queueserver_worker.supervisor.process import failure
from queueserver_worker.supervisor.process.lifecycle import State
from queueserver_worker.supervisor.process.process import EnvironmentProcess, Launch, ProcessListener


class ProcessKeeper:
    """Keeps at most one process. Its methods are called in the loop."""

    def __init__(self, launch: Launch, listener: ProcessListener) -> None:
        self._launch = launch
        self._listener = listener
        self._process: EnvironmentProcess | None = None
        self._ending: failure.Ending | None = None
        self._reported: EnvironmentFailure | None = None
        self._killer: asyncio.TimerHandle | None = None

    @property
    def process(self) -> EnvironmentProcess | None:
        """The process, if there is one."""
        return self._process

    @property
    def about_to_kill(self) -> bool:
        """Whether it is killed soon unless it ends by itself."""
        return self._killer is not None

    def start(self) -> EnvironmentProcess:
        """Start a process. Raises OSError."""
        self._ending = self._reported = None
        self._process = EnvironmentProcess(self._launch.command, self._launch.startup, self._listener)
        return self._process

    def reported(self, why: EnvironmentFailure) -> None:
        """Remember why it says that it failed."""
        self._reported = failure.bounded(why)

    def set_ending(self, ending: failure.Ending) -> None:
        """Remember why it ends, or will."""
        self._ending = ending

    def kill_after(self, seconds: float, kill: Callable[[failure.Ending], None], ending: failure.Ending) -> None:
        """Call `kill` with `ending` if the process lives that long."""
        self._cancel_kill()
        self._killer = asyncio.get_running_loop().call_later(seconds, kill, ending)

    def kill(self, ending: failure.Ending) -> None:
        """Kill it now."""
        self._cancel_kill()
        self._ending = ending
        if self._process is not None:
            self._process.kill()

    def ended(
        self, state: State, returncode: int, *, paused: bool, simulating: bool, printed: str
    ) -> tuple[EnvironmentFailure | None, failure.Ending]:
        """Forget the process; returns why the environment is gone, None if all is well, and what that means.

        `printed` is what it wrote to standard error during its last work.
        """
        self._cancel_kill()
        self._process = None
        sentence = failure.describe_exit(state, returncode, paused=paused, simulating=simulating)
        ending = self._ending or failure.died(sentence)
        why = self._reported
        if why is None and ending.failure_message:
            why = EnvironmentFailure(message=ending.failure_message)
            if self._ending is None:
                why.traceback = printed
        if why is not None:
            why.exit_code = returncode
        return why, ending

    def _cancel_kill(self) -> None:
        if self._killer is not None:
            self._killer.cancel()
            self._killer = None
