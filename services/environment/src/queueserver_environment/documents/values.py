"""Values of run documents: from Python objects to what the channel carries without a loss.

Guarantees: numbers, text, bytes, lists, maps and arrays arrive unharmed, NaN and whole numbers beyond 64 bits
included; NumPy scalars become plain numbers, arrays keep dtype and shape. Whatever has no form of its own becomes
text (dates in ISO form, enum members by their value, anything else by repr), so encoding does not fail because of
what a device reports. Tuples and sets become lists. Nesting deeper than MAX_DEPTH becomes text, because Protobuf
readers refuse deeper messages.
What consists of types that the channel carries anyway, as nearly every document does, is passed on as it is.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final

import numpy as np

MAX_DEPTH: Final = 24
"""Protobuf readers allow 100 levels, a nested map takes three, and documents travel inside other messages."""
MAX_REPR: Final = 10_000
"""Longest text made of an object that has no form of its own, in characters."""
_FEW: Final = 16
_LEAVES: Final = frozenset(
    {
        *(float, int, str, bool, type(None), bytes),
        *(np.float64, np.float32, np.float16, np.bool_),
        *(np.int64, np.int32, np.int16, np.int8, np.uint64, np.uint32, np.uint16, np.uint8),
    }
)
"""The channel carries values of exactly these types; a class derived from one of them is converted first."""


def passed_on(value: Any, depth: int = 0) -> Any:
    """Return the value itself if the channel carries it, otherwise what `plain` makes of it.

    Parameters
    ----------
    value
        Any object.
    depth
        Lists and maps around the value, less those that do not count.

    """
    try:
        is_carried = _is_carried((value,), depth)
    except (TypeError, RuntimeError):
        # A key that is no text, or another thread changes it.
        is_carried = False
    return value if is_carried else plain(value, depth)


def plain(value: Any, depth: int = 0) -> Any:
    """Make a value of types that the channel carries, with texts as keys; the value itself is not kept."""
    convert = _CONVERTERS.get(type(value))
    if convert is None:
        convert = _converter_by_kind(value)
    return convert(value, depth)


def key_text(key: Any) -> str:
    """Return the text of a mapping's key."""
    return _valid_text(key if isinstance(key, str) else _shown(key, str))


def _is_carried(values: Iterable[Any], depth: int) -> bool:
    """Tell whether values are carried. Raises TypeError for a key that is no text."""
    for value in values:
        kind = type(value)
        if kind in _LEAVES:
            continue
        if kind is np.ndarray:
            if not _has_bytes(value):
                return False
            continue
        if depth >= MAX_DEPTH:
            return False
        if kind is dict:
            # The shortest way to see that all keys are texts.
            "".join(value)
            value = value.values()  # noqa: PLW2901 - what is left to look at
        elif kind is not list and kind is not tuple:
            return False
        if len(value) > _FEW and _LEAVES.issuperset(map(type, value)):
            continue
        if not _is_carried(value, depth + 1):
            return False
    return True


def _has_bytes(array: Any) -> bool:
    """Tell whether the bytes of an array are all of it."""
    dtype = array.dtype
    return dtype.names is None and not dtype.hasobject and dtype.kind != "T"


def _same(value: Any, _depth: int) -> Any:
    return value


def _text(value: Any, _depth: int) -> str:
    return _valid_text(str.__str__(value))


def _list(value: Iterable[Any], depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return _repr(value, depth)
    return [plain(element, depth + 1) for element in value]


def _set(value: Iterable[Any], depth: int) -> Any:
    return _list(sorted(value, key=lambda element: _shown(element, repr)), depth)


def _map(value: Mapping[Any, Any], depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return _repr(value, depth)
    return {key_text(key): plain(element, depth + 1) for key, element in value.items()}


def _array(value: Any, depth: int) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        return plain(value.tolist(), depth)
    if _has_bytes(value):
        return np.asarray(value)
    if value.dtype.names is not None and not value.dtype.hasobject:
        return _map({name: np.asarray(value[name]) for name in value.dtype.names}, depth)
    return plain(value.tolist(), depth)


def _numpy_scalar(value: Any, depth: int) -> Any:
    item = value.item()
    if isinstance(item, (np.generic, complex, tuple)) and not isinstance(item, np.timedelta64):
        return _array(np.asarray(value), depth)
    return plain(item, depth)


def _complex(value: complex, _depth: int) -> Any:
    return np.asarray(value, dtype="<c16")


def _enum(value: Enum, depth: int) -> Any:
    return plain(value.value, depth)


def _date(value: dt.date | dt.time, _depth: int) -> str:
    return value.isoformat()


def _repr(value: object, _depth: int) -> str:
    return _valid_text(_shown(value, repr))


def _shown(value: object, show: Callable[[Any], str]) -> str:
    try:
        return show(value)[:MAX_REPR]
    except BaseException:  # noqa: BLE001 - protects the running plan from a broken __repr__ of a device's object
        return f"<{type(value).__name__} that can't be printed>"


def _valid_text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


_Converter = Callable[[Any, int], Any]

_CONVERTERS: Final[dict[type, _Converter]] = {
    float: _same,
    int: _same,
    str: _text,
    bool: _same,
    type(None): _same,
    list: _list,
    tuple: _list,
    dict: _map,
    np.ndarray: _array,
    bytes: _same,
}

_KINDS: Final[tuple[tuple[Any, _Converter], ...]] = (
    (Enum, _enum),
    (np.generic, _numpy_scalar),
    (np.ndarray, _array),
    (str, _text),
    (bool, lambda value, _: bool(value)),
    (int, lambda value, _: int(value)),
    (float, lambda value, _: float(value)),
    (complex, _complex),
    ((bytes, bytearray, memoryview), lambda value, _: bytes(value)),
    (Mapping, _map),
    ((set, frozenset), _set),
    ((list, tuple, range), _list),
    ((dt.date, dt.time), _date),
)


def _converter_by_kind(value: Any) -> _Converter:
    """Find the converter for subclasses and rarer types. First match wins: a str-Enum is an Enum."""
    for kinds, converter in _KINDS:
        if isinstance(value, kinds):
            return converter
    return _repr
