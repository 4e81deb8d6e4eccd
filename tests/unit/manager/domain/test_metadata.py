"""Which of the RunEngine's metadata clients may see."""

from __future__ import annotations

from typing import Any

import pytest
from queueserver_manager.domain.metadata import permitted

METADATA = {"a": 1, "b": {"c": 2, "d": {"e": 3, "f": 4}}, "g": [5], "h": {}}


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (["/"], METADATA),
        (["/a", "/"], METADATA),
        ([], {}),
        (["/a"], {"a": 1}),
        (["a"], {"a": 1}),
        (["/b/"], {"b": METADATA["b"]}),
        (["/b/c"], {"b": {"c": 2}}),
        (["/b/d/e"], {"b": {"d": {"e": 3}}}),
        (["/b/c", "/b/d/e", "/a"], {"a": 1, "b": {"c": 2, "d": {"e": 3}}}),
        (["/b/d/e", "/b"], {"b": METADATA["b"]}),
        (["/h"], {"h": {}}),
        (["/x", "/a/y", "/g/0", "/b/x", "/b/d/e/x"], {}),
    ],
)
def test_what_a_key_covers_is_shown_and_nothing_else(keys: list[str], shown: dict[str, Any]) -> None:
    assert permitted(METADATA, keys) == shown


@pytest.mark.parametrize("keys", [["/b/d/e", "/b/d/f"], ["/b/d/e", "/b/d"], ["/b/d", "/b/d/e"]])
def test_keys_with_a_common_beginning_are_shown_together(keys: list[str]) -> None:
    assert permitted(METADATA, keys) == {"b": {"d": {"e": 3, "f": 4}}}


@pytest.mark.parametrize("keys", [["/b", "/b/c"], ["/b/c", "/b"], ["/b/c", "/b/c"]])
def test_the_metadata_themselves_are_not_touched(keys: list[str]) -> None:
    before = repr(METADATA)
    permitted(METADATA, keys)
    assert repr(METADATA) == before
