"""A terminal as a person has it: a pseudo-terminal with a program in its foreground, and what stands on its screen."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyte
import pyte.modes

from tests.harness.process import ProcessError, on_leash, wait_until_gone

#: Generous: it only decides how long a broken test takes to fail.
SECONDS = 30.0
CTRL_C = b"\x03"
CTRL_Z = b"\x1a"
CTRL_S, CTRL_Q = b"\x13", b"\x11"
#: Makes the terminal the one from which the program is controlled.
_IN_FOREGROUND = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


class _Screen(pyte.Screen):
    """A screen with what pyte lacks: an alternate one, and a cursor that stays on the last character of a full line."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self._primary: Any = None

    @property
    def is_alternate(self) -> bool:
        return self._primary is not None

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        column = self.cursor.x
        self.cursor.x = min(column, self.columns - 1)
        super().erase_in_line(how, private)
        self.cursor.x = column

    def set_mode(self, *modes: int, **options: Any) -> None:
        if options.get("private") and 1049 in modes and self._primary is None:
            self._primary = copy.deepcopy(dict(self.buffer)), copy.copy(self.cursor)
            self.erase_in_display(2)
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes: int, **options: Any) -> None:
        super().reset_mode(*modes, **options)
        if options.get("private") and 1049 in modes and self._primary is not None:
            buffer, self.cursor = self._primary
            self.buffer.clear()
            self.buffer.update(buffer)
            self._primary = None


class TerminalWindow:
    """A program in a terminal of its own."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, columns: int = 80, lines: int = 24
    ) -> None:
        self._screen = _Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self._ended = False
        #: All that was written.
        self.written = b""
        self._master, self._slave = os.openpty()
        self._closed, self._closing = os.pipe()
        self._set_size(columns, lines)
        self.modes_before = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            on_leash([sys.executable, "-c", _IN_FOREGROUND, *command]),
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment},
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """The screen as it is now, without what is blank at the end of lines."""
        with self._changed:
            return self._text()

    @property
    def is_as_before(self) -> bool:
        """The program has left the terminal as it found it."""
        with self._changed:
            modes = {pyte.modes.DECTCEM, pyte.modes.DECAWM}
            is_usual = not self._screen.is_alternate and modes <= self._screen.mode and not self._screen.cursor.hidden
            return is_usual and termios.tcgetattr(self._slave) == self.modes_before

    def wait_for(self, wanted: str | Callable[[str], bool], within: float = SECONDS) -> str:
        """Wait until a text stands on the screen, or the screen fulfils a condition; answers the screen."""
        fits: Callable[[str], bool] = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        with self._changed:
            found = self._changed.wait_for(lambda: self._ended or fits(self._text()), within)
            text = self._text()
        if not found or not fits(text):
            raise ProcessError(f"{wanted!r} did not appear within {within:.0f} s; the screen was:\n{text}")
        return text

    def wait_until_written(self, wanted: bytes, within: float = SECONDS) -> None:
        """Wait until the program has written something."""
        with self._changed:
            if not self._changed.wait_for(lambda: wanted in self.written, within):
                raise ProcessError(f"{wanted!r} was not written; the screen was:\n{self._text()}")

    def type(self, keys: bytes) -> None:
        """Type keys, such as Ctrl-C."""
        os.write(self._master, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size."""
        with self._changed:
            self._screen.resize(lines, columns)
            self._screen.erase_in_display(2)
        self._set_size(columns, lines)

    def hang_up(self) -> None:
        """Close the window while the program runs in it."""
        os.close(self._closing)
        self._thread.join(SECONDS)
        self._closing = -1

    def wait(self, within: float = SECONDS) -> int:
        """Wait for the end of the program and of all that it has written; answers its exit code."""
        if self.process.poll() is None:
            wait_until_gone(self.process.pid, within)
        code = self.process.wait()
        if self._closing >= 0:
            self._sync()
        return code

    def close(self) -> None:
        """End the program if it runs, and close the window."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._closing >= 0:
            self.hang_up()
        os.close(self._slave)

    def _sync(self) -> None:
        """Wait until what was written before has been read."""
        mark = b"\x1b[990m"  # no style has this number
        os.write(self._slave, mark)
        self.wait_until_written(mark)

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def _read(self) -> None:
        while self._closed not in select.select([self._master, self._closed], [], [])[0]:
            data = os.read(self._master, 65536)
            with self._changed:
                self.written += data
                self._stream.feed(data)
                self._changed.notify_all()
        os.close(self._master)
        os.close(self._closed)
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextlib.contextmanager
def terminal_window(*command: str, columns: int = 80, lines: int = 24, **environment: str) -> Iterator[TerminalWindow]:
    """A window for as long as the context lasts."""
    window = TerminalWindow(command, environment, columns=columns, lines=lines)
    try:
        yield window
    finally:
        window.close()
