"""Types and values in the words of a refusal."""

from __future__ import annotations

import difflib
import heapq
import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from queueserver_inventory.parameter_types import ParameterType, TypeKind

LONGEST_SHOWN = 60
_MOST_CHOICES = 20
#: Names that are compared letter by letter, which takes some 20 microseconds for each.
_MOST_COMPARED = 50


@lru_cache(maxsize=256)
def near_matches(name: str, candidates: tuple[str, ...]) -> str:
    """Up to three similar names, quoted, or empty text. The same mistake is often made in a whole batch.

    Of thousands of names only those that share most pairs of letters are compared, so a mistake makes no client wait.
    """
    name, compared = name[:100], candidates
    if len(candidates) > _MOST_COMPARED:
        pairs = set(pairwise(name))
        compared = tuple(
            heapq.nlargest(_MOST_COMPARED, candidates, key=lambda other: len(pairs.intersection(pairwise(other))))
        )
    return ", ".join(repr(match) for match in difflib.get_close_matches(name, compared, n=3))


_NAMES = {
    TypeKind.NONE: "null",
    TypeKind.BOOLEAN: "true or false",
    TypeKind.INTEGER: "a whole number",
    TypeKind.NUMBER: "a number",
    TypeKind.LIST: "a list",
    TypeKind.TUPLE: "a list",
    TypeKind.MAP: "an object",
    TypeKind.PLAN: "the name of a plan",
    TypeKind.DEVICE_OR_PLAN: "the name of a device or plan",
    TypeKind.CALLABLE: "a dotted name",
}
_FORMATS = {
    "date-time": "a date and time, as 2026-01-31T12:30:00",
    "date": "a date, as 2026-01-31",
    "time": "a time, as 12:30:00",
    "uuid": "a UUID",
}


def describe(expected: ParameterType) -> str:
    """A type as people read it."""
    kind = expected.kind
    if kind is TypeKind.UNION:
        return " or ".join(dict.fromkeys(describe(option) for option in expected.arguments))
    if kind is TypeKind.ENUM or expected.listed:
        return _one_of(expected.choices)
    if kind is TypeKind.LITERAL:
        return " or ".join(map(shown, expected.values)) or "a value of a list that has none"
    if kind is TypeKind.LIST and expected.arguments:
        return f"a list (each element {describe(expected.arguments[0])})"
    if kind is TypeKind.DEVICE:
        return f"the name of a device{_asked(expected)}"
    if kind is TypeKind.STRING:
        return _FORMATS.get(expected.format, "text")
    if kind is TypeKind.RECORD:
        return f"an object with {', '.join(expected.by_name) or 'no fields'}"
    return _NAMES.get(kind, "anything")


def _asked(expected: ParameterType) -> str:
    """What a device must be able to do."""
    if expected.device_class:
        return f" of the class {expected.device_class.rpartition('.')[2]}"
    return " that can be moved" if expected.device_protocol == "Movable" else ""


def shown(value: Any) -> str:
    """A value as JSON has it, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _one_of(choices: Sequence[str]) -> str:
    if not choices:
        return "a name of a list that has none for you"
    more = len(choices) - _MOST_CHOICES
    listed = ", ".join(repr(choice) for choice in choices[:_MOST_CHOICES])
    return f"one of {listed}" + (f" and {more} more" if more > 0 else "")
