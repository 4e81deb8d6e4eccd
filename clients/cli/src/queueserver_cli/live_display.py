"""A watch on a terminal: queue, progress and readings stay at the bottom, console text runs above them."""

from __future__ import annotations

import asyncio

from queueserver_client import (
    AutostartChanged,
    ConsoleText,
    ConsoleWritten,
    DocumentEmitted,
    Event,
    HistoryAdded,
    QueueModeChanged,
    QueueView,
    Snapshot,
)
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from queueserver_cli.event_words import counted, event_words, item_words
from queueserver_cli.line_display import ConsoleLines
from queueserver_cli.run_view import Run, RunsView
from queueserver_cli.storage_words import storage_words
from queueserver_cli.vocabulary import known
from queueserver_cli.waiting_words import waiting_words

#: The screen is drawn at most this often, however many events come.
_REDRAW_SECONDS = 0.1
_SHOWN_ITEMS = 8
_SHOWN_COLUMNS = 8


class LiveDisplay:
    """Draws the state after each change. To be used inside a running event loop."""

    def __init__(self, console: Console | None = None) -> None:
        self._view = QueueView()
        self._runs = RunsView()
        self._lines = ConsoleLines()
        self._live = Live(console=console or Console(), auto_refresh=False, transient=False)
        self._live.start()
        self._due: asyncio.TimerHandle | None = None

    def show(self, event: Event | Snapshot) -> None:
        """Take an event in; the screen follows soon."""
        self._view.apply(event)
        if isinstance(event, Snapshot):
            for console in event.console:
                self._text(console)
            for document in event.documents:
                self._runs.apply(document)
        elif isinstance(event, ConsoleWritten):
            self._text(event.console)
        elif isinstance(event, DocumentEmitted):
            self._runs.apply(event.document)
        elif isinstance(event, (HistoryAdded, QueueModeChanged, AutostartChanged)):
            self.notice(event_words(event) or "")
        self._redraw_soon()

    def notice(self, text: str) -> None:
        """Write a line above the live part."""
        self._live.console.print(Text(text, style="yellow"))

    def end(self, resume_token: str) -> None:
        """Nothing: a token is for programs."""

    def close(self) -> None:
        """Draw the last state and give the terminal back."""
        if self._due is not None:
            self._due.cancel()
        self._redraw()
        self._live.stop()

    def _text(self, console: ConsoleText) -> None:
        for line in self._lines.feed(console):
            self._live.console.print(Text(line))

    def _redraw_soon(self) -> None:
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_REDRAW_SECONDS, self._redraw)

    def _redraw(self) -> None:
        self._due = None
        self._live.update(self.picture(), refresh=True)

    def picture(self) -> RenderableType:
        """The live part as it should look now."""
        parts: list[RenderableType] = [self._head(), *self._waiting(), self._queue()]
        run = self._shown_run()
        if run is not None:
            parts.append(_progress(run))
            if run.readings:
                parts.append(_readings(run))
        return Group(*parts)

    def _shown_run(self) -> Run | None:
        """The run that began last, unless it belongs to another item than the one that is executed now."""
        run, running = self._runs.latest, self._view.running
        return None if run is None or (running is not None and run.item_uid != running.item.uid) else run

    def _head(self) -> Text:
        status = self._view.status
        if status is None:
            return Text("")
        marks = [
            ", pausing" if status.pause_pending else "",
            ", stops after this item" if status.queue_stop_pending else "",
            ", loop" if status.queue_mode.loop else "",
            ", ignores failures" if status.queue_mode.ignore_failures else "",
            ", autostart" if status.queue_autostart_enabled else "",
        ]
        environment = f"{known(status.environment.state)} {status.environment.progress}".rstrip()
        manager = f"manager {known(status.manager_state)}{''.join(marks)}"
        words = f"{manager} · environment {environment} · {status.items_in_history} in history"
        return Text(words, style="bold")

    def _waiting(self) -> list[Text]:
        status = self._view.status
        if status is None:
            return []
        lines = [*storage_words(status), *waiting_words(status.environment)]
        return [Text(words, style="bold yellow") for words in lines]

    def _queue(self) -> RenderableType:
        title = f"Queue: {counted(len(self._view.items), 'item')}"
        if not self._view.items and self._view.running is None:
            return Text(title, style="italic")
        table = Table(expand=True, title_justify="left", title=title)
        for heading in ("", "plan", "user", "uid"):
            table.add_column(heading, no_wrap=True, ratio=1 if heading == "plan" else None)
        if self._view.running is not None:
            item = self._view.running.item
            table.add_row("▶", Text(item_words(item)), Text(item.user), item.uid[:8], style="green")
        for index, item in enumerate(self._view.items[:_SHOWN_ITEMS]):
            table.add_row(str(index), Text(item_words(item)), Text(item.user), item.uid[:8])
        hidden = len(self._view.items) - _SHOWN_ITEMS
        if hidden > 0:
            table.add_row("", f"… and {hidden} more", "", "", style="dim")
        return table


def _progress(run: Run) -> RenderableType:
    state = run.exit_status or "running"
    if run.expected is None:
        return Text(f"{run.title}: {counted(run.done, 'point')}, {state}")
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        Text(f"{run.title}: {run.done}/{run.expected} {state}"),
        ProgressBar(total=max(run.expected, 1), completed=min(run.done, run.expected), width=40),
    )
    return grid


def _readings(run: Run) -> Table:
    table = Table(box=None, padding=(0, 2))
    columns = list(dict.fromkeys(key for reading in run.readings for key in reading.values))[:_SHOWN_COLUMNS]
    table.add_column("#", justify="right")
    for column in columns:
        table.add_column(Text(column), justify="right")
    for reading in run.readings:
        table.add_row(str(reading.number), *(Text(reading.values.get(column, "")) for column in columns))
    return table
