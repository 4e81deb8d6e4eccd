"""Decode a long message piece by piece, so that it never blocks other clients.

Protobuf allows it: the encoding of a message may be cut between any two of its fields, and decoding one part after the
other into the same message gives what decoding the whole gives. A batch has one field for each of its items.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from queueserver_long_work.time_slice import TimeSlice, next_turn
from queueserver_long_work.work import Work

M = TypeVar("M", bound=Message)
#: Examines the next fields of a message before they are decoded into it, in steps.
Look = Callable[[Message, bytes, str], Work[None]]
#: Bytes that are decoded at once, unless one field is longer: some tens of microseconds.
_PIECE = 16 * 1024
#: A field from this length on is a piece of its own.
_LONG = 64 * 1024
#: What follows the tag of a field, by its wire type.
VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
_LOW_BITS, _MORE = 0x7F, 0x80
_LONGEST_VARINT = 10


async def decoded_in_turns(message: M, data: bytes, look: Look | None = None) -> AsyncIterator[M]:
    """Decode into an empty message, which is yielded after each step.

    Each piece is first shown to ``look``, with the message that it continues and the path of that message (empty for
    the outermost). Raises DecodeError, and what ``look`` raises.
    """
    time_slice = TimeSlice()
    await next_turn()
    for _ in _decoded(message, data, look):
        yield message
        await time_slice.yield_if_due()


def _decoded(message: Message, data: bytes, look: Look | None, path: str = "") -> Iterator[None]:
    """Decode a message in steps. A long message within it is split as well, unless it is one of many."""
    for piece in pieces(data):
        name, begin = _long_message(message, piece)
        if name is None:
            if look is not None:
                yield from look(message, piece, path)
                yield
            message.MergeFromString(piece)
            yield
        else:
            part = getattr(message, name)
            part.SetInParent()
            yield from _decoded(part, piece[begin:], look, f"{path}.{name}" if path else name)


def _long_message(message: Message, piece: bytes) -> tuple[str | None, int]:
    """Name of the one field of a piece if it is a long message, and where that begins."""
    if len(piece) < _LONG:
        return None, 0
    tag, position = varint(piece, 0)
    length, begin = varint(piece, position)
    field = message.DESCRIPTOR.fields_by_number.get(tag >> 3)
    is_message = field is not None and field.message_type is not None and not field.is_repeated
    if field is None or not is_message or tag & 7 != LENGTH_DELIMITED or begin + length != len(piece):
        return None, 0
    return field.name, begin


def pieces(data: bytes) -> Iterator[bytes]:
    """The whole of ``data``, cut between fields, a long field alone. Raises DecodeError if it is not a message."""
    start = end = 0
    while end < len(data):
        begin, end = end, end_of_field(data, end)
        if end - begin >= _LONG and begin > start:
            yield data[start:begin]
            start = begin
        if end - start >= _PIECE:
            yield data[start:end]
            start = end
    if start < len(data):
        yield data[start:]


def end_of_field(data: bytes | memoryview, start: int) -> int:
    """Where the field that begins at ``start`` ends. No message of ours has groups, the one other kind there is."""
    tag, position = varint(data, start)
    kind = tag & 7
    if kind == VARINT:
        return varint(data, position)[1]
    if kind == LENGTH_DELIMITED:
        length, position = varint(data, position)
        position += length
    elif kind in _FIXED_BYTES:
        position += _FIXED_BYTES[kind]
    else:
        raise DecodeError(f"a field of kind {kind}")
    if position > len(data):
        raise DecodeError("the message is cut off")
    return position


def varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """A number and where it ends."""
    number = 0
    for index, byte in enumerate(data[position : position + _LONGEST_VARINT]):
        number |= (byte & _LOW_BITS) << (7 * index)
        if byte < _MORE:
            return number, position + index + 1
    raise DecodeError("a number is cut off or too long")
