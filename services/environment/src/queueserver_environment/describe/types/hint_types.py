"""What a type hint accepts and what the plan gets: from Python's annotations to types of the contract.

Guarantees: the tree is plain data that needs no evaluation. What can't be expressed is UNSPECIFIED (any
value, names convert) where it stands, never an error, and is listed as unchecked; the rest of a hint is kept.
"""

import typing
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from typing import Any, Final

import numpy as np
from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind
from queueserver_inventory.type_text import TypeTextError, read_type
from queueserver_inventory.type_trees import key_type, literal_type

from queueserver_environment.describe.defaults import admitting
from queueserver_environment.describe.devices import class_name
from queueserver_environment.describe.types.annotations import (
    device_protocol,
    enum_members,
    is_bare_iterable,
    unwrapped,
)
from queueserver_environment.describe.types.class_kinds import kind_of, text_format
from queueserver_environment.describe.types.hint_text import hint_text
from queueserver_environment.describe.types.limits import limits_of
from queueserver_environment.describe.types.literals import default_text
from queueserver_environment.describe.types.made_of import array_maker, maker_of
from queueserver_environment.describe.types.records import NO_DEFAULT, Field, is_named_tuple, record_of
from queueserver_environment.describe.types.value_types import ValueType, plain_type, unchecked_in, union_type

_MAX_DEPTH: Final = 12
_ANY: Final = ParameterType(TypeKind.ANY)


def hint_type(hint: Any) -> ValueType:
    """Read a resolved hint; of one that is still text, what can be read without its names."""
    return _of(hint, 0, ())


def parameter_type(hint: Any) -> ParameterType:
    """Express a resolved hint as a tree."""
    return hint_type(hint).tree


def unknown_type(hint: Any) -> ValueType:
    """Any value: nothing is known about the hint."""
    return ValueType(ParameterType(), unchecked=(hint_text(hint),))


def _of(hint: Any, depth: int, above: tuple[type, ...]) -> ValueType:
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        return _of_text(hint)
    inner = unwrapped(hint)
    if depth >= _MAX_DEPTH or is_unpacked(hint):
        return unknown_type(hint)
    if inner is not hint:
        return _of(inner, depth + 1, above)
    kind = kind_of(hint)
    read = _READERS.get(kind)
    if read is not None:
        return read(hint, depth + 1, above)
    if kind is TypeKind.UNSPECIFIED and hint is not NO_DEFAULT:
        return unknown_type(hint)
    origin = typing.get_origin(hint) or hint
    return ValueType(ParameterType(kind, format=text_format(origin)), make=maker_of(origin))


def is_unpacked(hint: Any) -> bool:
    """Tell whether a hint is that of several arguments: Unpack[...], or a tuple with a star."""
    origin = typing.get_origin(hint)
    return getattr(origin, "_name", "") == "Unpack" or getattr(hint, "__unpacked__", False) is True


def _of_text(text: str) -> ValueType:
    try:
        known = plain_type(read_type(text, lenient=True))
    except TypeTextError:
        return unknown_type(text)
    is_whole = all(each.kind is not TypeKind.UNSPECIFIED for each in known.everything)
    return known if is_whole else replace(known, unchecked=(text,))


def _enum_type(cls: type[Enum], *_: Any) -> ValueType:
    members = enum_members(cls)
    tree = ParameterType(TypeKind.ENUM, choices=tuple(members), type_name=cls.__name__)
    return ValueType(tree, make=lambda text: members.get(text, text))


def _literal_options(hint: Any) -> Iterator[ValueType]:
    values = typing.get_args(hint)
    texts: dict[str, Any] = {}
    for cls in dict.fromkeys(type(value) for value in values if isinstance(value, Enum)):
        chosen = {text: member for text, member in enum_members(cls).items() if member in values}
        texts |= chosen
        yield replace(_enum_type(cls), tree=ParameterType(TypeKind.ENUM, choices=tuple(chosen), type_name=cls.__name__))
    data = {text: value for value in values if isinstance(value, bytes) for text in _utf8(value)}
    if data:
        yield ValueType(ParameterType(TypeKind.ENUM, choices=tuple(data)), make=lambda text: data.get(text, text))
    others = [value for value in values if not isinstance(value, Enum) and value not in data.values()]
    if others:
        tree = literal_type(others)
        for option in plain_type(tree).options:
            is_whole = option.kind is not TypeKind.UNSPECIFIED
            yield option if is_whole else replace(option, unchecked=(hint_text(hint),))


def _utf8(value: bytes) -> Iterator[str]:
    try:
        yield value.decode()
    except UnicodeDecodeError:
        return


def _union_type(hint: Any, depth: int, above: tuple[type, ...]) -> ValueType:
    return union_type(_of(part, depth, above) for part in typing.get_args(hint))


