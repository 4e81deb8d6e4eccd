"""What a tool does first: from then on Ctrl-C ends it quietly, and gRPC prints nothing of its own."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import signal
import sys
from pathlib import Path
from typing import TextIO

#: As a shell reports a program that Ctrl-C has ended.
_INTERRUPTED = 130
#: A file to which a stream goes may be on a disk that is full.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def prepare(*, interrupted: int = _INTERRUPTED) -> None:
    """Prepare the process, before anything else is imported.

    Args:
        interrupted: Exit code after Ctrl-C.
    """
    end_at_once(interrupted)
    # The first to be registered is the last to be called.
    atexit.register(_ignore_interrupts)
    # Events of the connection are reported by us, not by the library.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    _replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character must not lose the answer.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _replace_closed_streams() -> None:
    """Let nothing be read and written where a shell has closed a stream (`>&-`), so that all else works as usual."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


def end_at_once(exit_code: int = _INTERRUPTED) -> None:
    """From now on let Ctrl-C end the process without a traceback. What was printed has been flushed."""
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(exit_code))


def _ignore_interrupts() -> None:
    """Let Ctrl-C no longer decide how the process ends. Everything is printed; the interpreter takes itself apart."""
    with contextlib.suppress(OSError, ValueError):  # the interpreter's own last flush tells of it
        sys.stdout.flush()
        sys.stderr.flush()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def cancel_at_interrupt() -> None:
    """From now on let Ctrl-C cancel the task that runs, in the event loop that runs."""
    import asyncio  # noqa: PLC0415 - help and completion do without it

    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - commands run inside one
    with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl-C raises KeyboardInterrupt
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)


def output_is_gone() -> None:
    """Our output has no reader any more: point it elsewhere, so that the interpreter's last flush is quiet."""
    _point_elsewhere(sys.stdout)


def is_full(error: OSError) -> bool:
    """Whether a text could not be written because there is no room for it."""
    return error.errno in _FULL


def tell_full_output(error: OSError) -> None:
    """Say that there is no room for what a command follows, and point the output elsewhere. Raises any other error."""
    if not is_full(error):
        raise error
    output_is_gone()
    tell(f"The output can't be written: {error.strerror}. Make room, or write it elsewhere, and start again.")


def tell(text: str) -> None:
    """Write to standard error. Where there is no room for it, skip it: the answer is on standard output."""
    import click  # noqa: PLC0415 - not before Ctrl-C is quiet

    try:
        click.echo(text, err=True)
    except OSError as error:
        if not is_full(error):
            raise
        _point_elsewhere(sys.stderr)


def _point_elsewhere(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
