"""The table of readings that people see while a plan runs.

Printing must not slow down the plan, so the RunEngine only puts documents into a queue, and a thread of our own
prints them. Guarantees: rows appear in the order of the events, each run has its own table, and `flush` waits for
what was put before. If the console takes no more text, the queue fills and the plan waits.
Only streams named "primary" get rows; of other streams only the beginning is shown.
"""

import queue
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TextIO

MAX_WAITING: Final = 1_000
"""Documents that may wait to be printed."""
_HEADER_EVERY: Final = 50
_MIN_WIDTH: Final = 10
_DEFAULT_PRECISION: Final = 3
_MAX_COLUMNS: Final = 12

_Document = Mapping[str, Any]


class LiveTable:
    """Takes the documents of any number of runs and prints their tables."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._waiting: queue.Queue[tuple[str, _Document] | threading.Event] = queue.Queue(MAX_WAITING)
        self._runs: dict[str, _RunTable] = {}
        self._run_of_stream: dict[str, str] = {}
        threading.Thread(target=self._print_all, name="live-table", daemon=True).start()

    def put(self, name: str, document: _Document) -> None:
        """Take a document; a callback for RunEngine.subscribe."""
        self._waiting.put((name, document))

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until everything that was put is printed; tell whether it was."""
        done = threading.Event()
        try:
            self._waiting.put(done, timeout=timeout)
        except queue.Full:
            return False
        return done.wait(timeout)

    def _print_all(self) -> None:
        while True:
            entry = self._waiting.get()
            if isinstance(entry, threading.Event):
                entry.set()
                continue
            try:
                text = self._text_of(*entry)
            except BaseException as error:  # noqa: BLE001 - protects later rows: the values are objects of user code
                text = f"(a document could not be shown: {type(error).__name__})\n"
            self._print(text)

    def _print(self, text: str) -> None:
        # Without this thread the documents would wait, and the plan with them.
        with suppress(BaseException):
            self._out.write(text)
            self._out.flush()

    def _text_of(self, name: str, document: _Document) -> str:
        if name == "start":
            run = self._runs[document["uid"]] = _RunTable(document)
            return run.opening()
        if name == "descriptor" and document["run_start"] in self._runs:
            self._run_of_stream[document["uid"]] = document["run_start"]
            return self._runs[document["run_start"]].stream(document)
        if name == "event" and document["descriptor"] in self._run_of_stream:
            return self._runs[self._run_of_stream[document["descriptor"]]].row(document)
        if name == "stop" and document["run_start"] in self._runs:
            uid = document["run_start"]
            self._run_of_stream = {stream: run for stream, run in self._run_of_stream.items() if run != uid}
            return self._runs.pop(uid).closing(document)
        return ""


@dataclass(frozen=True)
class _Column:
    key: str
    width: int
    #: Digits after the decimal point; None shows the value as it is.
    precision: int | None

    def show(self, value: Any) -> str:
        """Show a value in the column's width; cut what is too long."""
        try:
            text = f"{float(value):.{self.precision}f}" if self.precision is not None else str(value)
        except (TypeError, ValueError):
            text = str(value)
        return f"{text[: self.width]:>{self.width}}"


@dataclass
class _RunTable:
    """The table of one run."""

    start: _Document
    stream_uid: str = ""
    columns: list[_Column] = field(default_factory=list)
    rows: int = 0

    def opening(self) -> str:
        time = datetime.fromtimestamp(self.start["time"]).astimezone()
        return (
            f"\nTransient Scan ID: {self.start.get('scan_id', '-')}     Time: {time:%Y-%m-%d %H:%M:%S}\n"
            f"Persistent Unique Scan ID: '{self.start['uid']}'\n"
        )

    def stream(self, descriptor: _Document) -> str:
        text = f"New stream: '{descriptor.get('name', '')}'\n"
        if descriptor.get("name") != "primary":
            return text
        self.stream_uid = descriptor["uid"]
        self.columns = _columns(self.start, descriptor)
        return text + self._header()

    def row(self, event: _Document) -> str:
        if event["descriptor"] != self.stream_uid:
            return ""
        self.rows += 1
        data = event["data"]
        time = datetime.fromtimestamp(event["time"]).astimezone().strftime("%H:%M:%S.%f")[:10]
        cells = [f"{event['seq_num']:>9}", f"{time:>10}"]
        cells += [column.show(data.get(column.key, "")) for column in self.columns]
        again = self._header() if self.rows % _HEADER_EVERY == 0 else ""
        return f"| {' | '.join(cells)} |\n{again}"

    def closing(self, stop: _Document) -> str:
        border = self._border() if self.columns or self.rows else ""
        kind, name = self.start.get("plan_type", "plan"), self.start.get("plan_name", "")
        failure = f" ({stop.get('exit_status')}: {stop.get('reason', '')})"
        status = "" if stop.get("exit_status") == "success" else failure
        return (
            f"{border}Run was closed: '{self.start['uid']}'{status}\n"
            f"{kind} {name} ['{self.start['uid'][:8]}'] (scan num: {self.start.get('scan_id', '-')})\n\n"
        )

    def _header(self) -> str:
        names = ["  seq_num", "      time", *(f"{column.key:>{column.width}}" for column in self.columns)]
        return f"{self._border()}| {' | '.join(names)} |\n{self._border()}"

    def _border(self) -> str:
        widths = (9, 10, *(column.width for column in self.columns))
        return "+" + "+".join("-" * (width + 2) for width in widths) + "+\n"


def _columns(start: _Document, descriptor: _Document) -> list[_Column]:
    """Choose the columns: what the plan scans first, then what the devices hint at, else everything scalar."""
    data_keys = descriptor["data_keys"]
    dimensions = start.get("hints", {}).get("dimensions", [])
    scanned = [name for fields, stream in dimensions if stream == "primary" for name in fields]
    hints = descriptor.get("hints", {})
    hinted = [name for device in hints.values() for name in device.get("fields", [])]
    chosen = [name for name in dict.fromkeys((*scanned, *hinted)) if name in data_keys]
    shown = [name for name in chosen or data_keys if data_keys[name].get("dtype") != "array"]
    return [_column(name, data_keys[name]) for name in shown[:_MAX_COLUMNS]]


def _column(name: str, data_key: _Document) -> _Column:
    precision = data_key.get("precision")
    if data_key.get("dtype") != "number":
        precision = None
    elif not isinstance(precision, int) or not 0 <= precision <= _MIN_WIDTH:
        precision = _DEFAULT_PRECISION
    return _Column(name, max(_MIN_WIDTH, len(name)), precision)
