"""The contract as a next version of it could be: more fields, values of enums, members of oneofs, and a method.

Its messages are made at run time, in a pool of their own, from the descriptors of ours.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import queueserver.common.v1 as common
import queueserver.manager.v1 as manager
import queueserver.worker.v1 as worker
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message

#: The number of everything that is new.
NEW = 777
TEXT = "only a newer server says this"
_TYPE = descriptor_pb2.FieldDescriptorProto
#: How deep messages are filled that may contain themselves.
_DEPTH = 8


def next_version() -> descriptor_pool.DescriptorPool:
    """A pool with all of the contract, a version later."""
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    for file in _files():
        _add(file, pool, added)
    return pool


def _files() -> Iterator[FileDescriptor]:
    for package in (common, manager, worker):
        for module in pkgutil.iter_modules(package.__path__):
            if module.name.endswith("_pb2"):
                yield importlib.import_module(f"{package.__name__}.{module.name}").DESCRIPTOR


def _add(file: FileDescriptor, pool: descriptor_pool.DescriptorPool, added: set[str]) -> None:
    """A file after those that it needs."""
    if file.name in added:
        return
    added.add(file.name)
    for needed in file.dependencies:
        _add(needed, pool, added)
    proto = descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)
    if file.package.startswith("queueserver."):
        _renew(proto)
    pool.Add(proto)


def _renew(file: descriptor_pb2.FileDescriptorProto) -> None:
    for message in file.message_type:
        _renew_message(message)
    for enum in file.enum_type:
        enum.value.add(name=f"{enum.name}_NEWER", number=NEW)
    for service in file.service:
        call = service.method[0]
        service.method.add(name=f"Newer{service.name}", input_type=call.input_type, output_type=call.output_type)


def _renew_message(message: descriptor_pb2.DescriptorProto) -> None:
    if message.options.map_entry:
        return
    for inner in message.nested_type:
        _renew_message(inner)
    for enum in message.enum_type:
        enum.value.add(name=f"{enum.name}_NEWER", number=NEW)
    optional = {field.oneof_index for field in message.field if field.proto3_optional}
    message.field.add(name="newer", number=NEW, type=_TYPE.TYPE_STRING, label=_TYPE.LABEL_OPTIONAL)
    for index, oneof in enumerate(message.oneof_decl):
        if index not in optional:
            name, number = f"newer_{oneof.name}", NEW + 1 + index
            message.field.add(
                name=name, number=number, type=_TYPE.TYPE_STRING, label=_TYPE.LABEL_OPTIONAL, oneof_index=index
            )


class Newer:
    """Messages of the next version."""

    def __init__(self) -> None:
        self._pool = next_version()

    def new(self, name: str) -> Any:
        """An empty message of a type, by its full name."""
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))()

    def filled(self, name: str, *, oneofs: bool) -> Any:
        """A message in which everything that is new is used: each enum has the new value, each message the new field.

        With ``oneofs``, each oneof has its new member; without, its first one.
        """
        message = self.new(name)
        _fill(message, oneofs, _DEPTH)
        return message


def _fill(message: Any, oneofs: bool, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1 and field is not oneof.fields[-1 if oneofs else 0]:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(message, field, oneofs, depth)
        elif field.message_type is not None:
            _fill_inner(message, field, oneofs, depth)
        elif field.is_repeated:
            getattr(message, field.name).append(_value(field))
        else:
            setattr(message, field.name, _value(field))


def _fill_map(message: Any, field: Any, oneofs: bool, depth: int) -> None:
    value = field.message_type.fields_by_name["value"]
    if value.message_type is None:
        getattr(message, field.name)["key"] = _value(value)
    elif depth:
        _fill_any(getattr(message, field.name)["key"], oneofs, depth - 1)


def _fill_inner(message: Any, field: Any, oneofs: bool, depth: int) -> None:
    if not depth:
        return
    inner = getattr(message, field.name)
    _fill_any(inner.add() if field.is_repeated else inner, oneofs, depth - 1)


def _fill_any(message: Message, oneofs: bool, depth: int) -> None:
    if message.DESCRIPTOR.file.package == "google.protobuf":
        message.SetInParent()
    else:
        _fill(message, oneofs, depth)


def _value(field: Any) -> Any:
    if field.enum_type is not None:
        return NEW
    if field.type == _TYPE.TYPE_STRING:
        return TEXT
    if field.type == _TYPE.TYPE_BYTES:
        return TEXT.encode()
    return field.type == _TYPE.TYPE_BOOL or 3
