"""Who prints: text that background tasks and simulations write goes to the supervisor with the name of its writer.

Guarantees: what they write with Python's own means, in their own thread, is told as theirs, in order and before their
end; what anybody else writes goes where it always went.
Does not guarantee that of threads and processes that they start, nor of what goes round `sys.stdout`: it appears as
text of what goes on in the foreground.
"""

import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO, TypeAlias

from queueserver.common.v1.console_pb2 import CONSOLE_STREAM_STDERR, CONSOLE_STREAM_STDOUT, ConsoleStream

MAX_WAITING: Final = 8_000
"""Characters of an unfinished line that wait for its end."""
Stream: TypeAlias = "ConsoleStream.ValueType"
Tell: TypeAlias = "Callable[[ConsoleStream.ValueType, str], None]"


class _Printer(threading.local):
    """Where the text of the present thread goes; None for the streams themselves."""

    current: "ThreadPrinter | None" = None


_printer: Final = _Printer()


class ThreadPrinter:
    """Collects what one thread writes and tells it line by line."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._waiting: dict[Stream, str] = {}

    def write(self, stream: Stream, text: str) -> None:
        """Take text; pass it on up to the last end of a line."""
        waiting = self._waiting.pop(stream, "") + text
        end = waiting.rfind("\n") + 1
        if len(waiting) - end > MAX_WAITING:
            end = len(waiting)
        if end:
            self._tell(stream, waiting[:end])
        if waiting[end:]:
            self._waiting[stream] = waiting[end:]

    def flush(self) -> None:
        """Pass everything on."""
        for stream, text in self._waiting.items():
            self._tell(stream, text)
        self._waiting.clear()


class _ThreadAwareStream(io.TextIOWrapper):
    """A standard stream that leaves the text of some threads to their printers."""

    def __init__(self, inner: TextIO, stream: Stream) -> None:
        # The inner stream keeps its buffer too; it is written to by whoever kept a reference, and stays open with us.
        super().__init__(
            inner.buffer, encoding=inner.encoding, errors=inner.errors, line_buffering=True, write_through=True
        )
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or hand over."""
        printer = _printer.current
        if printer is None:
            return super().write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        printer.write(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Flush, or let the printer."""
        printer = _printer.current
        if printer is None:
            super().flush()
        else:
            printer.flush()


def watch_streams() -> None:
    """Put streams that know who writes in place of the standard ones. Call it before anybody else keeps these."""
    sys.stdout = _ThreadAwareStream(sys.stdout, CONSOLE_STREAM_STDOUT)
    sys.stderr = _ThreadAwareStream(sys.stderr, CONSOLE_STREAM_STDERR)


@contextmanager
def printing_told(tell: Tell) -> Iterator[None]:
    """Tell what the present thread writes in this context, instead of writing it."""
    printer = ThreadPrinter(tell)
    _printer.current = printer
    try:
        yield
    finally:
        _printer.current = None
        printer.flush()
