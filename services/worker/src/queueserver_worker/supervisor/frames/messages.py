"""Messages of the contract: filled from maps that were read, field by field, as their descriptors say.

What a field takes is worked out once for each kind of message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from queueserver_worker.supervisor.frames.alike import remembering
from queueserver_worker.supervisor.frames.data_values import fill, fill_list_value, fill_struct, fill_value
from queueserver_worker.supervisor.frames.documents import fill_document
from queueserver_worker.supervisor.frames.packed import BadFrameError

MAX_NESTING: Final = 40
"""Messages in messages: Protobuf readers allow 100 levels."""
_NANOSECONDS: Final = 1_000_000_000
Fill: TypeAlias = Callable[[Any, Any, int], None]
"""Fills a message, or one field of it, from what was read; the number is how deep the message is nested."""
Check: TypeAlias = Callable[[Any], bool]
_OFTEN_ALIKE: Final = frozenset(
    {"queueserver.common.v1.DeviceDescription.components", "queueserver.common.v1.PlanDescription.parameters"}
)


def fill_message(message: Message, body: Any, depth: int = 0) -> None:
    """Fill an empty message. Raises BadFrameError."""
    if type(body) is not dict:
        raise BadFrameError(f"a {type(body).__name__} is no {message.DESCRIPTOR.name}")
    if depth >= MAX_NESTING:
        raise BadFrameError(f"messages are more than {MAX_NESTING} deep")
    fields = _fields_of(message.DESCRIPTOR)
    for name, value in body.items():
        filler = fields.get(name)
        if filler is None:
            raise BadFrameError(f"{message.DESCRIPTOR.name} has no field {name[:40]!r}")
        filler(message, value, depth)


@cache
def _fields_of(descriptor: Descriptor) -> Mapping[str, Fill]:
    return {field.name: _filler_of(field) for field in descriptor.fields}


def _filler_of(field: FieldDescriptor) -> Fill:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return _map_filler(field.name, kind.fields_by_name["value"])
    if kind is not None:
        return _list_of_messages_filler(field) if field.is_repeated else _message_filler(field)
    return _list_filler(field) if field.is_repeated else _scalar_filler(field)


def _scalar_filler(field: FieldDescriptor) -> Fill:
    name, check = field.name, _check_of(field)

    def fill_scalar(message: Any, value: Any, _depth: int) -> None:
        if not check(value):
            raise _wrong(field)
        setattr(message, name, value)

    return fill_scalar


def _list_filler(field: FieldDescriptor) -> Fill:
    name, check = field.name, _check_of(field)

    def fill_list(message: Any, values: Any, _depth: int) -> None:
        if type(values) is not list or not all(map(check, values)):
            raise _wrong(field)
        getattr(message, name).extend(values)

    return fill_list


def _message_filler(field: FieldDescriptor) -> Fill:
    name, filler = field.name, _content_filler(field)

    def fill_part(message: Any, body: Any, depth: int) -> None:
        part = getattr(message, name)
        part.SetInParent()
        filler(part, body, depth + 1)

    return fill_part


def _list_of_messages_filler(field: FieldDescriptor) -> Fill:
    name, filler = field.name, _content_filler(field)

    def fill_parts(message: Any, bodies: Any, depth: int) -> None:
        if type(bodies) is not list:
            raise _wrong(field)
        add = getattr(message, name).add
        for body in bodies:
            filler(add(), body, depth + 1)

    return remembering(fill_parts) if field.full_name in _OFTEN_ALIKE else fill_parts


def _map_filler(name: str, value: FieldDescriptor) -> Fill:
    """Fill a map with text as keys; no message of the channel has another one."""
    is_message = value.message_type is not None
    filler = _content_filler(value) if is_message else None
    check = _check_of(value) if not is_message else None

    def fill_map(message: Any, values: Any, depth: int) -> None:
        if type(values) is not dict:
            raise BadFrameError(f"the field {value.full_name} is no map")
        entries = getattr(message, name)
        for key, each in values.items():
            if filler is not None:
                filler(entries[key], each, depth + 1)
            elif check is not None and check(each):
                entries[key] = each
            else:
                raise BadFrameError(f"the field {value.full_name} has a value of another type")

    return fill_map


def _content_filler(field: FieldDescriptor) -> Fill:
    return _SPECIAL.get(field.message_type.full_name, fill_message) if field.message_type is not None else fill_message


def _fill_time(message: Any, value: Any, _depth: int) -> None:
    """Fill a Timestamp or a Duration: every 64-bit number of nanoseconds is one."""
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise BadFrameError(f"a {type(value).__name__} is no number of nanoseconds, or is out of range")
    message.FromNanoseconds(value)


_SPECIAL: Final[Mapping[str, Fill]] = {
    "google.protobuf.Timestamp": _fill_time,
    "google.protobuf.Duration": _fill_time,
    "google.protobuf.Struct": lambda message, body, _: fill_struct(message, body),
    "google.protobuf.ListValue": lambda message, body, _: fill_list_value(message, body),
    "google.protobuf.Value": lambda message, body, _: fill_value(message, body),
    "queueserver.common.v1.DataValue": lambda message, body, _: fill(message, body),
    "queueserver.common.v1.RunDocument": lambda message, body, _: fill_document(message, body),
}


def _check_of(field: FieldDescriptor) -> Check:
    if field.enum_type is not None:
        numbers = frozenset(field.enum_type.values_by_number)
        return lambda value: type(value) is int and value in numbers
    return _CHECKS[field.cpp_type]


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value < high


def _is_text(value: Any) -> bool:
    return type(value) is str


def _wrong(field: FieldDescriptor) -> BadFrameError:
    return BadFrameError(f"the field {field.full_name} has another type or range")


_CHECKS: Final[Mapping[int, Check]] = {
    FieldDescriptor.CPPTYPE_BOOL: lambda value: type(value) is bool,
    FieldDescriptor.CPPTYPE_STRING: _is_text,
    FieldDescriptor.CPPTYPE_DOUBLE: lambda value: type(value) in (float, int),
    FieldDescriptor.CPPTYPE_INT32: _whole(-(2**31), 2**31),
    FieldDescriptor.CPPTYPE_INT64: _whole(-(2**63), 2**63),
}