def _literal_type(hint: Any, *_: Any) -> ValueType:
    return union_type(_literal_options(hint))


def _list_type(hint: Any, depth: int, above: tuple[type, ...]) -> ValueType:
    kind = kind_of(hint)
    origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is np.ndarray:
        unchecked = (f"elements of {hint_text(hint)}",)
        return ValueType(ParameterType(kind), make=array_maker(arguments), unchecked=unchecked)
    if kind is TypeKind.LIST:
        arguments = arguments[:1]
    parts = tuple(_of(part, depth, above) for part in arguments)
    if is_bare_iterable(hint):
        parts = (ValueType(_ANY),)
    tree = ParameterType(kind, tuple(part.tree for part in parts))
    maker = tuple if origin is typing.Tuple else maker_of(origin)  # noqa: UP006 - users write it
    return ValueType(tree, parts, make=maker, unchecked=unchecked_in(parts))


def _map_type(hint: Any, depth: int, above: tuple[type, ...]) -> ValueType:
    origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    make = maker_of(origin)
    if len(arguments) != len(("key", "value")):
        return ValueType(ParameterType(TypeKind.MAP), make=make)
    key, value = (_of(part, depth, above) for part in arguments)
    unchecked = list(value.unchecked)
    known = key_type(key.tree)
    if known is None and not _takes_texts(key):
        unchecked.append(f"keys {hint_text(arguments[0])}")
    tree = ParameterType(TypeKind.MAP, (value.tree,), key=known)
    return ValueType(tree, (value,), key=key if known else None, make=make, unchecked=tuple(unchecked))


def _takes_texts(key: ValueType) -> bool:
    return any(option.kind in (TypeKind.ANY, TypeKind.STRING) and not option.make for option in key.options)


def _device_type(hint: Any, *_: Any) -> ValueType:
    cls = typing.get_origin(hint) or hint
    protocol = device_protocol(cls) or ""
    if cls.__module__ == "bluesky.protocols":
        return ValueType(ParameterType(TypeKind.DEVICE, device_protocol=protocol))
    if getattr(cls, "_is_protocol", False):
        return ValueType(ParameterType(TypeKind.DEVICE, device_protocol=protocol), unchecked=(hint_text(cls),))
    tree = ParameterType(TypeKind.DEVICE, device_protocol=protocol, device_class=class_name(cls))
    return ValueType(tree, device_class=cls)


def _record_type(hint: Any, depth: int, above: tuple[type, ...]) -> ValueType:
    cls = typing.get_origin(hint) or hint
    if cls in above:
        return unknown_type(hint)
    try:
        record = record_of(cls)
    except BaseException:  # noqa: BLE001 - protects the plan from what the code of a class raises
        return unknown_type(cls)
    if not record.fields and record.is_open:
        # Which fields it takes is decided by its own code.
        anything = ParameterType(TypeKind.MAP, (ParameterType(),))
        return replace(plain_type(anything), make=record.make, unchecked=(hint_text(cls),))
    fields = {each.name: _field_type(each, depth, (*above, cls)) for each in record.fields}
    described = tuple(_field(each, fields[each.name].tree) for each in record.fields)
    tree = ParameterType(TypeKind.RECORD, type_name=cls.__name__, fields=described, open=record.is_open)
    unchecked = tuple(f"{cls.__name__}.{name}: {text}" for name, each in fields.items() for text in each.unchecked)
    by_name = ValueType(tree, fields=fields, make=record.make, unchecked=unchecked)
    if not is_named_tuple(cls):
        return by_name
    parts = tuple(fields.values())
    by_position = ParameterType(TypeKind.TUPLE, tuple(part.tree for part in parts))
    return union_type([by_name, ValueType(by_position, parts, make=lambda values: cls(*values))])


def _field_type(each: Field, depth: int, above: tuple[type, ...]) -> ValueType:
    if each.is_unchecked:
        return unknown_type(each.hint)
    return admitting(_of(each.hint, depth, above), each.default)


def _field(each: Field, tree: ParameterType) -> RecordField:
    limits = limits_of(each.hint)
    has_default = each.default is not NO_DEFAULT and not each.required
    return RecordField(
        each.name,
        tree,
        each.required,
        default_text=default_text(each.default) if has_default else None,
        minimum=limits.get("min"),
        maximum=limits.get("max"),
    )


_READERS: Final[dict[TypeKind, Callable[[Any, int, tuple[type, ...]], ValueType]]] = {
    TypeKind.UNION: _union_type,
    TypeKind.LITERAL: _literal_type,
    TypeKind.ENUM: _enum_type,
    TypeKind.RECORD: _record_type,
    TypeKind.DEVICE: _device_type,
    TypeKind.LIST: _list_type,
    TypeKind.TUPLE: _list_type,
    TypeKind.MAP: _map_type,
}
