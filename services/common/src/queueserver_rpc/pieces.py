"""Decode a long message piece by piece, so that nobody else waits for all of it.

Protobuf allows it: the encoding of a message may be cut between any two of its fields, and decoding one part after the
other into the same message gives what decoding the whole gives. A batch has one field for each of its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from google.protobuf.message import Message

from queueserver_rpc.turns import Turns, next_turn

M = TypeVar("M", bound=Message)
#: Bytes that are decoded at once, unless one field is longer: some tens of microseconds.
_PIECE = 16 * 1024
_LENGTH_DELIMITED = 2
_LOW_BITS, _MORE = 0x7F, 0x80
_LONGEST_VARINT = 10


async def decoded_in_turns(message: M, data: bytes) -> M:
    """Decode into an empty message. Raises DecodeError, as decoding at once would."""
    turns = Turns()
    await next_turn()
    for piece in pieces(data):
        message.MergeFromString(piece)
        await turns.step()
    return message


def pieces(data: bytes) -> Iterator[bytes]:
    """The whole of ``data``, cut between fields; where it is no message any more, the rest in one piece."""
    start = end = 0
    while end < len(data):
        end = _end_of_field(data, end)
        if end - start >= _PIECE:
            yield data[start:end]
            start = end
    if start < len(data):
        yield data[start:]


def _end_of_field(data: bytes, start: int) -> int:
    """Where the field that begins at ``start`` ends. Any other kind than a length and its bytes ends with the data."""
    tag, position = _varint(data, start)
    if tag & 7 != _LENGTH_DELIMITED:
        return len(data)
    length, position = _varint(data, position)
    return min(position + length, len(data))


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number and where it ends; what is cut off or too long goes to the end."""
    number = 0
    for index, byte in enumerate(data[position : position + _LONGEST_VARINT]):
        number |= (byte & _LOW_BITS) << (7 * index)
        if byte < _MORE:
            return number, position + index + 1
    return 0, len(data)
