"""The standard streams of the environment process, whatever user code does to them.

Guarantees: our own notes are written or lost, and never raise: they do not need `sys.stderr`, which user code may
close, replace or delete, nor descriptor 2, which it may close. Closing a standard stream does not close it. `repair`
makes streams and descriptors usable that are not, and says which were not.
Does not guarantee the place of text that is printed after a descriptor was closed and its number given to a file that
was opened then.
"""

import faulthandler
import fcntl
import io
import os
import sys
from contextlib import suppress
from typing import Any, Final

from queueserver_environment.console.printers import Stream, current_printer
from queueserver_environment.messages.states import ConsoleStream

_NUMBERS: Final[dict[Stream, int]] = {ConsoleStream.STDOUT: 1, ConsoleStream.STDERR: 2}
_NAMES: Final[dict[Stream, str]] = {ConsoleStream.STDOUT: "stdout", ConsoleStream.STDERR: "stderr"}
_FIRST_SPARE: Final = 64
"""Lowest number of our own copies of the descriptors: above those that code closes by their number."""


class _KeptOpen(io.BufferedWriter):
    """The bytes below a standard stream; they stay open when code closes them."""

    def close(self) -> None:
        """Write what waits."""
        self.flush()


class _StandardStream(io.TextIOWrapper):
    """A standard stream that leaves the text of some threads to their printers, and that no code can close.

    The supervisor reads UTF-8, whatever the locale is, and half of a surrogate pair is no reason for a plan to fail.
    """

    def __init__(self, stream: Stream) -> None:
        bytes_below = _KeptOpen(io.FileIO(_NUMBERS[stream], "wb", closefd=False))
        super().__init__(
            bytes_below, encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True
        )
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or pass it to the printer."""
        printer = current_printer()
        if printer is not None:
            if not isinstance(text, str):
                raise TypeError(f"write() argument must be str, not {type(text).__name__}")
            printer.write(self._stream, text)
            return len(text)
        try:
            return super().write(text)
        except OSError:
            if not streams.repair_descriptor(self._stream):
                raise
            # It is still in the buffer.
            super().flush()
            return len(text)

    def flush(self) -> None:
        """Flush, or let the printer."""
        printer = current_printer()
        if printer is not None:
            printer.flush()
            return
        try:
            super().flush()
        except OSError:
            if not streams.repair_descriptor(self._stream):
                raise
            super().flush()

    def close(self) -> None:
        """Flush only."""
        self.flush()


class StandardStreams:
    """Standard output and standard error of this process, and our own copies of their descriptors."""

    def __init__(self) -> None:
        self._spares: dict[Stream, int] = {}

    def install(self) -> None:
        """Install streams that know who writes. Call it before any other code keeps the standard ones."""
        for stream, name in _NAMES.items():
            self._spares[stream] = fcntl.fcntl(_NUMBERS[stream], fcntl.F_DUPFD_CLOEXEC, _FIRST_SPARE)
            replacement = _StandardStream(stream)
            setattr(sys, name, replacement)
            # The usual way back to the stream of before a redirection.
            setattr(sys, f"__{name}__", replacement)
        # A crash below Python then tells the line of the plan or the startup code.
        faulthandler.enable(self._spares[ConsoleStream.STDERR], all_threads=False)

    def repair(self) -> None:
        """Repair streams that can't be used, and print which ones they were."""
        for stream in self._spares:
            if self._repair(stream):
                self.note(
                    f"sys.{_NAMES[stream]} was closed, or replaced by what can't be written to; it is opened again.\n"
                )

    def repair_descriptor(self, stream: Stream) -> bool:
        """Open a closed descriptor again, and make a non-blocking one wait for room; tell if that was needed."""
        number, spare = _NUMBERS[stream], self._spares[stream]
        try:
            if os.get_blocking(number):
                return False
            os.set_blocking(number, True)
        except OSError:
            os.dup2(spare, number)
        return True

    def note(self, text: str, stream: Stream = ConsoleStream.STDERR) -> None:
        """Write a note of ours, bypassing the streams that user code sees if necessary."""
        with suppress(BaseException):  # whatever user code has done to the streams: a note is worth no failure
            printer = current_printer()
            if printer is not None:
                printer.write(stream, text)
            elif stream in self._spares:
                self._flush(stream)
                self._write_past(stream, text)
            else:
                getattr(sys, _NAMES[stream]).write(text)

    def flush(self) -> None:
        """Flush what was printed."""
        for stream in _NAMES:
            self._flush(stream)

    def _flush(self, stream: Stream) -> None:
        with suppress(BaseException):  # as in note
            getattr(sys, _NAMES[stream]).flush()

    def _write_past(self, stream: Stream, text: str) -> None:
        spare = self._spares[stream]
        left = text.encode("utf-8", "backslashreplace")
        while left:
            try:
                left = left[os.write(spare, left) :]
            except BlockingIOError:
                os.set_blocking(spare, True)

    def _repair(self, stream: Stream) -> bool:
        was_closed = self.repair_descriptor(stream)
        name = _NAMES[stream]
        if _is_usable(getattr(sys, name, None)):
            return was_closed
        setattr(sys, name, _StandardStream(stream))
        return True


def _is_usable(stream: Any) -> bool:
    try:
        stream.write("")
    except BaseException:  # noqa: BLE001 - it is an object of user code
        return False
    return True


streams: Final = StandardStreams()
"""Those of this process."""
