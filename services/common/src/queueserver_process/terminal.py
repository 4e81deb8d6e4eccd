"""Text for a terminal, a pipe or a file that may not take it: after Ctrl-S, with no reader, on a full disk.

Guarantees: writing never waits, whatever happens at the other end; what is written appears in order; where text is
left out because too much of it waits or the disk is full, a line in its place says how many characters that were.
Does not guarantee that text arrives: what still waits when the process is killed is gone.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from typing import TextIO

LIMIT_CHARACTERS = 256 * 1024
"""This much text may wait, and as much again may be on its way."""
_CLOSE_SECONDS = 0.5
#: A file on a disk that is full may be written later.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Terminal:
    """Writes to `stream`'s file descriptor, which it does not own, in a thread of its own.

    `left_out` completes the line "[123 characters … left out: …]", for example "of the log". Without a stream (a
    process may be started without standard output) text goes nowhere.
    """

    def __init__(self, stream: TextIO | None, left_out: str, limit: int = LIMIT_CHARACTERS) -> None:
        self._left_out = left_out
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: list[str] = []
        self._size = 0
        self._dropped = 0
        self._closed = stream is None
        if stream is not None:
            self._encoding = stream.encoding or "utf-8"
            self._thread = threading.Thread(target=self._run, args=(stream.fileno(),), name="terminal", daemon=True)
            self._thread.start()

    def write(self, text: str) -> None:
        """Have text written soon. Any thread may call it."""
        with self._changed:
            if self._closed:
                return
            # Once something was left out, later text is left out too, until the line that says so has room.
            if self._dropped or self._size + len(text) > self._limit:
                self._dropped += len(text)
            else:
                self._waiting.append(text)
                self._size += len(text)
            self._changed.notify()

    def close(self, seconds: float = _CLOSE_SECONDS) -> None:
        """Write what waits, for at most that long, and take nothing more. May be called again."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self, descriptor: int) -> None:
        at_line_start = True
        lost = 0
        while text := self._next(at_line_start=at_line_start):
            told = f"[{lost} characters {self._left_out} left out: the disk was full]\n" if lost else ""
            try:
                _write_all(descriptor, (told + text).encode(self._encoding, "replace"))
            except OSError as error:
                if error.errno in _FULL:
                    lost += len(text)
                    continue
                # The terminal or the reader is gone: there is no one to tell.
                with self._changed:
                    self._closed = True
                return
            lost = 0
            at_line_start = text.endswith("\n")

    def _next(self, *, at_line_start: bool) -> str:
        """Everything that waits; an empty text at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._dropped or self._closed)
            text = "".join(self._waiting)
            dropped, self._dropped = self._dropped, 0
            self._waiting.clear()
            self._size = 0
        if dropped:
            begin = "" if (text.endswith("\n") if text else at_line_start) else "\n"
            text += f"{begin}[{dropped} characters {self._left_out} left out: they came faster than they were read]\n"
        return text


class TerminalHandler(logging.Handler):
    """Sends the log to a stream without ever waiting for it."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._terminal = Terminal(stream, "of the log")

    def emit(self, record: logging.LogRecord) -> None:
        """Have a line written."""
        try:
            self._terminal.write(f"{self.format(record)}\n")
        except Exception as error:  # noqa: BLE001 - protects the caller of the log from arguments that can't be formatted
            # Not logging's way, which writes to standard error itself and waits for it.
            where = (record.pathname, record.lineno)
            told = logging.LogRecord(record.name, logging.ERROR, *where, "Line not formatted: %r", (error,), None)
            self._terminal.write(f"{self.format(told)}\n")

    def close(self) -> None:
        """Write what waits, for a short time. Called by logging at the end of the process."""
        self._terminal.close()
        super().close()


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
