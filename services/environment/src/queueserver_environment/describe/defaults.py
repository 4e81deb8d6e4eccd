"""Defaults that their own hint does not admit, as in `x: float = None`: a default may also be given explicitly.

People write such hints, and forms send every field with its default. So a type is widened by the default, if JSON can
express that.
"""

import math
from enum import Enum
from typing import Any, Final

from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind
from queueserver_inventory.type_trees import literal_type

from queueserver_environment.describe.types.annotations import enum_members
from queueserver_environment.describe.types.value_types import ValueType, plain_type, union_type

_MAX_DEPTH: Final = 8


class _NoJsonError(Exception):
    """JSON can't express a value."""


def admitting(takes: ValueType, default: Any, *, names_convert: bool = False) -> ValueType:
    """Widen a type by a default, if it does not admit it.

    With ``names_convert`` a text in the default is converted like one of a request, so it may be a name. Else it is a
    text for the plan, also where the hint asks for a name.
    """
    try:
        value = _json_value(default, 0)
    except _NoJsonError:
        return takes
    if takes.accepts(value, names=names_convert):
        return takes
    return union_type([takes, plain_type(_type_of(value), of_default=True)])


def _json_value(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _NoJsonError
    if isinstance(value, Enum):
        for text, member in enum_members(type(value)).items():
            if member is value:
                return text
        raise _NoJsonError
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float and math.isfinite(value):
        return int(value) if value.is_integer() else value
    if kind in (list, tuple, set, frozenset):
        return [_json_value(element, depth + 1) for element in value]
    if kind is dict and all(type(key) is str for key in value):
        return {key: _json_value(element, depth + 1) for key, element in value.items()}
    raise _NoJsonError


def _type_of(value: Any) -> ParameterType:
    """The type of this very value."""
    if isinstance(value, list):
        return ParameterType(TypeKind.TUPLE, tuple(map(_type_of, value)))
    if isinstance(value, dict):
        fields = (RecordField(name, _type_of(each), required=True) for name, each in value.items())
        return ParameterType(TypeKind.RECORD, fields=tuple(fields))
    return literal_type([value])
