"""What docs/how-to/permissions.md shows is true."""

from __future__ import annotations

import re

import pytest
from queueserver_inventory.patterns import device_pattern

from tests.harness.services import REPOSITORY
from tests.unit.common.inventory.device_tree import TREE, nodes

PAGE = (REPOSITORY / "docs" / "how-to" / "permissions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| ((?:`[\w.]+` ?)+)\|$", PAGE.split("<!--", 1)[1], re.MULTILINE)


def test_the_page_has_rows() -> None:
    assert len(ROWS) == 12


@pytest.mark.parametrize(("text", "selected"), ROWS)
def test_a_row_selects_what_it_says(text: str, selected: str) -> None:
    pattern = device_pattern(text)

    assert {".".join(path) for path, traits in nodes(TREE) if pattern.selects(path, traits)} == set(
        re.findall(r"`([^`]+)`", selected)
    )
