"""Whether a value fits the type and the bounds of a parameter, and in which words it does not.

A value typed as a device or plan must name one that is there and that the submitter may use; if the plan's author
listed names, it must be one of those. What is not typed may be anything.
"""

from __future__ import annotations

import difflib
import heapq
import json
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from queueserver_manager.domain.allowed import AllowedInventory
from queueserver_manager.domain.inventory import ParameterType, TypeKind

_LONGEST_SHOWN = 60
_MOST_CHOICES = 20
#: Names that are compared letter by letter, which takes some 20 microseconds for each.
_MOST_COMPARED = 50
#: Up to here a float can be every whole number.
_ALL_WHOLE_NUMBERS = 2.0**53


@lru_cache(maxsize=256)
def near_matches(name: str, candidates: tuple[str, ...]) -> str:
    """Up to three similar names, quoted, or empty text. The same mistake is often made in a whole batch.

    Of thousands of names only those that share most pairs of letters are compared: nobody may wait for a mistake.
    """
    name, compared = name[:100], candidates
    if len(candidates) > _MOST_COMPARED:
        pairs = set(pairwise(name))
        compared = tuple(
            heapq.nlargest(_MOST_COMPARED, candidates, key=lambda other: len(pairs.intersection(pairwise(other))))
        )
    return ", ".join(repr(match) for match in difflib.get_close_matches(name, compared, n=3))


def fits(value: Any, expected: ParameterType, allowed: AllowedInventory) -> bool:
    """Whether a value fits a type: the same as an empty ``mismatch``, without the words for what is wrong.

    Nearly every value fits, and every argument of every submitted item comes through here.
    """
    kind = expected.kind
    if kind is TypeKind.UNTYPED or kind is TypeKind.ANY:
        return True
    if kind is TypeKind.UNION:
        return any(fits(value, option, allowed) for option in expected.arguments)
    if kind in _NAMING:
        return isinstance(value, str) and _is_named(value, expected, allowed)
    if kind is TypeKind.LIST and isinstance(value, list) and expected.arguments:
        element_type = expected.arguments[0]
        return all(fits(element, element_type, allowed) for element in value)
    return not mismatch(value, expected, allowed)


def mismatch(value: Any, expected: ParameterType, allowed: AllowedInventory) -> str:
    """What is wrong with a value, as a phrase; empty if it fits.

    As in Python, a whole number is a number. Unlike there, a truth value is neither, because JSON keeps them
    apart and a client that mixes them up has made a mistake.
    """
    kind = expected.kind
    if kind in (TypeKind.UNTYPED, TypeKind.ANY):
        return ""
    if kind is TypeKind.UNION:
        if any(not mismatch(value, option, allowed) for option in expected.arguments):
            return ""
        unknown = [mismatch(value, o, allowed) for o in expected.arguments if o.kind in _NAMING and _is_text(value)]
        return unknown[0] if unknown else f"must be {describe(expected)}, not {_shown(value)}"
    if kind in (TypeKind.LIST, TypeKind.TUPLE, TypeKind.MAP):
        return _container_mismatch(value, expected, allowed)
    if kind in _NAMING:
        return _name_mismatch(value, expected, allowed)
    if not _SCALARS[kind](value, expected):
        return f"must be {describe(expected)}, not {_shown(value)}"
    return ""


def _container_mismatch(value: Any, expected: ParameterType, allowed: AllowedInventory) -> str:
    if not isinstance(value, dict if expected.kind is TypeKind.MAP else list):
        return f"must be {describe(expected)}, not {_shown(value)}"
    if expected.kind is TypeKind.TUPLE:
        if len(value) != len(expected.arguments):
            return f"must have {len(expected.arguments)} elements, not {len(value)}"
        pairs = list(zip(value, expected.arguments, strict=True))
    elif not expected.arguments:
        return ""
    else:
        elements = value.values() if isinstance(value, dict) else value
        pairs = [(element, expected.arguments[0]) for element in elements]
    for index, (element, element_type) in enumerate(pairs):
        problem = mismatch(element, element_type, allowed)
        if problem:
            return f"element {index} {problem}"
    return ""


def _is_named(name: str, expected: ParameterType, allowed: AllowedInventory) -> bool:
    """Whether a name stands for something that may be used here."""
    return (not expected.listed or name in expected.choices) and allowed.offers(expected.kind, name)


