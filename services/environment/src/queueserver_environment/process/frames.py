"""The form in which frames travel (environment_channel.proto): msgpack, made from the classes in `messages` and back.

Guarantees: every frame whose values the channel carries can be encoded; halves of surrogate pairs in a text appear as
standard error prints them. The supervisor is trusted: what it sent is not checked.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgpack
from queueserver_inventory.descriptions import Inventory

from queueserver_environment.messages.frames import FromEnvironment, ToEnvironment
from queueserver_environment.messages.tasks import NOTHING
from queueserver_environment.process.inventory_form import inventory_form

CHANNEL_VERSION: Final = 1
"""Version of the form."""
MAX_VALUES: Final = 4 * 1024 * 1024
"""Elements of lists and entries of maps in one frame."""
CONTAINER_VALUES: Final = 2
"""What each list, map and array counts in addition: the supervisor needs more memory for them than they have bytes."""
_ARRAY, _BIG_INTEGER = 1, 2
_BIG: Final = 10**4000
_BYTES_BELOW: Final = "biufc"
"""Kinds of NumPy whose bytes can be taken without a copy."""
_FREQUENT: Final = ("document", "run_engine")
_FRAMES: Final = (*_FREQUENT, *(field.name for field in fields(FromEnvironment) if field.name not in _FREQUENT))
"""The members of a frame, the most frequent ones first."""
_FIELDS: Final[dict[type, tuple[tuple[str, bool], ...]]] = {}
"""Of the messages that were encoded."""

T = TypeVar("T")


def encode(frame: FromEnvironment) -> bytes:
    """Encode a frame to the supervisor, without its length.

    Raises
    ------
    TypeError, ValueError
        It contains what the channel does not carry.

    """
    for name in _FRAMES:
        message = getattr(frame, name)
        if message is not None:
            return _packed({name: _body(message, _fields_of(type(message)) or ())})
    raise ValueError("the frame is empty")


def decode(data: bytes) -> ToEnvironment:
    """Decode a frame of the supervisor. Raises whatever it likes if it is none."""
    frame: ToEnvironment = _reader_of(ToEnvironment)(msgpack.unpackb(data))
    return frame


def size_of_value(value: Any) -> int:
    """Return the length of an encoded value, in bytes."""
    return len(_packed(value))


def count_values(value: Any) -> int:
    """Count the elements of lists and entries of maps in a frame or value, at any depth, as the supervisor does.

    Each list, map and array counts as CONTAINER_VALUES more.
    """
    return _Count().of(value)


class _Count:
    def __init__(self) -> None:
        #: What was counted, by its id, which stays its own; what plans and devices have in common is counted once.
        self._known: dict[int, tuple[Any, int]] = {}

    def of(self, value: Any) -> int:
        kind: Any = type(value)
        if not _has_parts(kind):
            return 0
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, self._of_parts(_parts(value)))
        return known[1]

    def _of_parts(self, parts: Any) -> int:
        count: int = CONTAINER_VALUES + len(parts)
        inside = parts.values() if isinstance(parts, dict) else parts
        return count + (sum(map(self.of, inside)) if any(map(_has_parts, set(map(type, inside)))) else 0)


@cache
def _has_parts(kind: type) -> bool:
    return issubclass(kind, (dict, list, tuple)) or is_dataclass(kind) or _is_array(kind)


def _parts(value: Any) -> dict[str, Any] | list[Any] | tuple[Any, ...]:
    kind = type(value)
    if kind is Inventory:
        return inventory_form(value)
    known = _fields_of(kind)
    if known is not None:
        return _body(value, known)
    parts: dict[str, Any] | list[Any] | tuple[Any, ...] = () if _is_array(kind) else value
    return parts


def _is_array(kind: type) -> bool:
    return kind.__name__ == "ndarray" and hasattr(kind, "strides")


def _packed(value: Any) -> bytes:
    try:
        packed: bytes = msgpack.packb(value, default=_form_of)
    except UnicodeEncodeError:
        packed = msgpack.packb(value, default=_form_of, unicode_errors="backslashreplace")
    return packed


def _form_of(value: Any) -> Any:
    """Give the form of what msgpack does not know. Raises TypeError if it has none."""
    if type(value) is Inventory:
        return inventory_form(value)
    known = _fields_of(type(value))
    if known is not None:
        return _body(value, known)
    if isinstance(value, int):
        return msgpack.ExtType(_BIG_INTEGER, _decimal_digits(value).encode())
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        raise TypeError(f"an object of type {type(value).__name__} can't be sent")
    return _array(value) if _is_array(type(value)) else value.item()


def _array(value: Any) -> msgpack.ExtType:
    as_it_is = value.flags.c_contiguous and value.ndim and value.size and value.dtype.kind in _BYTES_BELOW
    data = value.data if as_it_is else value.tobytes()
    return msgpack.ExtType(_ARRAY, msgpack.packb((value.dtype.str, value.shape, data)))


def _body(message: Any, known: tuple[tuple[str, bool], ...]) -> dict[str, Any]:
    body = {}
    for name, has_presence in known:
        value = getattr(message, name)
        if value if not has_presence else value is not None and value is not NOTHING:
            body[name] = value
    return body


def _fields_of(kind: type) -> tuple[tuple[str, bool], ...] | None:
    """Name the fields of a message, each with whether it can be absent; None if it is no message."""
    found = _FIELDS.get(kind)
    if found is None and is_dataclass(kind):
        found = tuple((field.name, field.default is None or field.default is NOTHING) for field in fields(kind))
        _FIELDS[kind] = found
    return found


def _decimal_digits(number: int) -> str:
    """Write a whole number of any length; str() refuses beyond a few thousand digits."""
    if number < 0:
        return "-" + _decimal_digits(-number)
    pieces: list[str] = []
    while number >= _BIG:
        number, low = divmod(number, _BIG)
        pieces.append(f"{low:04000d}")
    return str(number) + "".join(reversed(pieces))


@cache
def _reader_of(kind: Any) -> Callable[[Any], Any]:
    """Return what makes a value of a type of a field from its form."""
    inner = [each for each in get_args(kind) if each is not type(None)]
    if get_origin(kind) is list:
        read = _reader_of(inner[0])
        return _same if read is _same else lambda values: [read(value) for value in values]
    if get_origin(kind) in (dict, Mapping) or not isinstance(kind, type):
        return _reader_of(inner[0]) if len(inner) == 1 and get_origin(kind) not in (dict, Mapping) else _same
    if is_dataclass(kind):
        return _message_reader(kind)
    return kind if issubclass(kind, Enum) else _same


def _message_reader(kind: type[T]) -> Callable[[Any], T]:
    hints = get_type_hints(kind)
    readers = {field.name: _reader_of(hints[field.name]) for field in fields(kind)}  # type: ignore[arg-type] # a dataclass

    def read(body: Any) -> T:
        return kind(**{name: readers[name](value) for name, value in body.items()})

    return read


def _same(value: Any) -> Any:
    return value
