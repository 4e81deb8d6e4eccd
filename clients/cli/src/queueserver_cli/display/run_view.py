"""What documents show about runs: progress and the newest readings."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from queueserver_client import RunDocument

from queueserver_cli.dashboard.plot import Curve

#: This many readings are kept for display.
KEPT_READINGS = 10
#: This many times between two points are kept.
KEPT_PACES = 50
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
    """One run as far as its documents have reported it."""

    uid: str
    #: The item that opened it; empty if none did.
    item_uid: str = ""
    plan: str = ""
    scan_id: int | None = None
    #: Rows to be expected in the primary stream; None if the plan did not say.
    expected: int | None = None
    #: Rows so far in the primary stream, also those that came before this watch.
    done: int = 0
    #: Rows so far in each of the other streams.
    done_beside: dict[str, int] = field(default_factory=dict)
    start_time: float = 0.0
    #: When the last of these rows was taken; None if the time since then is no measure, because the plan was held up.
    last_time: float | None = None
    #: Seconds that each of the newest rows took.
    paces: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_PACES))
    exit_status: str = ""
    reason: str = ""
    #: Columns of the axes that the plan scans: their readings come first.
    axes: Sequence[str] = ()
    #: The column against which readings are drawn, or "time"; empty if there is not exactly one axis.
    axis: str = ""
    #: The column that is drawn; empty if none can be.
    drawn: str = ""
    curve: Curve = field(default_factory=Curve)
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
        """Take a document; returns its run and the new readings."""
        run = self.runs.get(document.run_uid)
        if run is None:
            run = self.runs[document.run_uid] = Run(document.run_uid, document.item_uid)
            self._forget()
        content = document.document
        if document.name == "start":
            run.plan = str(content.get("plan_name", ""))
            run.scan_id = content.get("scan_id")
            run.start_time = content["time"]
            run.expected = _expected(content)
            dimensions = _dimensions(content)
            run.axes = [name for names in dimensions for name in names]
            run.axis = dimensions[0][0] if len(dimensions) == 1 and dimensions[0] else ""
            self.latest = run
        elif document.name == "descriptor":
            run.streams[content["uid"]] = content["name"]
            if content["name"] == "primary":
                run.drawn = _drawn(content, run.axes)
        elif document.name == "stop":
            run.exit_status, run.reason = content["exit_status"], content.get("reason", "")
        rows = _rows(document)
        for row in rows:
            stream = run.streams.get(row["descriptor"], "")
            if stream == "primary":
                _count(run, row)
            elif stream:
                run.done_beside[stream] = max(row["seq_num"], run.done_beside.get(stream, 0))
        readings = [_reading(run, row) for row in rows]
        run.readings.extend(readings)
        return run, readings

    def held_up(self) -> None:
        """The plan is paused or suspended: the duration of the next point means nothing."""
        if self.latest is not None:
            self.latest.last_time = None

    def _forget(self) -> None:
        if len(self.runs) > KEPT_RUNS:
            del self.runs[next(iter(self.runs))]


def _expected(start: Mapping[str, Any]) -> int | None:
    for key, extra in (("num_points", 0), ("num_intervals", 1)):
        value = start.get(key)
        if isinstance(value, int) and value >= 0:
            return value + extra
    return None


def _dimensions(start: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    hints = start.get("hints")
    dimensions = hints.get("dimensions", ()) if isinstance(hints, dict) else ()
    try:
        return [[str(name) for name in names] for names, _ in dimensions]
    except (TypeError, ValueError):  # a plan can write anything there
        return ()


def _drawn(descriptor: Mapping[str, Any], axes: Sequence[str]) -> str:
    """The first column with numbers that is not an axis; what a device hints at is preferred."""
    keys = descriptor["data_keys"]
    try:
        hinted = [str(name) for hint in descriptor.get("hints", {}).values() for name in hint.get("fields", ())]
    except (AttributeError, TypeError):  # a device can say anything there
        hinted = []
    for name in [*hinted, *keys]:
        key = keys.get(name, {})
        if name not in axes and key.get("dtype") in ("number", "integer") and not key.get("shape"):
            return str(name)
    return ""


def _count(run: Run, row: Mapping[str, Any]) -> None:
    """Count a row of the primary stream: how many, how fast, and its point of the curve."""
    number, time = row["seq_num"], row["time"]
    if run.last_time is not None and number > run.done:
        run.paces.append(max(time - run.last_time, 0.0) / (number - run.done))
    run.done, run.last_time = max(number, run.done), time
    x = time - run.start_time if run.axis == "time" else row["data"].get(run.axis)
    y = row["data"].get(run.drawn)
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        run.curve.add(float(x), float(y))


def _rows(document: RunDocument) -> Sequence[Mapping[str, Any]]:
    content = document.document
    if document.name == "event":
        return [content]
    if document.name != "event_page":
        return []
    return [
        {
            "seq_num": number,
            "time": time,
            "descriptor": content["descriptor"],
            "data": {key: column[index] for key, column in content["data"].items() if index < len(column)},
        }
        for index, (number, time) in enumerate(zip(content["seq_num"], content["time"], strict=False))
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
    text = str(value[:64] if isinstance(value, (str, bytes)) else value)
    return text if len(text) <= 24 else text[:23] + "…"  # noqa: PLR2004 - the width of a column
