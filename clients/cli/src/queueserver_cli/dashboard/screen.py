"""The terminal while the dashboard has it: a screen of its own, of which only lines that have changed are written."""

from __future__ import annotations

import contextlib
import io
import os
import select
import termios
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

#: A screen of its own, no cursor, and lines that are too long end at the edge.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_CLEAR = "\x1b[0m\x1b[2J"
#: Seconds that the terminal may take to be ready for the last text.
_PATIENCE_SECONDS = 1.0
_USUAL_SIZE = os.terminal_size((80, 24))


class Screen:
    """Takes the terminal and returns it as it was. Both may be repeated."""

    def __init__(self, output: int, keyboard: int) -> None:
        """File descriptors; the keyboard need not be a terminal."""
        self._output, self._keyboard = output, keyboard
        self._modes: list[int | list[bytes | int]] | None = None
        self._taken = False
        #: Content of the lines of the terminal; nothing is known about a line that is not there.
        self._lines: list[Text] = []
        self._size = _USUAL_SIZE
        self._console = _console(self._size)

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines of the terminal."""
        try:
            size = os.get_terminal_size(self._output)
        except OSError:
            return _USUAL_SIZE
        return size if size.columns and size.lines else _USUAL_SIZE

    def take(self) -> None:
        """Begin a separate screen on which typed keys do not appear."""
        if self._taken:
            return
        self._taken = True
        if os.isatty(self._keyboard):
            self._modes = termios.tcgetattr(self._keyboard)
            quiet = termios.tcgetattr(self._keyboard)
            quiet[3] &= ~termios.ECHO
            termios.tcsetattr(self._keyboard, termios.TCSANOW, quiet)
        self._write(_ENTER)
        self.forget()

    def give_back(self) -> None:
        """Leave the terminal as it was."""
        if not self._taken:
            return
        self._taken = False
        # A window that was closed, or has been stopped for good, must not keep the program from ending.
        with contextlib.suppress(OSError, termios.error):
            if self.accepts(_PATIENCE_SECONDS):
                self._write(_LEAVE)
            if self._modes is not None:
                termios.tcflush(self._keyboard, termios.TCIFLUSH)  # what was typed meanwhile was meant for nothing
                termios.tcsetattr(self._keyboard, termios.TCSANOW, self._modes)
        self._modes = None

    def forget(self) -> None:
        """The terminal was resized, or another program wrote to it: draw all of it the next time."""
        self._lines = []
        self._size = self.size
        self._console = _console(self._size)

    def accepts(self, within: float = 0.0) -> bool:
        """Whether the terminal accepts text, now or within this many seconds; one stopped with Ctrl-S does not."""
        poll = select.poll()
        poll.register(self._output, select.POLLOUT)
        return bool(poll.poll(within * 1000))

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines; at most as many as the terminal has."""
        parts = [] if self._lines else [_CLEAR]
        for at, line in enumerate(lines):
            if at >= len(self._lines) or not _same(self._lines[at], line):
                # After a line as wide as the terminal, the cursor is still on its last character.
                rest = "\x1b[K" if line.cell_len < self._size.columns else ""
                parts.append(f"\x1b[{at + 1};1H{self._coded(line)}\x1b[0m{rest}")
        self._lines = list(lines)
        if parts:
            self._write("".join(parts))

    def _coded(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, end="", no_wrap=True, overflow="ignore", crop=False)
        return captured.get()

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(self._output, data) :]


def _console(size: os.terminal_size) -> Console:
    """What puts styles into the terminal's code, with the colours that it has; NO_COLOR is respected."""
    return Console(file=io.StringIO(), force_terminal=True, width=size.columns, height=size.lines, highlight=False)


def _same(one: Text, other: Text) -> bool:
    return one.plain == other.plain and one.spans == other.spans and one.style == other.style
