"""Names of the keys: all in one slot of a cluster, whatever the prefix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.store.keys import NAMES, Keys


def hashed(key: str) -> str:
    """The part of a key that a cluster hashes, by the words of its specification."""
    start = key.find("{")
    end = key.find("}", start + 1) if start >= 0 else -1
    return key[start + 1 : end] if end > start + 1 else key


@pytest.mark.parametrize(
    ("prefix", "base"),
    [
        ("qs", "{qs}"),
        ("{qs}", "{qs}"),
        ("a{b}c", "a{b}c"),
        ("{}x", "{{}x}"),
        ("", "{queueserver}"),
        ("}x", "{queueserver}}x"),
    ],
)
def test_a_prefix_becomes_a_hash_tag_unless_it_has_one(prefix: str, base: str) -> None:
    assert Keys(prefix).meta == f"{base}:meta"
    assert Keys(prefix, tagged=False).lock_orders == f"{prefix}:lock:orders"


@given(st.text(st.sampled_from("{}:aé"), max_size=8))
def test_all_keys_of_a_prefix_hash_alike(prefix: str) -> None:
    keys = Keys(prefix)
    assert len({hashed(getattr(keys, name)) for name in NAMES}) == 1
    assert hashed(keys.meta) != keys.meta
