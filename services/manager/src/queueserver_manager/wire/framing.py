"""Serialized messages put together from serialized parts.

An item, a history entry or an event is encoded once and then sent many times: in replies, listings and to every
watcher. Protobuf allows a message to be assembled from the encoded forms of its fields, so a listing of ten
thousand items is a concatenation and not ten thousand conversions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_LENGTH_DELIMITED = 2
_LOW_BITS, _MORE = 0x7F, 0x80


def varint(number: int) -> bytes:
    """A non-negative number as Protobuf writes it."""
    if number <= _LOW_BITS:
        return bytes((number,))
    out = bytearray()
    while number > _LOW_BITS:
        out.append((number & _LOW_BITS) | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def head(field: int, length: int) -> bytes:
    """What precedes a message (or text, or bytes) of this length as a field of another."""
    return varint(field << 3 | _LENGTH_DELIMITED) + varint(length)


def submessage(field: int, content: bytes) -> bytes:
    """A message (or text, or bytes) as a field of another."""
    return head(field, len(content)) + content


def parts_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field of a message that has only messages, texts and bytes in it."""
    place = 0
    while place < len(data):
        tag, place = _number_at(data, place)
        length, place = _number_at(data, place)
        yield tag >> 3, data[place : place + length]
        place += length


def _number_at(data: bytes, place: int) -> tuple[int, int]:
    """A number as Protobuf writes it, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & _LOW_BITS) << shift
        if byte < _MORE:
            return value, place
        shift += 7


def repeated(field: int, contents: Iterable[bytes]) -> bytes:
    """Messages as a repeated field of another."""
    tag = varint(field << 3 | _LENGTH_DELIMITED)
    return b"".join([part for content in contents for part in (tag, varint(len(content)), content)])


def number(field: int, value: int) -> bytes:
    """A non-negative whole number as an `optional` field, which is there also if it is 0."""
    return varint(field << 3) + varint(value)
