import io
from typing import Any

from queueserver_environment.documents.live_table import LiveTable

KEYS: dict[str, Any] = {
    "det": {"dtype": "number", "precision": 3},
    "counts": {"dtype": "integer"},
    "state": {"dtype": "string"},
    "image": {"dtype": "array", "shape": [2]},
    "unused": {"dtype": "number"},
}


def run(number: int, hinted: list[str], dimensions: list[Any] | None = None) -> list[tuple[str, dict[str, Any]]]:
    uid = f"{number}-uid-of-the-run"
    start = {"uid": uid, "time": 0.0, "scan_id": number, "plan_name": "count", "plan_type": "generator"}
    hints = {"dev": {"fields": hinted}}
    descriptor = {"uid": f"d{number}", "run_start": uid, "name": "primary", "data_keys": KEYS, "hints": hints}
    data = {"det": 1.23456, "counts": 7, "state": "open", "image": [1, 2], "unused": 0.0}
    return [
        ("start", {**start, "hints": {"dimensions": dimensions or []}}),
        ("descriptor", descriptor),
        ("event", {"descriptor": f"d{number}", "seq_num": 1, "time": 0.0, "data": data}),
        ("stop", {"run_start": uid, "exit_status": "success"}),
    ]


def printed(documents: list[tuple[str, dict[str, Any]]]) -> str:
    out = io.StringIO()
    table = LiveTable(out)
    for name, document in documents:
        table.put(name, document)
    assert table.flush(30)
    return out.getvalue()


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_a_run_is_printed_from_its_scan_number_to_its_summary() -> None:
    text = printed(run(3, ["det"]))
    expected = (
        "Transient Scan ID: 3",
        "Persistent Unique Scan ID: '3-uid",
        "New stream: 'primary'",
        "Run was closed: '3-uid",
    )
    positions = [text.index(part) for part in (*expected, "generator count ['3-uid-of'] (scan num: 3)")]
    assert positions == sorted(positions)


def test_hinted_columns_are_shown_in_the_form_of_their_type_and_scanned_ones_first() -> None:
    header, row = cells(printed(run(1, ["det", "counts", "image"], [(["state"], "primary")])))
    assert header == ["seq_num", "time", "state", "det", "counts"]
    assert row[:1] + row[2:] == ["1", "open", "1.235", "7"]


def test_without_hints_every_scalar_column_is_shown() -> None:
    assert cells(printed(run(1, [])))[0][2:] == ["det", "counts", "state", "unused"]


def test_runs_that_are_open_at_the_same_time_keep_their_own_tables() -> None:
    first, second = run(1, ["det"]), run(2, ["counts"])
    mixed = [document for pair in zip(first, second, strict=True) for document in pair]
    assert [row[2] for row in cells(printed(mixed))] == ["det", "counts", "1.235", "7"]


def test_another_stream_is_only_announced() -> None:
    documents = run(1, ["det"])
    documents[1][1]["name"] = "baseline"
    text = printed(documents)
    assert "New stream: 'baseline'" in text
    assert not cells(text)


def test_a_failed_run_says_why() -> None:
    documents = run(1, ["det"])
    documents[3][1].update(exit_status="fail", reason="no beam")
    assert "(fail: no beam)" in printed(documents)


def test_a_document_that_cant_be_shown_does_not_stop_the_table() -> None:
    text = printed([("start", {"uid": "no time"}), *run(1, ["det"])])
    assert "could not be shown" in text
    assert "1.235" in text


def test_values_that_are_missing_or_of_another_type_are_shown_as_they_are() -> None:
    documents = run(1, ["det", "counts"])
    documents[2][1]["data"] = {"det": "broken"}
    assert cells(printed(documents))[1][2:] == ["broken", ""]


def test_the_header_is_repeated_in_long_tables() -> None:
    documents = run(1, ["det"])
    assert printed([*documents[:2], *[documents[2]] * 120, documents[3]]).count("seq_num") == 3
