"""The page about differences says what the table says, no more and no less."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.zmq_bridge.differential.differences import DIFFERENCES

_PAGE: Final = Path(__file__).parents[3] / "docs" / "reference" / "zmq-differences.md"


def test_the_page_has_each_entry_of_the_table_and_no_other() -> None:
    # What differs in descriptions comes behind it: tests/zmq_bridge/descriptions compares these.
    about_answers, _, _ = _PAGE.read_text("utf-8").partition("\n## ")
    lines = [line for line in about_answers.splitlines() if line.startswith("| ")]
    wanted = [f"| {entry.name} | {entry.where} | {entry.what} | {entry.why} |" for entry in DIFFERENCES]
    assert lines == ["| difference | methods | what is different here | why |", *wanted]


def test_each_entry_has_a_name_of_its_own() -> None:
    assert len({entry.name for entry in DIFFERENCES}) == len(DIFFERENCES)
