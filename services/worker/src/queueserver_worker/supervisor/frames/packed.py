"""Untrusted msgpack: read into plain Python values, within limits.

Guarantees: whatever the bytes are, they become values or raise BadFrameError; what they announce costs nothing before
it is there. Texts are valid Unicode, keys are texts, none appears twice in a map.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgpack

CHANNEL_VERSION: Final = 1
"""Version of the form."""
MAX_VALUES: Final = 4 * 1024 * 1024
"""Elements of lists and entries of maps in one frame."""
CONTAINER_VALUES: Final = 2
"""What each list, map and array counts in addition: they need more memory than they have bytes."""
_FEW_BYTES: Final = MAX_VALUES // (1 + CONTAINER_VALUES)
"""So few bytes have no more values: each takes a byte."""
ARRAY: Final = 1
BIG_INTEGER: Final = 2
_SHORT: Final = 4 * 1024
"""Bytes of a frame that is read at once: room for what so few bytes announce is no more than some MiB."""
_EMPTY_BYTES: Final = b"\xc4\x00"
_PARTS_OF_ARRAY: Final = 3
_MOST_DIMENSIONS: Final = 64
_LONGEST_DTYPE: Final = 64
#: With the kind and the size of each of its dtypes, and no other.
_DTYPE: Final = re.compile(
    r"[<>|](?:(b)(1)|([iu])([1248])|(f)(2|4|8|12|16)|(c)(8|16|24|32)|([SUV])(\d{1,8})|([mM])(8)(?:\[\w{1,32}\])?)"
)
_DIGITS: Final = re.compile(rb"-?[1-9][0-9]*")
_BYTES_OF_CHARACTER: Final = 4
#: struct's letters for the dtypes of NumPy.
_LETTERS: Final = {
    **{f"i{size}": letter for size, letter in ((1, "b"), (2, "h"), (4, "i"), (8, "q"))},
    **{f"u{size}": letter for size, letter in ((1, "B"), (2, "H"), (4, "I"), (8, "Q"))},
    **{f"f{size}": letter for size, letter in ((2, "e"), (4, "f"), (8, "d"))},
}


_NOT_PLAIN: Final = object()


class BadFrameError(ValueError):
    """A frame can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array of NumPy."""

    dtype: str
    shape: list[int]
    data: bytes

    def numbers(self) -> list[int] | list[float] | None:
        """Its numbers if it has one dimension and ordinary ones; otherwise None."""
        letter = _LETTERS.get(self.dtype[1:])
        if letter is None or len(self.shape) != 1:
            return None
        order = ">" if self.dtype[0] == ">" else "<"
        return list(struct.unpack(f"{order}{self.shape[0]}{letter}", self.data))


@dataclass(frozen=True, slots=True)
class BigInteger:
    """A whole number beyond 64 bits."""

    digits: str


def unpack(data: bytes) -> Any:
    """Read one value, which is all of the data. Raises BadFrameError."""
    if len(data) <= _SHORT and (read := _plain(data)) is not _NOT_PLAIN:
        return read
    try:
        _check_structure(data)
        counter = _Counter() if len(data) > _FEW_BYTES else None
        return msgpack.unpackb(
            data,
            strict_map_key=False,
            object_pairs_hook=_map if counter is None else counter.of_map,
            list_hook=None if counter is None else counter.of_list,
            ext_hook=_extension if counter is None else counter.of_extension,
            max_array_len=MAX_VALUES,
            max_map_len=MAX_VALUES,
        )
    except BadFrameError:
        raise
    except Exception as error:  # noqa: BLE001 - each kind of damage has an error of its own
        raise BadFrameError(f"it is no msgpack ({type(error).__name__})") from None


def _plain(data: bytes) -> Any:
    """Read a short value without bytes and extensions, which most frames are; it is not looked at map by map.

    What becomes the same bytes again has no key twice.
    """
    try:
        # Keys are texts or bytes, and of bytes there are none.
        read = msgpack.unpackb(data, max_bin_len=0, ext_hook=_refuse_extension)
        return read if msgpack.packb(read) == data and _EMPTY_BYTES not in data else _NOT_PLAIN
    except Exception:  # noqa: BLE001 - it is read again, with care
        return _NOT_PLAIN


def _refuse_extension(_code: int, _data: bytes) -> Any:
    raise BadFrameError


def _check_structure(data: bytes) -> None:
    """Make sure that everything announced is there: reading makes room for what is announced before it reads it."""
    scanner = msgpack.Unpacker(max_buffer_size=len(data) or 1, read_size=len(data) or 1)
    scanner.feed(data)
    scanner.skip()
    if scanner.tell() != len(data):
        raise BadFrameError("it has more than one value")


class _Counter:
    """Counts what is read, and ends it when it becomes too much."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def of_list(self, values: list[Any]) -> list[Any]:
        self._count(len(values))
        return values

    def of_map(self, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
        self._count(len(pairs))
        return _map(pairs)

    def of_extension(self, code: int, data: bytes) -> Array | BigInteger:
        if code == ARRAY:
            self._count(0)
        return _extension(code, data)

    def _count(self, number: int) -> None:
        self._left -= number + CONTAINER_VALUES
        if self._left < 0:
            raise BadFrameError(f"it has more than {MAX_VALUES} values")


def _map(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    try:
        read = dict(pairs)
        # The shortest way to see that all keys are texts.
        "".join(read)
    except TypeError:
        raise BadFrameError("a key is no text") from None
    if len(read) != len(pairs):
        raise BadFrameError("a key appears twice")
    return read


def _extension(code: int, data: bytes) -> Array | BigInteger:
    reader = _EXTENSIONS.get(code)
    if reader is None:
        raise BadFrameError(f"there is no extension {code}")
    return reader(data)


def _big_integer(data: bytes) -> BigInteger:
    if _DIGITS.fullmatch(data) is None:
        raise BadFrameError("a whole number has other characters than digits")
    return BigInteger(data.decode("ascii"))


def _array(data: bytes) -> Array:
    read = msgpack.unpackb(
        data, strict_map_key=False, max_array_len=_MOST_DIMENSIONS, max_map_len=0, max_ext_len=0, ext_hook=_extension
    )
    if type(read) is not list or len(read) != _PARTS_OF_ARRAY:
        raise BadFrameError("an array has not three parts")
    dtype, shape, content = read
    if type(dtype) is not str or type(shape) is not list or type(content) is not bytes:
        raise BadFrameError("an array has parts of other types")
    if not all(type(length) is int and 0 <= length < 2**63 for length in shape):
        raise BadFrameError("an array has no shape")
    if _size_of(dtype) * math.prod(shape) != len(content):
        raise BadFrameError("an array has another size than its dtype and shape say")
    return Array(dtype, shape, content)


def _size_of(dtype: str) -> int:
    """Bytes of one element."""
    found = _DTYPE.fullmatch(dtype) if len(dtype) <= _LONGEST_DTYPE else None
    if found is None:
        raise BadFrameError("an array has no dtype of NumPy")
    kind, size = filter(None, found.groups())
    return int(size) * _BYTES_OF_CHARACTER if kind == "U" else int(size)


_EXTENSIONS: Final[dict[int, Callable[[bytes], Array | BigInteger]]] = {ARRAY: _array, BIG_INTEGER: _big_integer}
