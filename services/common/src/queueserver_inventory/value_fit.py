"""Whether a value fits a type: the one place that decides, for the Manager and for the Worker.

A value typed as a device or plan must be a name that the caller accepts. What is not typed may be anything. As in
Python, a whole number is a number. Unlike there, a truth value is neither, because JSON keeps them apart and a client
that mixes them up has made a mistake.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from queueserver_inventory.parameter_types import NAMING_KINDS, ParameterType, RecordField, TypeKind
from queueserver_inventory.text_formats import has_format

#: Whether a name stands for something that is there and that a type takes.
IsThere = Callable[[ParameterType, str], bool]


def fits(value: Any, expected: ParameterType, is_there: IsThere) -> bool:
    """Whether a value, made of what JSON has, fits a type. Every argument of each submitted item comes through here."""
    kind = expected.kind
    if kind is TypeKind.UNSPECIFIED or kind is TypeKind.ANY:
        return True
    if kind is TypeKind.UNION:
        return any(fits(value, option, is_there) for option in expected.arguments)
    if kind in NAMING_KINDS:
        return isinstance(value, str) and is_there(expected, value)
    if kind is TypeKind.LIST:
        if not isinstance(value, (list, tuple)):
            return False
        return not expected.arguments or all(fits(element, expected.arguments[0], is_there) for element in value)
    if kind is TypeKind.TUPLE:
        return isinstance(value, (list, tuple)) and _tuple_fits(value, expected.arguments, is_there)
    if kind is TypeKind.MAP:
        return isinstance(value, dict) and _map_fits(value, expected, is_there)
    if kind is TypeKind.RECORD:
        return isinstance(value, dict) and _record_fits(value, expected, is_there)
    return _SCALARS[kind](value, expected)


def field_fits(value: Any, field: RecordField, is_there: IsThere) -> bool:
    """Whether a value fits the type and the bounds of a field."""
    return fits(value, field.type, is_there) and first_outside(value, field.minimum, field.maximum) is None


def key_fits(key: str, expected: ParameterType, is_there: IsThere) -> bool:
    """Whether the text of a key stands for what a type asks for."""
    try:
        key_value(key, expected, is_there)
    except (ValueError, RecursionError):
        return False
    return True


def key_value(key: str, expected: ParameterType, is_there: IsThere) -> Any:
    """What a key stands for if keys are of a type: the text itself, or the number, truth value or None it spells.

    Raises ValueError if it is none of them, and RecursionError if it is nested too deep to be read.
    """
    if fits(key, expected, is_there):
        return key
    meant = json.loads(key)
    if isinstance(meant, (str, list, dict)) or not fits(meant, expected, is_there):
        raise ValueError(key)
    return meant


def first_outside(value: Any, minimum: float | None, maximum: float | None) -> float | None:
    """The first number anywhere inside a value that is not within bounds, which are inclusive; None if all are.

    Numbers in lists and in values of objects count; keys, texts and truth values do not.
    """
    if minimum is None and maximum is None:
        return None
    for number in _numbers_in(value):
        if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
            return number
    return None


def _numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, (int, float)):
        if not isinstance(value, bool):
            yield value
    elif isinstance(value, (list, tuple, dict)):
        for element in value.values() if isinstance(value, dict) else value:
            yield from _numbers_in(element)


def _tuple_fits(values: Sequence[Any], parts: Sequence[ParameterType], is_there: IsThere) -> bool:
    same_length = len(values) == len(parts)
    return same_length and all(fits(one, part, is_there) for one, part in zip(values, parts, strict=True))


def _map_fits(value: Mapping[str, Any], expected: ParameterType, is_there: IsThere) -> bool:
    key = expected.key
    if key is not None and not all(key_fits(name, key, is_there) for name in value):
        return False
    return not expected.arguments or all(fits(one, expected.arguments[0], is_there) for one in value.values())


def _record_fits(value: Mapping[str, Any], expected: ParameterType, is_there: IsThere) -> bool:
    fields = expected.by_name
    if not expected.open and not value.keys() <= fields.keys():
        return False
    if any(field.required and name not in value for name, field in fields.items()):
        return False
    return all(field_fits(one, fields[name], is_there) for name, one in value.items() if name in fields)


def _is_literal(value: Any, expected: ParameterType) -> bool:
    # A default may be an object of any kind, and what it compares like is its own business.
    return isinstance(value, (int, float)) and any(
        value == allowed and isinstance(value, bool) is isinstance(allowed, bool) for allowed in expected.values
    )


def _is_text(value: Any, expected: ParameterType) -> bool:
    return isinstance(value, str) and (not expected.format or has_format(value, expected.format))


def _is_integer(value: Any, _: ParameterType) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SCALARS: Final[Mapping[TypeKind, Callable[[Any, ParameterType], bool]]] = {
    TypeKind.NONE: lambda value, _: value is None,
    TypeKind.BOOLEAN: lambda value, _: isinstance(value, bool),
    TypeKind.INTEGER: _is_integer,
    TypeKind.NUMBER: lambda value, _: isinstance(value, (int, float)) and not isinstance(value, bool),
    TypeKind.STRING: _is_text,
    TypeKind.ENUM: lambda value, expected: isinstance(value, str) and value in expected.choices,
    TypeKind.LITERAL: _is_literal,
    TypeKind.CALLABLE: lambda value, _: isinstance(value, str),
}
