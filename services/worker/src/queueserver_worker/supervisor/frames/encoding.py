"""Frames to the environment: from the contract's messages to bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

import msgpack
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from queueserver_protos.numbers import python_number

Form: TypeAlias = Callable[[Any], Any]
Forms: TypeAlias = Mapping[str, Form]
"""The forms of messages that are not maps by the names of their fields, by full name."""


def encode(frame: Message, others: tuple[tuple[str, Form], ...] = ()) -> bytes:
    """Encode a frame, without its length; `others` are forms of messages that no frame to the environment has."""
    packed: bytes = msgpack.packb(_body(frame, others))
    return packed


def _body(message: Message, others: tuple[tuple[str, Form], ...]) -> dict[str, Any]:
    return {field.name: _form_of(field, others)(value) for field, value in message.ListFields()}


@cache
def _form_of(field: FieldDescriptor, others: tuple[tuple[str, Form], ...]) -> Form:
    kind = field.message_type
    if kind is None:
        return list if field.is_repeated else _same
    if kind.GetOptions().map_entry:
        value = _form_of(kind.fields_by_name["value"], others)
        return lambda entries: {key: value(entries[key]) for key in entries}
    form = _form_of_message(kind, others)
    return (lambda messages: [form(each) for each in messages]) if field.is_repeated else form


def _form_of_message(kind: Descriptor, others: tuple[tuple[str, Form], ...]) -> Form:
    special = _SPECIAL.get(kind.full_name) or dict(others).get(kind.full_name)
    return special or (lambda message: _body(message, others))


def _same(value: Any) -> Any:
    return value


def _list(values: ListValue) -> list[Any]:
    return [_plain(value) for value in values.values]


def _map(struct: Struct) -> dict[str, Any]:
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: Value) -> Any:
    """Return a value of JSON as Python has it; which numbers become an int is the contract's rule."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return python_number(value.number_value)
    if kind == "string_value":
        return value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return _list(value.list_value)
    if kind == "struct_value":
        return _map(value.struct_value)
    return None


_SPECIAL: Final[Forms] = {
    "google.protobuf.Timestamp": lambda message: message.ToNanoseconds(),
    "google.protobuf.Duration": lambda message: message.ToNanoseconds(),
    "google.protobuf.Struct": _map,
    "google.protobuf.ListValue": _list,
    "google.protobuf.Value": _plain,
}
