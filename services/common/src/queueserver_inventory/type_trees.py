"""Types of parameters as trees: how unions and literals are composed, so that equal types are equal trees.

A union in normal form has at least two options, none of them a union, none twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from google.protobuf.struct_pb2 import Value
from queueserver.common.v1.inventory_pb2 import ParameterType

_KEYS: Final = frozenset(
    {
        ParameterType.KIND_NONE,
        ParameterType.KIND_BOOLEAN,
        ParameterType.KIND_INTEGER,
        ParameterType.KIND_NUMBER,
        ParameterType.KIND_ENUM,
        ParameterType.KIND_DEVICE,
        ParameterType.KIND_PLAN,
        ParameterType.KIND_DEVICE_OR_PLAN,
        ParameterType.KIND_LITERAL,
    }
)


def union_of(options: Iterable[ParameterType]) -> ParameterType:
    """Any one of some types, in normal form. KIND_UNSPECIFIED if there is none."""
    distinct: list[ParameterType] = []
    for option in flattened(options):
        if option not in distinct:
            distinct.append(option)
    if len(distinct) > 1:
        return ParameterType(kind=ParameterType.KIND_UNION, arguments=distinct)
    return distinct[0] if distinct else ParameterType()


def flattened(types: Iterable[ParameterType]) -> Iterator[ParameterType]:
    """Everything that is possible: types, with the options of a union in place of the union."""
    for tree in types:
        if tree.kind == ParameterType.KIND_UNION:
            yield from flattened(tree.arguments)
        else:
            yield tree


def literal_type(values: Sequence[object]) -> ParameterType:
    """One of some values: texts, numbers, truth values, None. Any value if one of them is something else."""
    texts = list(dict.fromkeys(value for value in values if isinstance(value, str)))
    scalars = _distinct(scalar_value(value) for value in values if isinstance(value, (bool, int, float)))
    options = []
    if texts:
        options.append(ParameterType(kind=ParameterType.KIND_ENUM, choices=texts))
    if any(scalars):
        options.append(ParameterType(kind=ParameterType.KIND_LITERAL, values=filter(None, scalars)))
    if None in values:
        options.append(ParameterType(kind=ParameterType.KIND_NONE))
    if not all(scalars) or any(not isinstance(value, (str, bool, int, float, type(None))) for value in values):
        options.append(ParameterType())
    return union_of(options)


def scalar_value(value: float) -> Value | None:
    """A number or truth value as JSON has it; None for a number that JSON can't have exactly."""
    if isinstance(value, bool):
        return Value(bool_value=value)
    try:
        number = float(value)
    except OverflowError:
        return None
    return Value(number_value=number) if math.isfinite(number) and number == value else None


def key_type(tree: ParameterType) -> ParameterType | None:
    """What the keys of a map stand for; None if they are only texts, as also where no text can stand for them."""
    options = list(flattened([tree]))
    if all(option.kind in _KEYS or option.kind == ParameterType.KIND_STRING for option in options) and any(
        option.kind in _KEYS for option in options
    ):
        return tree
    return None


def parts_of(tree: ParameterType) -> Iterator[ParameterType]:
    """The types that a type is made of."""
    yield from tree.arguments
    for field in tree.fields:
        yield field.type
    if tree.HasField("key"):
        yield tree.key


def named_lists(tree: ParameterType) -> Iterator[ParameterType]:
    """The nodes of a tree that stand for lists which have a name."""
    if tree.type_name and (tree.listed or tree.kind == ParameterType.KIND_ENUM):
        yield tree
    for part in parts_of(tree):
        yield from named_lists(part)


def _distinct(values: Iterable[Value | None]) -> list[Value | None]:
    found: list[Value | None] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