def _name_mismatch(value: Any, expected: ParameterType, allowed: AllowedInventory) -> str:
    what = describe(expected)
    if not isinstance(value, str):
        return f"must be {what}, not {_shown(value)}"
    if _is_named(value, expected, allowed):
        return ""
    if expected.listed:
        return f"must be {what}, not {_shown(value)}"
    names = allowed.device_names() if expected.kind is not TypeKind.PLAN else iter(())
    plans = allowed.plan_names() if expected.kind is not TypeKind.DEVICE else iter(())
    near = near_matches(value, (*names, *plans))
    return f"must be {what}, and there is no {value[:_LONGEST_SHOWN]!r} that you may use" + (
        f"; did you mean {near}?" if near else ""
    )


def out_of_bounds(value: Any, minimum: float | None, maximum: float | None) -> str:
    """What is wrong with the numbers anywhere inside a value, as a phrase; empty if all are within the bounds.

    Numbers in lists and in values of objects count; keys, texts and truth values do not. Bounds are inclusive.
    """
    for number in _numbers_in(value):
        if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
            return f"must be {_range(minimum, maximum)}, not {_shown(number)}"
    return ""


def _numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value
    elif isinstance(value, (list, dict)):
        for element in value.values() if isinstance(value, dict) else value:
            yield from _numbers_in(element)


def _range(minimum: float | None, maximum: float | None) -> str:
    lower = None if minimum is None else _bound(minimum, -math.inf, "at least", "more than")
    upper = None if maximum is None else _bound(maximum, math.inf, "at most", "less than")
    if lower and upper and (lower[0], upper[0]) == ("at least", "at most"):
        return f"from {lower[1]} to {upper[1]}"
    return " and ".join(" ".join(bound) for bound in (lower, upper) if bound)


def _bound(bound: float, outside: float, inclusive: str, exclusive: str) -> tuple[str, str]:
    """The words and the number for a bound; a type that excludes 5 comes as the number right beside it."""
    text, beside = _exact(bound), _rounded(math.nextafter(bound, outside))
    # Further from 0 there are whole numbers between neighbours, for which the words would not be true.
    if beside and len(beside) < len(text) and abs(bound) < _ALL_WHOLE_NUMBERS:
        return exclusive, beside
    return inclusive, text


def _exact(number: float) -> str:
    """A text that is this very number, as short as people would write it."""
    return _rounded(number) or repr(float(number)).removesuffix(".0")


def _rounded(number: float) -> str:
    """A number in 15 digits, as people write it; empty if it has more of them."""
    text = f"{number + 0.0:.15g}"  # which makes -0 a 0
    return text if float(text) == number else ""


def _is_text(value: Any, _: ParameterType | None = None) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any, _: ParameterType | None = None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SCALARS: dict[TypeKind, Callable[[Any, ParameterType], bool]] = {
    TypeKind.NONE: lambda value, _: value is None,
    TypeKind.BOOLEAN: lambda value, _: isinstance(value, bool),
    TypeKind.INTEGER: _is_integer,
    TypeKind.NUMBER: lambda value, _: isinstance(value, (int, float)) and not isinstance(value, bool),
    TypeKind.STRING: _is_text,
    TypeKind.ENUM: lambda value, expected: isinstance(value, str) and value in expected.choices,
    TypeKind.CALLABLE: _is_text,
}

_NAMES = {
    TypeKind.NONE: "null",
    TypeKind.BOOLEAN: "true or false",
    TypeKind.INTEGER: "a whole number",
    TypeKind.NUMBER: "a number",
    TypeKind.STRING: "text",
    TypeKind.LIST: "a list",
    TypeKind.TUPLE: "a list",
    TypeKind.MAP: "an object",
    TypeKind.DEVICE: "the name of a device",
    TypeKind.PLAN: "the name of a plan",
    TypeKind.DEVICE_OR_PLAN: "the name of a device or plan",
    TypeKind.CALLABLE: "a dotted name",
}


_NAMING = frozenset({TypeKind.DEVICE, TypeKind.PLAN, TypeKind.DEVICE_OR_PLAN})


def describe(expected: ParameterType) -> str:
    """A type as people read it."""
    if expected.kind is TypeKind.UNION:
        return " or ".join(dict.fromkeys(describe(option) for option in expected.arguments))
    if expected.kind is TypeKind.ENUM or expected.listed:
        return _one_of(expected.choices)
    if expected.kind is TypeKind.LIST and expected.arguments:
        return f"a list (each element {describe(expected.arguments[0])})"
    return _NAMES.get(expected.kind, "anything")


def _one_of(choices: Sequence[str]) -> str:
    if not choices:
        return "a name of a list that has none for you"
    more = len(choices) - _MOST_CHOICES
    shown = ", ".join(repr(choice) for choice in choices[:_MOST_CHOICES])
    return f"one of {shown}" + (f" and {more} more" if more > 0 else "")


def _shown(value: Any) -> str:
    """A value as JSON has it, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
