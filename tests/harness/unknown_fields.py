"""Bytes of requests with a field that the contract does not have, wherever in a request there can be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

#: A number that no field of the contract has.
NUMBER = 1023
#: Its field: a text.
UNKNOWN = b"\xfa\x3f\x05later"
_VARINT, _LENGTH_DELIMITED = 0, 2
_LOW_BITS = 0x7F
#: Of JSON values, paths have no names: `item.kwargs.num`.
_JSON = "google.protobuf."


@dataclass(frozen=True)
class Place:
    """A message in a request: the fields that lead to it, each the first element or the entry "k"."""

    fields: tuple[FieldDescriptor, ...]

    def request(self, content: bytes = UNKNOWN) -> bytes:
        """A request with this in the message, and with nothing else."""
        for field in reversed(self.fields):
            if is_map(field):
                content = delimited(1, b"k") + delimited(2, content)
            content = delimited(field.number, content)
        return content

    @property
    def path(self) -> str:
        """As refusals name the unknown field."""
        path = ""
        for field in self.fields:
            if not field.full_name.startswith(_JSON):
                path += f".{field.name}"
            if is_map(field):
                path += ".k"
            elif field.is_repeated:
                path += "[0]"
        return f"{path}.{NUMBER}".removeprefix(".")


def places(message: Descriptor, fields: tuple[FieldDescriptor, ...] = ()) -> Iterator[Place]:
    """Every message that there can be in a request of a type, itself first; messages in their own kind once."""
    yield Place(fields)
    above = [field.message_type for field in fields]
    for field in message.fields:
        inner = field.message_type
        if inner is not None and is_map(field):
            inner = inner.fields_by_name["value"].message_type
        if inner is not None and field.message_type not in above:
            yield from places(inner, (*fields, field))


def is_map(field: FieldDescriptor) -> bool:
    """Its elements are entries of a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def varint(number: int, longer: int = 0) -> bytes:
    """A number, in as many bytes more than it needs."""
    content = bytearray()
    while number > _LOW_BITS:
        content.append(number & _LOW_BITS | 0x80)
        number >>= 7
    content.append(number)
    for _ in range(longer):
        content[-1] |= 0x80
        content.append(0)
    return bytes(content)


def delimited(number: int, content: bytes, longer: int = 0) -> bytes:
    """A field with text, bytes or a message."""
    return varint(number << 3 | _LENGTH_DELIMITED, longer) + varint(len(content), longer) + content


def whole_number(number: int, value: int, longer: int = 0) -> bytes:
    """A field with a whole number or a truth value."""
    return varint(number << 3 | _VARINT, longer) + varint(value, longer)
