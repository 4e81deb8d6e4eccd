"""Documents counted, and their readings put into columns."""

from __future__ import annotations

from typing import Any

import pytest
from queueserver_client import RunDocument, RunSummary, columns
from queueserver_client.items.run_tally import RunTally


def document(kind: str, run: str = "r", /, **content: Any) -> RunDocument:
    return RunDocument("item", run, kind, content)


def descriptor(stream: str, *keys: str, run: str = "r") -> RunDocument:
    return document("descriptor", run, uid=f"{run}.{stream}", name=stream, data_keys=dict.fromkeys(keys))


def event(stream: str, number: int, run: str = "r", **data: Any) -> RunDocument:
    return document("event", run, descriptor=f"{run}.{stream}", seq_num=number, time=float(number), data=data)


def page(stream: str, numbers: list[int], **data: Any) -> RunDocument:
    times = [float(number) for number in numbers]
    return document("event_page", descriptor=f"r.{stream}", seq_num=numbers, time=times, data=data)


def test_only_the_chosen_stream_is_read_and_pages_have_a_row_for_each_event() -> None:
    documents = [
        document("start", uid="r"),
        descriptor("baseline", "ring"),
        descriptor("primary", "x", "y"),
        event("baseline", 1, ring=500),
        event("primary", 1, x=1, y=2),
        page("primary", [2, 3], x=[3, 5], y=[4, 6]),
        document("stop", run_start="r"),
    ]
    assert columns(documents) == {
        "run": ["r"] * 3,
        "seq_num": [1, 2, 3],
        "time": [1.0, 2.0, 3.0],
        "x": [1, 3, 5],
        "y": [2, 4, 6],
    }
    assert columns(documents, "baseline")["ring"] == [500]


def test_runs_with_other_readings_leave_none_where_they_have_none() -> None:
    documents = [
        descriptor("primary", "x"),
        event("primary", 1, x=1),
        descriptor("primary", "y", run="s"),
        event("primary", 1, run="s", y=2),
    ]
    table = columns(documents)
    assert (table["run"], table["x"], table["y"]) == (["r", "s"], [1, None], [None, 2])


WHOLE = [
    document("start", uid="r"),
    descriptor("primary", "x"),
    event("primary", 1, x=1),
    page("primary", [2, 3], x=[2, 3]),
    document("stop", num_events={"primary": 3, "empty": 0}),
]


def missing(documents: list[RunDocument], *, is_open: bool = False, gap: bool = False) -> tuple[str, ...]:
    tally = RunTally()
    tally.gap = gap
    for one in documents:
        tally.take(one)
    return tally.incomplete([RunSummary("r", 1, is_open, "success")])


@pytest.mark.parametrize("gap", [True, False])
def test_a_run_is_whole_if_as_many_events_came_as_its_stop_document_says(*, gap: bool) -> None:
    assert missing(WHOLE, gap=gap) == ()


@pytest.mark.parametrize("lacking", [0, 2, 3, 4])
def test_a_run_of_which_a_document_did_not_come_is_named(lacking: int) -> None:
    assert missing(WHOLE[:lacking] + WHOLE[lacking + 1 :]) == ("r",)


def test_where_documents_say_nothing_a_gap_decides() -> None:
    unfinished = WHOLE[:3]
    uncounted = [*unfinished, document("stop")]
    assert missing(unfinished, is_open=True) == missing(uncounted) == ()
    assert missing(unfinished, is_open=True, gap=True) == missing(uncounted, gap=True) == ("r",)
    assert missing(unfinished) == ("r",)
