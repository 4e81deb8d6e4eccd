"""The history as a table: one line for each item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from queueserver_client import HistoryEntry, ItemResult

from queueserver_cli.display.table_display import is_wide
from queueserver_cli.short_uids import SHOWN
from queueserver_cli.words.execution_words import seconds

HEADINGS = ("ended", "plan", "how", "seconds", "user", "scans", "uid")
#: Numbers of runs that a line names.
_SCANS = 3


def history_rows(entries: Sequence[HistoryEntry], today: datetime) -> list[list[str]]:
    """The cells of each line. Times are local; of another day they have the date."""
    whole = is_wide()
    return [
        [
            _when(entry.result.stop_time, today),
            entry.item.name,
            str(entry.result.exit_status),
            _taken(entry.result),
            entry.item.user,
            _scans(entry.result),
            entry.item.uid if whole else entry.item.uid[:SHOWN],
        ]
        for entry in entries
    ]


def _when(time: datetime | None, today: datetime) -> str:
    if time is None:
        return ""
    local = time.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"


def _taken(result: ItemResult) -> str:
    taken = seconds(result)
    return "" if taken is None else f"{taken:.1f}"


def _scans(result: ItemResult) -> str:
    numbers = [str(run.scan_id) for run in result.runs if run.scan_id is not None]
    if len(numbers) <= _SCANS:
        return " ".join(numbers)
    return f"{numbers[0]} … {numbers[-1]} ({len(numbers)})"
