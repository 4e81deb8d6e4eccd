"""What documents tell about runs: progress and the newest readings."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from queueserver_client import RunDocument

#: So many readings are kept for display.
KEPT_READINGS = 10
#: Runs that have ended are forgotten beyond this number.
KEPT_RUNS = 20


@dataclass
class Reading:
    """One row of readings."""

    number: int
    stream: str
    values: Mapping[str, str]


@dataclass
class Run:
    """One run as far as its documents have told."""

    uid: str
    #: The item that opened it; empty if none did.
    item_uid: str = ""
    plan: str = ""
    scan_id: int | None = None
    #: Rows to be expected in the primary stream; None if the plan did not say.
    expected: int | None = None
    #: Rows so far in the primary stream.
    done: int = 0
    exit_status: str = ""
    reason: str = ""
    #: Columns of the axes that the plan scans: their readings come first.
    axes: Sequence[str] = ()
    streams: dict[str, str] = field(default_factory=dict)
    readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))

    @property
    def title(self) -> str:
        """The run in a few words."""
        number = f"run {self.scan_id}" if self.scan_id is not None else f"run {self.uid[:8]}"
        return f"{number} of {self.plan}" if self.plan else number


class RunsView:
    """The runs of a watch. Feed it every document, in order."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        #: The run that began last.
        self.latest: Run | None = None

    def apply(self, document: RunDocument) -> tuple[Run, Sequence[Reading]]:
        """Take a document; answers its run and the readings that are new."""
        run = self.runs.get(document.run_uid)
        if run is None:
            run = self.runs[document.run_uid] = Run(document.run_uid, document.item_uid)
            self._forget()
        content = document.document
        if document.name == "start":
            run.plan = str(content.get("plan_name", ""))
            run.scan_id = content.get("scan_id")
            run.expected = _expected(content)
            run.axes = _axes(content)
            self.latest = run
        elif document.name == "descriptor":
            run.streams[content["uid"]] = content["name"]
        elif document.name == "stop":
            run.exit_status, run.reason = content["exit_status"], content.get("reason", "")
        readings = [_reading(run, row) for row in _rows(document)]
        run.readings.extend(readings)
        run.done += sum(reading.stream == "primary" for reading in readings)
        return run, readings

    def _forget(self) -> None:
        if len(self.runs) > KEPT_RUNS:
            del self.runs[next(iter(self.runs))]


def _expected(start: Mapping[str, Any]) -> int | None:
    for key, extra in (("num_points", 0), ("num_intervals", 1)):
        value = start.get(key)
        if isinstance(value, int) and value >= 0:
            return value + extra
    return None


def _axes(start: Mapping[str, Any]) -> Sequence[str]:
    hints = start.get("hints")
    dimensions = hints.get("dimensions", ()) if isinstance(hints, dict) else ()
    try:
        return [name for names, _ in dimensions for name in names]
    except (TypeError, ValueError):  # a plan can write anything there
        return ()


def _rows(document: RunDocument) -> Sequence[Mapping[str, Any]]:
    content = document.document
    if document.name == "event":
        return [content]
    if document.name != "event_page":
        return []
    return [
        {
            "seq_num": number,
            "descriptor": content["descriptor"],
            "data": {key: column[index] for key, column in content["data"].items() if index < len(column)},
        }
        for index, number in enumerate(content["seq_num"])
    ]


def _reading(run: Run, row: Mapping[str, Any]) -> Reading:
    data = row["data"]
    shown = {key: value_text(data[key]) for key in sorted(data, key=lambda key: key not in run.axes)}
    return Reading(row["seq_num"], run.streams.get(row["descriptor"], ""), shown)


def value_text(value: Any) -> str:
    """A reading in a few characters."""
    shape = getattr(value, "shape", None)
    if shape:
        return "array " + "x".join(str(length) for length in shape)
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"  # noqa: PLR2004 - the width of a column
