"""Values of run documents: from Python objects to the lossless DataValue message.

Guarantees: numbers, text, bytes, lists, maps and arrays arrive unharmed, NaN and whole numbers beyond 64 bits
included; NumPy scalars become plain numbers, arrays keep dtype and shape. Whatever has no form of its own becomes
text (dates in ISO form, enum members by their value, anything else by repr), so encoding does not fail because of
what a device reports. Tuples and sets become lists. Nesting deeper than MAX_DEPTH becomes text, because Protobuf
readers refuse deeper messages.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final

import numpy as np
from queueserver.common.v1.value_pb2 import DataValue, NdArray

MAX_DEPTH: Final = 24
"""Protobuf readers allow 100 levels, a nested map takes three, and documents travel inside other messages."""
MAX_REPR: Final = 10_000
"""Longest text made of an object that has no form of its own, in characters."""
_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1


def encode(value: Any) -> DataValue:
    """Convert one object."""
    message = DataValue()
    fill(message, value)
    return message


def fill(message: DataValue, value: Any, depth: int = 0) -> None:
    """Set an empty DataValue message to an object."""
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        encoder = _encoder_by_kind(value)
    encoder(message, value, depth)


def fill_entries(entries: Any, mapping: Mapping[Any, Any], depth: int = 0) -> None:
    """Set the entries of a `map<string, DataValue>` field from a mapping."""
    for key, value in mapping.items():
        fill(entries[key_text(key)], value, depth)


def key_text(key: Any) -> str:
    """Return the text of a mapping's key."""
    return _valid_text(key if isinstance(key, str) else _shown(key, str))


def _fill_null(message: DataValue, _value: object, _depth: int) -> None:
    message.null = True


def _fill_boolean(message: DataValue, value: Any, _depth: int) -> None:
    message.boolean = bool(value)


def _fill_integer(message: DataValue, value: Any, _depth: int) -> None:
    number = int(value)
    if _INT64_MIN <= number <= _INT64_MAX:
        message.integer = number
    else:
        message.big_integer = _decimal_digits(number)


def _fill_number(message: DataValue, value: Any, _depth: int) -> None:
    message.number = float(value)


def _fill_text(message: DataValue, value: Any, _depth: int) -> None:
    message.text = _valid_text(str.__str__(value))


def _fill_binary(message: DataValue, value: Any, _depth: int) -> None:
    message.binary = bytes(value)


def _fill_list(message: DataValue, value: Iterable[Any], depth: int) -> None:
    if depth >= MAX_DEPTH:
        _fill_repr(message, value, depth)
        return
    values = message.list.values
    message.list.SetInParent()
    for element in value:
        fill(values.add(), element, depth + 1)


def _fill_set(message: DataValue, value: Iterable[Any], depth: int) -> None:
    _fill_list(message, sorted(value, key=lambda element: _shown(element, repr)), depth)


def _fill_map(message: DataValue, value: Mapping[Any, Any], depth: int) -> None:
    if depth >= MAX_DEPTH:
        _fill_repr(message, value, depth)
        return
    message.map.SetInParent()
    fill_entries(message.map.entries, value, depth + 1)


def _fill_array(message: DataValue, value: Any, depth: int) -> None:
    dtype = value.dtype
    if isinstance(value, np.ma.MaskedArray) or dtype.hasobject or dtype.kind == "T":
        fill(message, value.tolist(), depth)
    elif dtype.names is not None:
        _fill_map(message, {name: np.asarray(value[name]) for name in dtype.names}, depth)
    else:
        message.array.CopyFrom(NdArray(dtype=dtype.str, shape=value.shape, data=value.tobytes()))


def _fill_numpy_scalar(message: DataValue, value: Any, depth: int) -> None:
    item = value.item()
    if isinstance(item, (np.generic, complex, tuple)) and not isinstance(item, np.timedelta64):
        _fill_array(message, np.asarray(value), depth)
    else:
        fill(message, item, depth)


def _fill_complex(message: DataValue, value: complex, depth: int) -> None:
    _fill_array(message, np.asarray(value, dtype="<c16"), depth)


def _fill_enum(message: DataValue, value: Enum, depth: int) -> None:
    fill(message, value.value, depth)


def _fill_date(message: DataValue, value: dt.date | dt.time, _depth: int) -> None:
    message.text = value.isoformat()


def _fill_repr(message: DataValue, value: object, _depth: int) -> None:
    message.text = _valid_text(_shown(value, repr))


def _shown(value: object, show: Callable[[Any], str]) -> str:
    try:
        return show(value)[:MAX_REPR]
    except BaseException:  # noqa: BLE001 - protects the running plan from a broken __repr__ of a device's object
        return f"<{type(value).__name__} that can't be printed>"


def _valid_text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _decimal_digits(number: int) -> str:
    """Write a whole number of any length; str() refuses beyond a few thousand digits."""
    if number < 0:
        return "-" + _decimal_digits(-number)
    chunk = 10**4000
    pieces: list[str] = []
    while number >= chunk:
        number, low = divmod(number, chunk)
        pieces.append(f"{low:04000d}")
    return str(number) + "".join(reversed(pieces))


_Encoder = Callable[[DataValue, Any, int], None]

_ENCODERS: Final[dict[type, _Encoder]] = {
    float: _fill_number,
    int: _fill_integer,
    str: _fill_text,
    bool: _fill_boolean,
    type(None): _fill_null,
    list: _fill_list,
    tuple: _fill_list,
    dict: _fill_map,
    np.ndarray: _fill_array,
    np.float64: _fill_number,
    np.int64: _fill_integer,
    bytes: _fill_binary,
}

_KINDS: Final[tuple[tuple[Any, _Encoder], ...]] = (
    (Enum, _fill_enum),
    (np.generic, _fill_numpy_scalar),
    (np.ndarray, _fill_array),
    (str, _fill_text),
    (bool, _fill_boolean),
    (int, _fill_integer),
    (float, _fill_number),
    (complex, _fill_complex),
    ((bytes, bytearray, memoryview), _fill_binary),
    (Mapping, _fill_map),
    ((set, frozenset), _fill_set),
    ((list, tuple, range), _fill_list),
    ((dt.date, dt.time), _fill_date),
)


def _encoder_by_kind(value: Any) -> _Encoder:
    """Find the encoder for subclasses and rarer types. First match wins: a str-Enum is an Enum."""
    for kinds, encoder in _KINDS:
        if isinstance(value, kinds):
            return encoder
    return _fill_repr
