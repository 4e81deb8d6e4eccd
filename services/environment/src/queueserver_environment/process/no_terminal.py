"""Code that would ask a person at a terminal fails at once with a sentence: there is no terminal.

Standard input is empty, and reading it would return nothing, or the end of the file: code that takes
that for an answer would continue without one. Guarantees: `input`, reading `sys.stdin` and `breakpoint` raise, in every
thread; what programs that this process starts read is empty, as it was. Does not guarantee anything about code that
opens a window or a terminal of its own.
"""

import io
import os
import sys
from typing import Any, Final, NoReturn

NO_TERMINAL: Final = (
    "There is no terminal here to ask a person: in a plan use bluesky.plan_stubs.input_plan, which clients can answer; "
    "elsewhere take what is needed as a parameter."
)
NO_DEBUGGER: Final = (
    "There is no terminal here in which a debugger could stop: remove the call of breakpoint or pdb, or let the "
    "environment variable PYTHONBREAKPOINT name a debugger that needs none."
)
_MAX_CHAIN: Final = 20


def refuse_terminal() -> None:
    """Install a standard input that can't be read, and let `breakpoint` raise unless a debugger was chosen."""
    inner = sys.stdin
    if inner is not None:
        sys.stdin = _NoInput(inner.buffer, encoding=inner.encoding, errors=inner.errors)
    if "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = _refuse_debugger


def terminal_text(error: BaseException) -> str:
    """Say what is missing when an error without a text comes from asking at a terminal; empty if it does not.

    Libraries that ask put their own error in place of ours, often one without a text.
    """
    if type(error).__name__ == "BdbQuit":
        return NO_DEBUGGER
    found: BaseException | None = error
    for _ in range(_MAX_CHAIN):
        if found is None:
            break
        if type(found) is EOFError and found.args == (NO_TERMINAL,):
            return NO_TERMINAL
        found = found.__cause__ or found.__context__
    return ""


class _NoInput(io.TextIOWrapper):
    """A standard input that is always empty. Its descriptor is that of the empty one."""

    @property
    def buffer(self) -> Any:
        """The bytes of it, which can't be read either."""
        return _NO_BYTES

    def read(self, *_: Any) -> NoReturn:
        """Raise EOFError with a sentence, as every read does."""
        _refuse()

    def readline(self, *_: Any) -> NoReturn:
        """As `read`."""
        _refuse()

    def readlines(self, *_: Any) -> NoReturn:
        """As `read`."""
        _refuse()

    def __iter__(self) -> Any:
        """As `read`, when it is advanced."""
        return self

    def __next__(self) -> NoReturn:
        _refuse()


class _NoBytes(io.BufferedIOBase):
    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 0

    def read(self, *_: Any) -> NoReturn:
        _refuse()

    read1 = readinto = readinto1 = readline = readlines = read


_NO_BYTES: Final = _NoBytes()


def _refuse() -> NoReturn:
    raise EOFError(NO_TERMINAL)


def _refuse_debugger(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError(NO_DEBUGGER)
