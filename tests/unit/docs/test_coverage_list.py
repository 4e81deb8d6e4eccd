"""The list of what the end-to-end tests show names tests that there are."""

from __future__ import annotations

import re

from tests.harness.services import REPOSITORY

E2E = REPOSITORY / "tests" / "e2e"
REFERENCE = re.compile(r"\b(test_\w+\.py)::(test_\w+)")


def test_every_test_that_the_list_names_exists() -> None:
    named = REFERENCE.findall((E2E / "COVERAGE.md").read_text(encoding="utf-8"))
    sources = {path.name: path.read_text(encoding="utf-8") for path in E2E.glob("test_*.py")}
    missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in sources.get(file, "")]
    assert len(named) > 100
    assert missing == []
