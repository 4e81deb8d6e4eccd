"""Console text of the environment: read from the pipe that is its standard output or standard error, and shown once
more where the Worker was started (startup output, prints, live tables).

Guarantees: every byte that was written arrives, in order, as text; bytes that are not UTF-8 become U+FFFD; a piece
has at most 64 KiB; one iteration of the loop handles one piece, so that a flood blocks nothing else. The Worker never
waits for a reader of its output (see `queueserver_process.terminal`); what is left out there is noted there, and is
still published to every watcher.
Does not guarantee an order between the two pipes, nor pieces that are whole lines, nor that text and log lines, which
go to standard error, appear in the order in which they came.
"""

from __future__ import annotations

import array
import asyncio
import codecs
import fcntl
import os
import sys
import termios
from collections.abc import Callable

from queueserver_process.terminal import Terminal

Echo = Callable[[str], None]
"""Shows each piece of console text where the Worker was started. Called in the loop, so it must not wait."""
# A byte that is not UTF-8 becomes three (U+FFFD), so pieces stay below 64 KiB whatever is printed.
_READ_BYTES = 20 * 1024


class ConsolePipe:
    """The reading end of a pipe, which it owns from now on. `on_text` is called in the loop with each piece."""

    def __init__(self, descriptor: int, on_text: Callable[[str], None]) -> None:
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._on_text = on_text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._closed = False
        self._loop.add_reader(descriptor, self._read)

    def drain(self) -> None:
        """Pass on what is in the pipe at this moment; what is written meanwhile follows later."""
        if self._closed:
            return
        present = array.array("i", [0])
        fcntl.ioctl(self._descriptor, termios.FIONREAD, present)
        left = present[0]
        while left > 0:
            count = self._read()
            if count == 0:
                break
            left -= count

    def close(self) -> None:
        """Pass on what is in the pipe, then stop reading.

        Text of processes that the environment started and that outlive it is lost from then on.
        """
        self.drain()
        self._stop()

    def _read(self) -> int:
        """Pass on one piece; returns how many bytes it had, 0 if there was none."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return 0
        if not data:
            self._stop()
            return 0
        text = self._decoder.decode(data)
        if text:
            self._on_text(text)
        return len(data)

    def _stop(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        rest = self._decoder.decode(b"", final=True)
        if rest:
            self._on_text(rest)


def silence(_: str) -> None:
    """Show nothing."""


class ConsoleEcho:
    """Shows console text on the Worker's own standard output."""

    def __init__(self) -> None:
        self._terminal = Terminal(sys.stdout, "of the environment's output")

    def __call__(self, text: str) -> None:
        """Show a piece of text soon."""
        self._terminal.write(text)

    def close(self) -> None:
        """Show what waits, for a short time, and nothing after that."""
        self._terminal.close()
