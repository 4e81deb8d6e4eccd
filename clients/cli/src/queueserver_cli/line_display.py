"""A watch as plain lines, for pipes and files."""

from __future__ import annotations

from queueserver_client import ConsoleText, ConsoleWritten, DocumentEmitted, Event, Snapshot, Status, StatusChanged

from queueserver_cli.event_words import counted, event_words, item_words
from queueserver_cli.printer import Printer
from queueserver_cli.run_view import RunsView
from queueserver_cli.storage_words import storage_words
from queueserver_cli.vocabulary import known
from queueserver_cli.waiting_words import waiting_words


class ConsoleLines:
    """Puts pieces of console text together to whole lines."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, console: ConsoleText) -> list[str]:
        """Lines that are complete now."""
        *lines, self._rest = (self._rest + console.text).split("\n")
        return [line.rstrip("\r") for line in lines]


class StatusWords:
    """Tells a status in a line when it differs from the one before in what people look at."""

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

    def show(self, event: Event | Snapshot) -> None:
        """Write what an event tells, if anything."""
        if isinstance(event, Snapshot):
            self._snapshot(event)
        elif isinstance(event, StatusChanged):
            self._say(self._status.news(event.status))
        elif isinstance(event, ConsoleWritten):
            self._text(event.console)
        elif isinstance(event, DocumentEmitted):
            self._document(event)
        else:
            self._say(event_words(event))

    def notice(self, text: str) -> None:
        """Write something about the connection."""
        self._say(text)

    def end(self, resume_token: str) -> None:
        """Nothing: a token is for programs."""

    def close(self) -> None:
        """Nothing to be left behind."""

    def _say(self, words: str | None) -> None:
        if words:
            self._printer.line(words)

    def _text(self, console: ConsoleText) -> None:
        for line in self._console.feed(console):
            self._say(f"| {line}")

    def _snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.restarted:
            self._say("some changes could not be followed; this is the state now")
        if snapshot.status is not None:
            self._say(self._status.news(snapshot.status))
            waiting = counted(snapshot.status.items_in_queue, "item")
            self._say(f"{waiting} in the queue, {snapshot.status.items_in_history} in history")
        if snapshot.running_item is not None:
            self._say(f"running: {item_words(snapshot.running_item.item)}")
        for index, item in enumerate(snapshot.queue):
            self._say(f"{index:3}: {item_words(item)}")
        for console in snapshot.console:
            self._text(console)
        for document in snapshot.documents:
            self._runs.apply(document)

    def _document(self, event: DocumentEmitted) -> None:
        run, readings = self._runs.apply(event.document)
        if event.document.name == "start":
            self._say(f"{run.title} begins ({run.uid})")
        elif event.document.name == "stop":
            reason = f" ({run.reason})" if run.reason else ""
            self._say(f"{run.title} ends: {run.exit_status}{reason}")
        for reading in readings:
            progress = f"{reading.number}/{run.expected}" if run.expected else str(reading.number)
            values = "  ".join(f"{key} {value}" for key, value in reading.values.items())
            self._say(f"  {reading.stream} {progress}  {values}")
