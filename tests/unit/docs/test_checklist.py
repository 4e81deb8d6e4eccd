"""The list of what a user sees is complete, and what it says pins a line is there."""

from __future__ import annotations

import re

import pytest

from tests.harness.services import REPOSITORY

CHECKLIST = (REPOSITORY / "tests/tutorials/CHECKLIST.md").read_text(encoding="utf-8")
LINES = 201
_ROW = re.compile(r"^\| (\d+) \| (.*) \| ((?:[^|]|\\\|)+) \|$", re.MULTILINE)
_TEST = re.compile(r"((?:\w+/)*test_\w+\.py)(?:::(test_\w+))?")
_STEP = re.compile(r"(\d\d-[\w-]+\.md) `((?:[^`])*)`")
ROWS = {int(number): pins for number, _, pins in _ROW.findall(CHECKLIST)}


def test_every_line_is_there_once_and_in_order() -> None:
    assert [int(number) for number, _, _ in _ROW.findall(CHECKLIST)] == list(range(1, LINES + 1))


@pytest.mark.parametrize("line", ROWS)
def test_what_pins_a_line_exists(line: int) -> None:
    pins = ROWS[line].replace(r"\|", "|")
    steps, tests = _STEP.findall(pins), _TEST.findall(pins)
    assert steps or tests or pins.startswith("**open**: ")
    assert [f"{page}: {text}" for page, text in steps if text not in _tutorial(page)] == []
    assert [f"{file}::{name}" for file, name in tests if not _is_there(file, name)] == []


def _tutorial(page: str) -> str:
    return (REPOSITORY / "docs/tutorials" / page).read_text(encoding="utf-8")


def _is_there(file: str, name: str) -> bool:
    found = list((REPOSITORY / "tests").rglob(file))
    return bool(found) and (not name or any(f"def {name}(" in path.read_text(encoding="utf-8") for path in found))
