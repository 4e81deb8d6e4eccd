"""Values between Python and the contract: plan arguments on their way out, arguments and readings on their way in.

Arguments travel as JSON-like values with one number type. What would not arrive unchanged is refused here,
before anything is sent, with the path of the value. Readings arrive without loss: whole numbers of any size,
NaN, bytes and arrays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2
from queueserver.common.v1 import value_pb2
from queueserver_protos.numbers import is_exact, may_have_lost_digits, python_number

from queueserver_client.errors import ValueNotRepresentable

#: Values nested deeper than this are refused; a message of the contract can't be nested indefinitely.
MAX_DEPTH = 30
INDEX_LIMIT = 2**31
SIZE_LIMIT = 2**31
REVISION_LIMIT = 2**63


@dataclass(frozen=True)
class Array:
    """An n-dimensional array where NumPy is not installed, or does not know the element type."""

    #: Element type in NumPy's array-interface notation, for example "<f8".
    dtype: str
    shape: tuple[int, ...]
    #: The elements in C order, without padding.
    data: bytes


def to_list(values: Sequence[Any], path: str) -> struct_pb2.ListValue:
    """Encode positional arguments. Raises ValueNotRepresentable with the path of the wrong value."""
    encoded = struct_pb2.ListValue()
    _fill_list(encoded, values, path, 1)
    return encoded


def to_struct(values: Mapping[str, Any], path: str) -> struct_pb2.Struct:
    """Encode keyword arguments or metadata. Raises ValueNotRepresentable with the path of the wrong value."""
    encoded = struct_pb2.Struct()
    _fill_struct(encoded, values, path, 1)
    return encoded


def text(value: object, path: str) -> str:
    """Check a text that is about to be sent."""
    if not isinstance(value, str):
        raise ValueNotRepresentable.at(path, f"must be text, but is a {type(value).__name__}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueNotRepresentable.at(path, f"is not valid Unicode text at position {error.start}.") from None
    return value


def index(value: int, path: str) -> int:
    """Check an index that is about to be sent."""
    if isinstance(value, bool) or not -INDEX_LIMIT <= value < INDEX_LIMIT:
        raise ValueNotRepresentable.at(path, f"must be a whole number of 32 bits, not {value!r}.")
    return value


def revision(value: int, path: str) -> int:
    """Check a revision that is about to be sent."""
    if isinstance(value, bool) or not 0 <= value < REVISION_LIMIT:
        raise ValueNotRepresentable.at(path, f"must be a whole number from 0 to 2**63 - 1, not {value!r}.")
    return value


def size(value: int, path: str) -> int:
    """Check a count that is about to be sent."""
    if isinstance(value, bool) or not 0 <= value < SIZE_LIMIT:
        raise ValueNotRepresentable.at(path, f"must be a whole number from 0 to {SIZE_LIMIT - 1}, not {value!r}.")
    return value


def _fill_list(target: struct_pb2.ListValue, values: Sequence[Any], path: str, depth: int) -> None:
    for position, value in enumerate(values):
        _fill(target.values.add(), value, f"{path}[{position}]", depth)


def _fill_struct(target: struct_pb2.Struct, values: Mapping[Any, Any], path: str, depth: int) -> None:
    for key, value in values.items():
        if not isinstance(key, str):
            raise ValueNotRepresentable.at(path, f"has the key {key!r}, but keys must be text.")
        _fill(target.fields[text(key, f"{path} key {key!r}")], value, f"{path}.{key}", depth)


def _fill(target: struct_pb2.Value, value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueNotRepresentable.at(path, f"is nested deeper than {MAX_DEPTH} levels.")
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = _number(value, path)
    elif isinstance(value, str):
        target.string_value = text(value, path)
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        _fill_struct(target.struct_value, value, path, depth + 1)
    elif isinstance(value, (list, tuple)):
        target.list_value.SetInParent()
        _fill_list(target.list_value, value, path, depth + 1)
    else:
        _fill(target, _plain(value, path), path, depth)


def _number(value: float, path: str) -> float:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueNotRepresentable.at(path, f"is {value!r}, which can't be sent: use a finite number or None.")
    if (isinstance(value, int) and not is_exact(value)) or may_have_lost_digits(float(value)):
        raise ValueNotRepresentable.at(path, "is a whole number beyond 2^53 and would lose digits: send it as text.")
    return float(value)


def _plain(value: Any, path: str) -> Any:
    """The Python value of a NumPy scalar or array, recognised without importing NumPy."""
    shape = getattr(value, "shape", None)
    if shape == () and callable(getattr(value, "item", None)):
        plain = value.item()
    elif isinstance(shape, tuple) and callable(getattr(value, "tolist", None)):
        plain = value.tolist()
    else:
        plain = value
    if isinstance(plain, (bool, int, float, str, list)) or plain is None:
        return plain
    name = getattr(value, "name", None)
    hint = f" Devices and plans are given by name: {name!r}." if isinstance(name, str) and name else ""
    raise ValueNotRepresentable.at(
        path,
        f"is a {type(value).__name__}, which can't be sent: use None, a truth value, a number, text, a list or a dict."
        + hint,
    )


def from_list(encoded: struct_pb2.ListValue) -> list[Any]:
    """Decode positional arguments."""
    return [_from_json(value) for value in encoded.values]


def from_struct(encoded: struct_pb2.Struct) -> dict[str, Any]:
    """Decode keyword arguments or metadata."""
    return {key: _from_json(value) for key, value in encoded.fields.items()}


def _from_json(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return python_number(value.number_value)
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return from_list(value.list_value)
    if kind is None or kind == "null_value":
        return None
    return getattr(value, kind)


def decode(value: value_pb2.DataValue) -> Any:
    """Decode a reading. Arrays become read-only NumPy arrays, or :class:`Array` where that can't be."""
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null":
        return None
    if kind == "list":
        return [decode(entry) for entry in value.list.values]
    if kind == "map":
        return decode_map(value.map.entries)
    if kind == "array":
        return _array(value.array)
    if kind == "big_integer":
        return _big_integer(value.big_integer)
    return getattr(value, kind)


def decode_map(entries: Mapping[str, value_pb2.DataValue]) -> dict[str, Any]:
    """Decode values by key."""
    return {key: decode(value) for key, value in entries.items()}


def _big_integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # longer than the interpreter's limit for conversions: the text is still exact
        return digits


def _array(array: value_pb2.NdArray) -> Any:
    plain = Array(array.dtype, tuple(array.shape), array.data)
    try:
        import numpy as np  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        return plain
    try:
        return np.frombuffer(array.data, dtype=np.dtype(array.dtype)).reshape(plain.shape)
    except (TypeError, ValueError):
        return plain
