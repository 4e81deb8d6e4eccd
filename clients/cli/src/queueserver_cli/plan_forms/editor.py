"""The user's editor on a text, and what a person answers beside it.

While the editor has the terminal, Ctrl-C is the editor's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from queueserver_cli.display.terminal_text import visible_lines
from queueserver_cli.outcome import WrongCommand
from queueserver_cli.process import cancel_at_interrupt

_USUAL = ("nano", "vi", "vim", "notepad")


class EditorFailed(Exception):  # noqa: N818 - it says what happened
    """The editor could not be started, or ended with an error."""


def require_terminal(instead: str) -> None:
    """Refuse where no person can edit. Raises WrongCommand."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WrongCommand(f"An editor needs a terminal, and there is none. Instead: {instead}")


def editor_command() -> list[str]:
    """What $VISUAL or $EDITOR say, else an editor that is there. Raises WrongCommand."""
    for name in ("VISUAL", "EDITOR"):
        text = os.environ.get(name, "").strip()
        if not text:
            continue
        try:
            return shlex.split(text)
        except ValueError as error:
            raise WrongCommand(f"${name} is not a command ({error}): {text!r}.") from None
    found = next((name for name in _USUAL if shutil.which(name)), None)
    if found is None:
        raise WrongCommand("There is no editor: set the environment variable EDITOR, as in EDITOR=nano.")
    return [found]


class EditedFile:
    """A text in its own file, which stays until it is discarded."""

    def __init__(self, text: str, suffix: str) -> None:
        handle, name = tempfile.mkstemp(prefix="qserver-", suffix=suffix)
        self.path = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self) -> str:
        """What is in it now. Raises EditorFailed."""
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EditorFailed(f"{self.path} can't be read: {error}.") from None

    def write(self, text: str) -> None:
        """Replace the text."""
        self.path.write_text(text, encoding="utf-8")

    def discard(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def edit(self) -> None:
        """Open the editor and wait until it ends. Raises EditorFailed."""
        command = [*editor_command(), str(self.path)]
        try:
            # Nothing else is running: the command waits for the person.
            code = subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own choice
        except OSError as error:
            raise EditorFailed(f"The editor {command[0]!r} can't be started: {error.strerror}.") from None
        if code:
            raise EditorFailed(f"The editor {command[0]!r} ended with code {code}.")


def asks(question: str) -> bool:
    """Whether a person says yes. Raises KeyboardInterrupt at Ctrl-C; the end of the input means no."""
    sys.stderr.write(f"{visible_lines(question)} [Y/n] ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return bool(line) and line.strip().lower() in {"", "y", "yes"}


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt inside, where a person is asked, instead of waiting for the event loop."""
    with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl-C raises already
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    try:
        yield
    finally:
        cancel_at_interrupt()


@contextlib.contextmanager
def left_to_the_editor() -> Iterator[None]:
    """Ignore Ctrl-C inside; a program that is started there does not."""
    with interruptible():
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
