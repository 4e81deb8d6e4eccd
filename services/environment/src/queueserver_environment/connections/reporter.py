"""Reports for which connections startup code waits, at most once a second, while it does."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from queueserver_environment.connections.library_hooks import noting
from queueserver_environment.connections.sentences import end_text, progress_text
from queueserver_environment.connections.waits import ConnectionWaits
from queueserver_environment.console.standard_streams import streams

SECONDS_BETWEEN: Final = 1.0
"""How long a wait lasts before it is reported, and the time between two reports."""

Tell = Callable[[str], None]


class ConnectionReporter:
    """Tells in a thread of its own what the startup code waits for, from the first wait until it is closed.

    Parameters
    ----------
    show
        Called with each new text, and with the last stage when nothing is waited for any more.
    interval
        Seconds between two texts.

    """

    def __init__(self, show: Tell, interval: float) -> None:
        self.waits: Final = ConnectionWaits()
        self.waits.on_begin = self._wake
        self._show = show
        self._interval = interval
        self._stage = ""
        self._shows_wait = False
        self._printed: frozenset[str] = frozenset()
        self._any = threading.Event()
        self._over = threading.Event()
        self._telling = threading.Lock()
        self._thread: threading.Thread | None = None

    def stage(self, text: str) -> None:
        """Note what is being loaded; the caller tells it."""
        with self._telling:
            self._stage = text
            self._shows_wait = False

    def close(self) -> None:
        """Tell nothing any more, not even what is just being put together."""
        with self._telling:
            self._over.set()
        self._any.set()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="connection-reporter", daemon=True)
            self._thread.start()
        if not self._any.is_set():
            self._any.set()

    def _run(self) -> None:
        while True:
            self._any.wait()
            if self._over.wait(self._interval):
                return
            self._tell()

    def _tell(self) -> None:
        self._any.clear()
        stage = self._stage
        current = self.waits.now()
        if current:
            self._any.set()
        # Looked at once: what is shown is printed too, although the wait may end between.
        found = [each for wait in current if (each := wait.look()) is not None]
        text = progress_text(stage, found, min(wait.begin for wait in current), self.waits) if found else ""
        with self._telling:
            if self._over.is_set() or self._stage is not stage:
                return
            if text:
                self._show(text)
                self._print_new(text, frozenset(each.name for each in found))
            elif self._shows_wait:
                self._show(stage)
            self._shows_wait = bool(text)

    def _print_new(self, text: str, names: frozenset[str]) -> None:
        """Print the text unless the last one that was printed is about the same devices."""
        if not names <= self._printed:
            streams.note(f"{text}\n")
        self._printed = names


@contextmanager
def connections_reported(announce: Tell, show: Tell, interval: float = SECONDS_BETWEEN) -> Iterator[Tell]:
    """Report them while code is loaded; gives the function that announces each stage of the loading.

    Parameters
    ----------
    announce
        Tells a stage, for example "loading 10-devices.py".
    show
        Replaces what was told last by another text.
    interval
        Seconds that a wait lasts before it is reported, and between two reports.

    """
    reporter = ConnectionReporter(show, interval)
    process = os.getpid()

    def announce_stage(text: str) -> None:
        reporter.stage(text)
        announce(text)

    try:
        with noting(reporter.waits):
            yield announce_stage
    finally:
        # A child process that the code has forked has neither the thread nor, perhaps, the lock.
        if os.getpid() == process:
            reporter.close()
            if missing := reporter.waits.not_connected():
                streams.note(f"{end_text(missing)}\n")
