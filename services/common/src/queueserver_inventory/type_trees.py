"""Types of parameters as trees: how unions and literals are composed, so that equal types are equal trees.

A union in normal form has at least two options, none of them a union, none twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from queueserver_inventory.parameter_types import ParameterType, TypeKind

_KEYS: Final = frozenset(
    {
        TypeKind.NONE,
        TypeKind.BOOLEAN,
        TypeKind.INTEGER,
        TypeKind.NUMBER,
        TypeKind.ENUM,
        TypeKind.DEVICE,
        TypeKind.PLAN,
        TypeKind.DEVICE_OR_PLAN,
        TypeKind.LITERAL,
    }
)
#: Whole numbers up to this one are the same in JSON and in Python.
_LARGEST_EXACT: Final = 2**53


def union_of(options: Iterable[ParameterType]) -> ParameterType:
    """Any one of some types, in normal form. UNSPECIFIED if there is none."""
    # Their order stays.
    distinct = tuple(dict.fromkeys(flattened(options)))
    if len(distinct) > 1:
        return ParameterType(TypeKind.UNION, distinct)
    return distinct[0] if distinct else ParameterType()


def flattened(types: Iterable[ParameterType]) -> Iterator[ParameterType]:
    """Everything that is possible: types, with the options of a union in place of the union."""
    for tree in types:
        if tree.kind is TypeKind.UNION:
            yield from flattened(tree.arguments)
        else:
            yield tree


def literal_type(values: Sequence[object]) -> ParameterType:
    """One of some values: texts, numbers, truth values, None. Any value if one of them is something else."""
    texts = tuple(dict.fromkeys(value for value in values if isinstance(value, str)))
    found = [scalar_value(value) for value in values if isinstance(value, (bool, int, float))]
    # True equals 1, and is another value.
    scalars = {(isinstance(value, bool), value): value for value in found if value is not None}
    options = []
    if texts:
        options.append(ParameterType(TypeKind.ENUM, choices=texts))
    if scalars:
        options.append(ParameterType(TypeKind.LITERAL, values=tuple(scalars.values())))
    if None in values:
        options.append(ParameterType(TypeKind.NONE))
    if None in found or any(not isinstance(value, (str, bool, int, float, type(None))) for value in values):
        options.append(ParameterType())
    return union_of(options)


def scalar_value(value: float) -> float | None:
    """A number or truth value as JSON has it; None for a number that JSON can't have exactly."""
    if isinstance(value, bool):
        return value
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number) or number != value:
        return None
    return int(number) if number.is_integer() and abs(number) <= _LARGEST_EXACT else number


def key_type(tree: ParameterType) -> ParameterType | None:
    """What the keys of a map stand for; None if they are only texts, as also where no text can stand for them."""
    options = list(flattened([tree]))
    if all(option.kind in _KEYS or option.kind is TypeKind.STRING for option in options) and any(
        option.kind in _KEYS for option in options
    ):
        return tree
    return None


def parts_of(tree: ParameterType) -> Iterator[ParameterType]:
    """The types that a type is made of."""
    yield from tree.arguments
    for field in tree.fields:
        yield field.type
    if tree.key is not None:
        yield tree.key


def named_lists(tree: ParameterType) -> Iterator[ParameterType]:
    """The nodes of a tree that stand for lists which have a name."""
    if tree.type_name and (tree.listed or tree.kind is TypeKind.ENUM):
        yield tree
    for part in parts_of(tree):
        yield from named_lists(part)
