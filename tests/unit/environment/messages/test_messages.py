"""The environment's own classes have the fields, kinds and numbers of the contract's messages."""

from __future__ import annotations

import collections.abc
import types
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import IntEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver_environment.messages.frames import FromEnvironment, ToEnvironment
from queueserver_environment.messages.tasks import NOTHING
from queueserver_environment.process.frames import CHANNEL_VERSION, CONTAINER_VALUES, MAX_VALUES
from queueserver_worker.supervisor.frames import packed

#: Values whose form is not that of a message.
PLAIN = {
    "google.protobuf.Timestamp": int,
    "google.protobuf.Duration": int,
    "google.protobuf.Struct": dict,
    "google.protobuf.ListValue": list,
    "google.protobuf.Value": object,
    "queueserver.common.v1.DataValue": object,
    "queueserver.common.v1.RunDocument": collections.abc.Mapping,
}
SCALARS = {
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_STRING: str,
    FieldDescriptor.CPPTYPE_DOUBLE: float,
    FieldDescriptor.CPPTYPE_INT32: int,
    FieldDescriptor.CPPTYPE_INT64: int,
}
#: Where a class has another name than its message.
NAMES = {"TypeKind": "Kind"}


def pairs(kind: type, descriptor: Descriptor, known: dict[type, Descriptor]) -> None:
    """Collect all classes below one, each with its message."""
    if kind in known:
        return
    known[kind] = descriptor
    hints = get_type_hints(kind)
    for field in fields(kind):
        for inner in classes_in(hints[field.name]):
            message = descriptor.fields_by_name[field.name].message_type
            assert message is not None
            pairs(inner, message, known)


def classes_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for part in get_args(hint):
        yield from classes_in(part)


KNOWN: dict[type, Descriptor] = {}
pairs(ToEnvironment, pb.ToEnvironment.DESCRIPTOR, KNOWN)
pairs(FromEnvironment, pb.FromEnvironment.DESCRIPTOR, KNOWN)


@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: kind.__name__)
def test_a_class_has_the_fields_of_its_message(kind: type) -> None:
    descriptor, hints = KNOWN[kind], get_type_hints(kind)
    assert kind.__name__ == descriptor.name
    assert [field.name for field in fields(kind)] == [
        field.name for field in sorted(descriptor.fields, key=lambda field: field.index)
    ]
    for field in fields(kind):
        check_field(hints[field.name], field, descriptor.fields_by_name[field.name])


def check_field(hint: Any, field: Any, declared: FieldDescriptor) -> None:
    message = declared.message_type
    default = field.default_factory() if field.default is MISSING else field.default
    if message is not None and message.GetOptions().map_entry:
        assert get_args(hint)[0] is str
        assert default == {}
    elif declared.is_repeated:
        assert get_origin(hint) in (list, tuple)
        assert not default
        check_type(get_args(hint)[0], declared)
    elif declared.has_presence:
        # Where one is always given, as the type of a parameter, it need not be absent.
        inner = [each for each in get_args(hint) if each is not types.NoneType]
        is_optional = get_origin(hint) in (Union, types.UnionType)
        assert default in (None, NOTHING) or not is_optional
        check_type(inner[0] if is_optional else hint, declared)
    else:
        assert default == (0 if declared.enum_type is not None else declared.default_value)
        check_type(hint, declared)


def check_type(hint: Any, declared: FieldDescriptor) -> None:
    message = declared.message_type
    if declared.enum_type is not None:
        assert issubclass(hint, IntEnum)
        check_enum(hint, declared.enum_type)
    elif message is None:
        assert hint is SCALARS[declared.cpp_type]
    elif message.full_name not in PLAIN:
        assert KNOWN[hint] is message
    elif PLAIN[message.full_name] is object:
        assert hint is Any
    else:
        assert (get_origin(hint) or hint) is PLAIN[message.full_name]


def check_enum(kind: type[IntEnum], declared: EnumDescriptor) -> None:
    assert NAMES.get(kind.__name__, kind.__name__) == declared.name
    names = {value.number: value.name for value in declared.values}
    assert {member.value for member in kind} == names.keys()
    assert all(names[member.value].endswith(f"_{member.name}") for member in kind)


def test_both_sides_have_the_same_version_and_limits() -> None:
    here = (CHANNEL_VERSION, MAX_VALUES, CONTAINER_VALUES)
    assert here == (packed.CHANNEL_VERSION, packed.MAX_VALUES, packed.CONTAINER_VALUES)
