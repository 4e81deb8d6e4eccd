"""A gate in a plan of a test: the plan waits at a named pipe until the test opens it, so nothing depends on timing."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterator
from pathlib import Path


class Gate:
    """A named pipe; each byte in it lets one waiting plan pass, now or later."""

    def __init__(self, path: Path) -> None:
        #: What the plan is given.
        self.path = str(path)
        os.mkfifo(path)
        # Opened for both, so that it holds bytes while no plan has it open.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def open(self, times: int = 1) -> None:
        """Let waiting plans pass, one after another."""
        os.write(self._pipe, b"." * times)

    def shut(self) -> None:
        """Take back what let nobody pass so far."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._pipe, 4096)

    def wait_until_told(self, within: float = 30.0) -> None:
        """Wait until a plan wrote a byte itself. AssertionError if it does not come in time."""
        readable, _, _ = select.select([self._pipe], [], [], within)
        if not readable:
            raise AssertionError(f"nothing was told at {self.path} within {within:.0f} s")
        os.read(self._pipe, 1)

    def close(self) -> None:
        """Forget the pipe."""
        os.close(self._pipe)


@contextlib.contextmanager
def gate_in(directory: Path, name: str = "gate") -> Iterator[Gate]:
    """A gate for as long as the context lasts."""
    gate = Gate(directory / name)
    try:
        yield gate
    finally:
        gate.close()
