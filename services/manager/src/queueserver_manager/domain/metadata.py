"""Which of the RunEngine's metadata clients may see.

A permitted key is a path: "/" stands for everything, "/a" for the entry "a" and all below it, "/a/b" for the entry
"b" of "a".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def permitted(metadata: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The part of the metadata that the keys cover."""
    shown: dict[str, Any] = {}
    for key in keys:
        path = [part for part in key.split("/") if part]
        if not path:
            return dict(metadata)
        _copy(metadata, shown, path)
    return shown


def _copy(source: Mapping[str, Any], target: dict[str, Any], path: list[str]) -> None:
    name, *rest = path
    if name not in source:
        return
    if not rest:
        target[name] = source[name]
    elif isinstance(source[name], Mapping):
        below: dict[str, Any] = {}
        _copy(source[name], below, rest)
        if below:
            target[name] = {**target[name], **below} if isinstance(target.get(name), dict) else below
