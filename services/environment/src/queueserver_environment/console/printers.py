"""Who prints: text from background tasks and simulations goes to the supervisor with the name of its writer.

Guarantees: what they write by Python's own means, in their own thread, is reported as theirs, in order and before their
end; what other code writes goes where it always went.
Does not guarantee that for threads and processes that they start, nor for what bypasses `sys.stdout`: it appears as
text of the foreground.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from queueserver_environment.messages.states import ConsoleStream

MAX_WAITING: Final = 8_000
"""Characters of an unfinished line that wait for its end."""
MAX_PIECE: Final = 1_000_000
"""Characters that are sent at once."""
Stream: TypeAlias = ConsoleStream
Tell: TypeAlias = Callable[[ConsoleStream, str], None]


class _Current(threading.local):
    """Where the text of the present thread goes; None for the streams themselves."""

    printer: "ThreadPrinter | None" = None


_current: Final = _Current()


class ThreadPrinter:
    """Collects what one thread writes and sends it line by line."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._waiting: dict[Stream, str] = {}

    def write(self, stream: Stream, text: str) -> None:
        """Take text; pass it on up to the last end of a line."""
        waiting = self._waiting.pop(stream, "") + text
        end = waiting.rfind("\n") + 1
        if len(waiting) - end > MAX_WAITING:
            end = len(waiting)
        self._pass_on(stream, waiting[:end])
        if waiting[end:]:
            self._waiting[stream] = waiting[end:]

    def flush(self) -> None:
        """Pass everything on."""
        waiting, self._waiting = self._waiting, {}
        for stream, text in waiting.items():
            self._pass_on(stream, text)

    def _pass_on(self, stream: Stream, text: str) -> None:
        for begin in range(0, len(text), MAX_PIECE):
            piece = text[begin : begin + MAX_PIECE]
            # As standard error prints it: halves of surrogate pairs are not text that a message can carry.
            self._tell(stream, piece.encode("utf-8", "backslashreplace").decode("utf-8"))


def current_printer() -> ThreadPrinter | None:
    """Where the text of the present thread goes; None for the streams themselves."""
    return _current.printer


@contextmanager
def printing_told(tell: Tell) -> Iterator[None]:
    """Send what the present thread writes in this context, instead of writing it."""
    printer = ThreadPrinter(tell)
    _current.printer = printer
    try:
        yield
    finally:
        _current.printer = None
        printer.flush()
