"""The report to the parent process that a service is ready: on an inherited pipe, a line for each step."""

from __future__ import annotations

import contextlib
import os

#: A parent that waits until a service is ready passes the number of an inherited pipe here. The service writes
#: the address it listens on and a newline to it.
READY_FD_VARIABLE = "QUEUESERVER_READY_FD"
#: A parent that sets this to 1 gets more lines: one of those below whenever that becomes so.
READY_STEPS_VARIABLE = "QUEUESERVER_READY_STEPS"
#: It owns the queue, and reaches Redis and the Worker.
SERVING_LINE = "serving"
#: Another Manager owns the queue; its address follows.
STANDBY_LINE = "standby"
#: It waits; a sentence says for what.
WAITING_LINE = "waiting"
#: A client has requested the end of the whole server.
STOP_LINE = "stop"
#: From a 0MQ bridge: a client has requested that the Manager is killed and started again.
KILL_LINE = "kill"


class ReadyPipe:
    """Reports to the parent process, if it asked, how far the start has come. What it does not read is lost."""

    def __init__(self) -> None:
        number = os.environ.pop(READY_FD_VARIABLE, "")
        self._descriptor = int(number) if number.isdigit() else -1
        self._wants_steps = os.environ.pop(READY_STEPS_VARIABLE, "") == "1"

    @property
    def is_listening(self) -> bool:
        """The parent process wants reports of further steps."""
        return self._wants_steps and self._descriptor >= 0

    def ready(self, address: str) -> None:
        """The service listens on ``address``, and gives true answers."""
        self._write(address)
        if not self._wants_steps:
            self.close()

    def step(self, line: str) -> None:
        """A further step; harmless when the parent does not want it."""
        self._write(line)

    def _write(self, line: str) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, f"{line}\n".encode())

    def close(self) -> None:
        """Nothing more will be reported. May be called again."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1


def announce_ready(address: str) -> None:
    """Report to the parent process, if it asked, that the service listens on ``address``, and nothing more."""
    pipe = ReadyPipe()
    pipe.ready(address)
    pipe.close()
