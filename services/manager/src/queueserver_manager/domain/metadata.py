"""Which of the RunEngine's metadata clients may see.

A permitted key is a path: "/" stands for everything, "/a" for the entry "a" and all below it, "/a/b" for the entry
"b" of "a".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_Path = Sequence[str]


def permitted(metadata: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The part of the metadata that the keys cover."""
    return _covered(metadata, [[part for part in key.split("/") if part] for key in keys])


def _covered(metadata: Mapping[str, Any], paths: Sequence[_Path]) -> dict[str, Any]:
    """What the paths lead to; the empty one leads to everything."""
    if any(not path for path in paths):
        return dict(metadata)
    shown: dict[str, Any] = {}
    for name, value in metadata.items():
        below = [path[1:] for path in paths if path[0] == name]
        if any(not path for path in below):
            shown[name] = value
        elif below and isinstance(value, Mapping):
            part = _covered(value, below)
            if part:
                shown[name] = part
    return shown
