"""A watch as plain lines, for pipes, files and simple terminals.

Each line begins with the time at which it happened at the server, `2026-11-30 09:21:04 - `, even if it is shown later.
Lines about the connection have the time of this machine.
"""

from __future__ import annotations

from datetime import datetime, timezone

from queueserver_client import (
    ConsoleText,
    ConsoleWritten,
    DocumentEmitted,
    Event,
    QueueServerError,
    Snapshot,
    Status,
    StatusChanged,
)

from queueserver_cli.display.console_lines import ConsoleLine, ConsoleLines
from queueserver_cli.display.printer import Printer
from queueserver_cli.display.run_view import RunsView
from queueserver_cli.words.event_words import counted, event_words, item_words
from queueserver_cli.words.legacy_json import known
from queueserver_cli.words.lock_lines import holder_line, request_line
from queueserver_cli.words.storage_words import storage_words
from queueserver_cli.words.waiting_words import waiting_words


class StatusWords:
    """Shows a status in a line when it differs from the one before in what people look at."""

    def __init__(self) -> None:
        self._last = ""

    def news(self, status: Status) -> str | None:
        """The line, or None if it is the same as before."""
        environment = status.environment
        pausing = ", pausing" if status.pause_pending else ""
        words = f"manager {known(status.manager_state)}{pausing}, environment {known(environment.state)}"
        if environment.run_engine_state.number:
            words += f", RunEngine {environment.run_engine_state}"
        if environment.progress:
            words += f", {environment.progress}"
        if environment.failure is not None:
            words += f" ({environment.failure.message})"
        words = "; ".join([words, *waiting_words(environment, with_progress=False), *storage_words(status)])
        if words == self._last:
            return None
        self._last = words
        return words


class LineDisplay:
    """One line for each thing that happens."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._console = ConsoleLines()
        self._runs = RunsView()
        self._status = StatusWords()
        self._lost = False

    def show(self, event: Event | Snapshot) -> None:
        """Write what an event reports, if anything."""
        if isinstance(event, Snapshot):
            self._snapshot(event)
        elif isinstance(event, StatusChanged):
            self._say(event.time, self._status.news(event.status))
        elif isinstance(event, ConsoleWritten):
            self._text(event.console)
        elif isinstance(event, DocumentEmitted):
            self._document(event)
        else:
            self._say(event.time, event_words(event))

    def alive(self) -> None:
        """Say that the connection stands again, if it was lost."""
        if self._lost:
            self._lost = False
            self._say(_now(), "connected again")

    def lost(self, error: QueueServerError) -> None:
        """Say that the connection is gone."""
        self._lost = True
        self._say(_now(), f"not connected: {error.message} Trying again.")

    def end(self, resume_token: str) -> None:
        """Nothing: a token is for programs."""

    def close(self) -> None:
        """Write the beginnings of lines that have no end yet."""
        self._lines(self._console.unfinished())

    def _say(self, time: datetime, words: str | None) -> None:
        if words:
            self._printer.dated_line(time, words)

    def _text(self, console: ConsoleText) -> None:
        self._lines(self._console.feed(console))

    def _lines(self, lines: list[ConsoleLine]) -> None:
        for line in lines:
            self._say(line.time, f"| {line.text}")

    def _snapshot(self, snapshot: Snapshot) -> None:
        now = snapshot.status.time if snapshot.status is not None else _now()
        if snapshot.restarted:
            self._say(now, "some changes could not be followed; this is the state now")
        if snapshot.status is not None:
            self._say(now, self._status.news(snapshot.status))
            waiting = counted(snapshot.status.items_in_queue, "item")
            self._say(now, f"{waiting} in the queue, {snapshot.status.items_in_history} in history")
        if snapshot.lock is not None:
            self._say(now, holder_line(snapshot.lock))
            self._say(now, request_line(snapshot.lock))
        if snapshot.running_item is not None:
            self._say(snapshot.running_item.claim_time, f"running: {item_words(snapshot.running_item.item)}")
        for index, item in enumerate(snapshot.queue):
            self._say(now, f"{index:3}: {item_words(item)}")
        for console in snapshot.console:
            self._text(console)
        for document in snapshot.documents:
            self._runs.apply(document)

    def _document(self, event: DocumentEmitted) -> None:
        run, readings = self._runs.apply(event.document)
        if event.document.name == "start":
            self._say(event.time, f"{run.title} begins ({run.uid})")
        elif event.document.name == "stop":
            reason = f" ({run.reason})" if run.reason else ""
            self._say(event.time, f"{run.title} ends: {run.exit_status}{reason}")
        for reading in readings:
            progress = f"{reading.number}/{run.expected}" if run.expected else str(reading.number)
            values = "  ".join(f"{key} {value}" for key, value in reading.values.items())
            self._say(event.time, f"  {reading.stream} {progress}  {values}")


def _now() -> datetime:
    return datetime.now(timezone.utc)
