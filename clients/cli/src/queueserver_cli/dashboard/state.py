"""What the dashboard knows. Feed it every event, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from queueserver_client import (
    ConsoleText,
    ConsoleWritten,
    DocumentEmitted,
    Event,
    EventKind,
    EventsLost,
    ExitStatus,
    HistoryAdded,
    HistoryCleared,
    HistoryEntry,
    Item,
    ItemStarted,
    LockChanged,
    LockInfo,
    QueueView,
    RunDocument,
    RunEngineState,
    Snapshot,
    StatusChanged,
)

from queueserver_cli.dashboard.estimate import (
    Call,
    Earlier,
    Estimate,
    Progress,
    call_of,
    comparable,
    durations,
    estimate,
)
from queueserver_cli.dashboard.link import Link, Standing
from queueserver_cli.display.console_lines import ConsoleLine, ConsoleLines
from queueserver_cli.display.run_view import Run, RunsView
from queueserver_cli.words.event_words import event_words

#: Lines of console text that are kept: more than any terminal is high.
KEPT_LINES = 500
#: Executions that completed, kept for estimates.
KEPT_EARLIER = 200
#: States in which a plan does not continue.
_HELD_UP = {RunEngineState.PAUSED, RunEngineState.PAUSING, RunEngineState.SUSPENDING}
#: Ends of an item that need a person's attention.
_BAD_ENDS = {ExitStatus.FAILED, ExitStatus.ABORTED, ExitStatus.HALTED}


@dataclass(frozen=True)
class Notice:
    """Something about the watch itself that a person should know for a while."""

    time: datetime
    words: str


class State:
    """Queue, runs, console and history as a watch reports them."""

    def __init__(self, link: Link, kinds: Collection[EventKind]) -> None:
        self.link = link
        #: What is watched: nothing is known of the rest.
        self.kinds = frozenset(kinds)
        self.view = QueueView()
        self.runs = RunsView()
        self.notice: Notice | None = None
        #: None if the lock is not watched, or the server knows of none.
        self.lock: LockInfo | None = None
        #: The newest history entry.
        self.last_entry: HistoryEntry | None = None
        self._console: deque[ConsoleLine] = deque(maxlen=KEPT_LINES)
        self._lines = ConsoleLines()
        self._earlier: deque[Earlier] = deque(maxlen=KEPT_EARLIER)
        #: The call of the running plan, computed once.
        self._call: tuple[str, Call | None] = "", None
        #: Runs that the running item has opened.
        self._opened = 0

    def apply(self, change: Event | Snapshot, now: datetime) -> None:
        """Take a change."""
        self.view.apply(change)
        if isinstance(change, Snapshot):
            self._begin(change, now)
        elif isinstance(change, StatusChanged):
            self._status_came(change.status.time, now)
        elif isinstance(change, ConsoleWritten):
            self._write(change.console)
        elif isinstance(change, DocumentEmitted):
            self._document(change.document)
        elif isinstance(change, LockChanged):
            self.lock = change.lock
        elif isinstance(change, ItemStarted):
            self._opened = 0
        elif isinstance(change, HistoryAdded):
            self._add(change.entry)
        elif isinstance(change, HistoryCleared):
            self._forget(change.first_number)
        elif isinstance(change, EventsLost):
            self.notice = Notice(now, event_words(change) or "")

    def console(self) -> list[ConsoleLine]:
        """The newest lines, and behind them those that are not finished."""
        return [*self._console, *self._lines.unfinished()]

    def shown_run(self) -> Run | None:
        """The run that began last, unless it belongs to another item than the one that is executed now."""
        run, running = self.runs.latest, self.view.running
        return None if run is None or (running is not None and run.item_uid != running.item.uid) else run

    def failed_entry(self) -> HistoryEntry | None:
        """The history entry of the plan that ended last, if it did not end well."""
        entry = self.last_entry
        return entry if entry is not None and entry.result.exit_status in _BAD_ENDS else None

    def elapsed(self, now: datetime) -> float:
        """Seconds for which the running item has been executed, at the time of what is shown."""
        if self.view.running is None:
            return 0.0
        return max((self.link.shown_time(now) - self.view.running.claim_time).total_seconds(), 0.0)

    def estimate(self, now: datetime) -> Estimate | None:
        """About when the running plan ends; None if there is no basis, if it is held up or if the server is away."""
        running, status = self.view.running, self.view.status
        if running is None or self.link.standing(now) is not Standing.CONNECTED:
            return None
        if status is not None and status.environment.run_engine_state in _HELD_UP:
            return None
        call = self._running_call(running.item)
        similar = comparable(call, self._earlier) if call is not None else []
        progress = Progress(self.elapsed(now))
        run = self.shown_run()
        # The points of one run don't say when a plan ends that opens several.
        several = self._opened > 1 or any(earlier.runs > 1 for earlier in similar)
        if run is not None and not run.exit_status and not several:
            since = self.link.shown_time(now).timestamp() - run.last_time if run.last_time is not None else 0.0
            progress = Progress(progress.elapsed, run.done, run.expected, run.paces, max(since, 0.0))
        return estimate(progress, durations(call, progress.expected, similar) if call is not None else ())

    def _running_call(self, item: Item) -> Call | None:
        if self._call[0] != item.uid:
            self._call = item.uid, _call(item)
        return self._call[1]

    def _begin(self, snapshot: Snapshot, now: datetime) -> None:
        if snapshot.restarted:
            self.notice = Notice(now, "Some changes could not be followed; this is the state now.")
        if snapshot.status is not None:
            self._status_came(snapshot.status.time, now)
        self.lock = snapshot.lock
        self._console.clear()
        self._lines, self.runs = ConsoleLines(), RunsView()
        self._earlier.clear()
        self.last_entry, self._opened = None, 0
        for console in snapshot.console:
            self._write(console)
        for document in snapshot.documents:
            self._document(document)
        for entry in snapshot.history:
            self._add(entry)

    def _status_came(self, server_time: datetime, now: datetime) -> None:
        self.link.told_time(server_time, now)
        status = self.view.status
        if status is not None:
            environment = status.environment
            if environment.run_engine_state in _HELD_UP or environment.suspensions or environment.question is not None:
                self.runs.held_up()

    def _write(self, console: ConsoleText) -> None:
        self._console.extend(self._lines.feed(console))

    def _document(self, document: RunDocument) -> None:
        self.runs.apply(document)
        self._opened += document.name == "start"

    def _add(self, entry: HistoryEntry) -> None:
        self.last_entry = entry
        call, result = _call(entry.item), entry.result
        if call is None or result.exit_status is not ExitStatus.COMPLETED:
            return
        if result.start_time is not None and result.stop_time is not None:
            seconds = (result.stop_time - result.start_time).total_seconds()
            self._earlier.append(Earlier(call, max(seconds, 0.0), len(result.runs)))

    def _forget(self, first_number: int) -> None:
        if self.last_entry is not None and (not first_number or self.last_entry.number < first_number):
            self.last_entry = None


def _call(item: Item) -> Call | None:
    return call_of(item.name, item.args or (), item.kwargs or {})
