"""Readings of a run as columns: the form for NumPy, pandas and matplotlib."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from queueserver_client.events import RunDocument


def columns(documents: Iterable[RunDocument], stream: str = "primary") -> dict[str, list[Any]]:
    """The readings of one stream by name, with "seq_num" and "time" of each, and "run", the uid of its run.

    ::

        table = pandas.DataFrame(columns(handle.documents()))
        intensity = numpy.array(columns(handle.documents())["det1"])

    Columns have the order in which the runs describe them. A reading that an event lacks is None.
    """
    chosen: set[str] = set()
    table: dict[str, list[Any]] = {"run": [], "seq_num": [], "time": []}
    for document in documents:
        content = document.document
        if document.name == "descriptor" and content.get("name") == stream:
            chosen.add(content["uid"])
            for key in content["data_keys"]:
                table.setdefault(key, [None] * len(table["run"]))
        elif document.name in {"event", "event_page"} and content["descriptor"] in chosen:
            _append(table, document.run_uid, content, is_page=document.name == "event_page")
    return table


def _append(table: dict[str, list[Any]], run_uid: str, content: Any, *, is_page: bool) -> None:
    """Add the rows of an event or a page of events."""
    rows = len(content["seq_num"]) if is_page else 1
    given = {"seq_num": content["seq_num"], "time": content["time"], **content["data"]}
    for key in given:
        table.setdefault(key, [None] * len(table["run"]))
    for key, column in table.items():
        if key == "run":
            continue
        value: Any = given.get(key)
        column.extend(value if is_page and key in given else [value] * rows)
    table["run"].extend([run_uid] * rows)
