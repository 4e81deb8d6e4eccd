"""Whether a value fits a type, for code that has the type as the contract sends it.

The rules are those of the Manager, which says in words what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from queueserver.common.v1.inventory_pb2 import ParameterType

from queueserver_inventory.text_formats import has_format

_T = ParameterType
#: Whether a name stands for something that is there and fits a type.
IsThere = Callable[[ParameterType, str], bool]
_NAMING: Final = frozenset({_T.KIND_DEVICE, _T.KIND_PLAN, _T.KIND_DEVICE_OR_PLAN})


def fits(tree: ParameterType, value: Any, is_there: IsThere) -> bool:
    """Whether a value, made of what JSON has, fits a type."""
    if tree.kind == _T.KIND_UNION:
        return any(fits(part, value, is_there) for part in tree.arguments)
    if tree.kind in _NAMING:
        return isinstance(value, str) and is_there(tree, value)
    if tree.kind in (_T.KIND_LIST, _T.KIND_TUPLE):
        return isinstance(value, (list, tuple)) and _list_fits(tree, value, is_there)
    if tree.kind == _T.KIND_MAP:
        return isinstance(value, dict) and _map_fits(tree, value, is_there)
    if tree.kind == _T.KIND_RECORD:
        return isinstance(value, dict) and _record_fits(tree, value, is_there)
    check = _SCALARS.get(tree.kind)
    return check is None or check(tree, value)


def key_value(tree: ParameterType, key: str, is_there: IsThere) -> Any:
    """What a key stands for if keys are of a type: the text itself, or the number, truth value or None it spells.

    Raises ValueError if it is none of them.
    """
    if fits(tree, key, is_there):
        return key
    meant = json.loads(key)
    if isinstance(meant, (str, list, dict)) or not fits(tree, meant, is_there):
        raise ValueError(key)
    return meant


def _list_fits(tree: ParameterType, value: Any, is_there: IsThere) -> bool:
    if tree.kind == _T.KIND_LIST:
        return all(fits(part, one, is_there) for part in tree.arguments for one in value)
    same_length = len(value) == len(tree.arguments)
    return same_length and all(fits(part, one, is_there) for part, one in zip(tree.arguments, value, strict=True))


def _map_fits(tree: ParameterType, value: Mapping[str, Any], is_there: IsThere) -> bool:
    if tree.HasField("key") and not all(_key_fits(tree.key, key, is_there) for key in value):
        return False
    return all(fits(part, one, is_there) for part in tree.arguments for one in value.values())


def _key_fits(tree: ParameterType, key: str, is_there: IsThere) -> bool:
    try:
        key_value(tree, key, is_there)
    except (ValueError, RecursionError):
        return False
    return True


def _record_fits(tree: ParameterType, value: Mapping[str, Any], is_there: IsThere) -> bool:
    fields = {field.name: field for field in tree.fields}
    if not tree.open and not value.keys() <= fields.keys():
        return False
    if any(field.required and field.name not in value for field in tree.fields):
        return False
    return all(fits(fields[name].type, one, is_there) for name, one in value.items() if name in fields)


def is_literal(tree: ParameterType, value: Any) -> bool:
    """Whether a value is one of those of a KIND_LITERAL."""
    if isinstance(value, bool):
        return any(each.WhichOneof("kind") == "bool_value" and each.bool_value is value for each in tree.values)
    is_number = isinstance(value, (int, float))
    return is_number and any(
        each.WhichOneof("kind") == "number_value" and each.number_value == value for each in tree.values
    )


def _is_text(tree: ParameterType, value: Any) -> bool:
    return isinstance(value, str) and (not tree.format or has_format(value, tree.format))


def _is_number(_: ParameterType, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_SCALARS: Final[dict[_T.Kind.ValueType, Callable[[ParameterType, Any], bool]]] = {
    _T.KIND_NONE: lambda _, value: value is None,
    _T.KIND_BOOLEAN: lambda _, value: isinstance(value, bool),
    _T.KIND_INTEGER: lambda _, value: isinstance(value, int) and not isinstance(value, bool),
    _T.KIND_NUMBER: _is_number,
    _T.KIND_STRING: _is_text,
    _T.KIND_ENUM: lambda tree, value: isinstance(value, str) and value in tree.choices,
    _T.KIND_LITERAL: is_literal,
    _T.KIND_CALLABLE: lambda _, value: isinstance(value, str),
}
