"""Plan arguments: google.protobuf.Struct and ListValue to Python values and back.

``domain/validation/numbers.py`` decides a number's Python type; the path of a value that can't be passed on is worked
out only when there is one. Long work is done in steps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value
from queueserver_long_work.work import Work

from queueserver_manager.domain.refusals.errors import ItemInvalid, ItemTooLarge, NumberNotExact, Violation
from queueserver_manager.domain.validation.numbers import exact_number
from queueserver_manager.wire import framing

#: Values nested deeper are refused: an item must also fit, some levels deeper, into what watchers get, and
#: Protobuf decodes messages of at most 100 levels, three for each object.
MAX_DEPTH = 30
#: Values in one item or call, nested ones included.
MAX_VALUES = 15_000
#: Values that are read in one step.
_STEP = 100
_FIELDS, _VALUES = Struct.FIELDS_FIELD_NUMBER, ListValue.VALUES_FIELD_NUMBER
_STRING, _LIST, _STRUCT = (
    Value.STRING_VALUE_FIELD_NUMBER,
    Value.LIST_VALUE_FIELD_NUMBER,
    Value.STRUCT_VALUE_FIELD_NUMBER,
)
_NULL, _FALSE, _TRUE = (
    value.SerializeToString()
    for value in (Value(null_value=NULL_VALUE), Value(bool_value=False), Value(bool_value=True))
)
#: The tag of number_value, and what follows it.
_NUMBER, _DOUBLE = Value(number_value=0).SerializeToString()[:1], struct.Struct("<d")


class ValueReader:
    """Reads the values of one item or call, in steps; ``subject`` is its path in the request."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._count = 0

    def object(self, struct: Struct, path: str, depth: int = 1) -> Work[dict[str, Any]]:
        """Object with JSON values. Raises NumberNotExact, ItemInvalid, ItemTooLarge."""
        entries = struct.fields
        values = yield from self._values(len(entries), entries.items(), path, depth)
        return dict(zip(entries, values, strict=True))

    def array(self, values: ListValue, path: str, depth: int = 1) -> Work[list[Any]]:
        """List with JSON values. Raises NumberNotExact, ItemInvalid, ItemTooLarge."""
        return (yield from self._values(len(values.values), enumerate(values.values), path, depth))

    def _values(self, count: int, entries: Iterable[tuple[str | int, Value]], path: str, depth: int) -> Work[list[Any]]:
        self._expect(count, path, depth)
        found: list[Any] = []
        for key, value in entries:
            kind = value.WhichOneof("kind")
            if kind == "list_value":
                found.append((yield from self.array(value.list_value, _path(path, key), depth + 1)))
            elif kind == "struct_value":
                found.append((yield from self.object(value.struct_value, _path(path, key), depth + 1)))
            else:
                found.append(_simple(kind, value, path, key))
            if not len(found) % _STEP:
                yield
        return found

    def _expect(self, count: int, path: str, depth: int) -> None:
        if count and depth > MAX_DEPTH:
            raise ItemInvalid(
                f"{path} is nested deeper than {MAX_DEPTH} levels: put such data where the plan can read it.",
                violations=[Violation(path, f"nested deeper than {MAX_DEPTH} levels")],
            )
        self._count += count
        if self._count > MAX_VALUES:
            problem = f"has more than the {MAX_VALUES} values that it may have"
            raise ItemTooLarge(
                f"{self._subject} {problem}: put large data where the plan or function can read it and pass its name.",
                violations=[Violation(self._subject, problem)],
            )


def _simple(kind: str | None, value: Value, path: str, key: str | int) -> Any:
    """A value that has no others inside."""
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        try:
            return exact_number(value.number_value)
        except ValueError as error:
            raise NumberNotExact(_path(path, key), str(error)) from error
    if kind == "bool_value":
        return value.bool_value
    if kind is None:
        # Clients in other languages could not print a queue that has such a value.
        where = _path(path, key)
        problem = "is a value of no kind: set one of them, null_value for nothing"
        raise ItemInvalid(f"{where} {problem}.", violations=[Violation(where, problem)])
    if value.null_value != NULL_VALUE:
        where = _path(path, key)
        problem = f"is null with the value {value.null_value}: only NULL_VALUE, which is 0, is known"
        raise ItemInvalid(f"{where} {problem}.", violations=[Violation(where, problem)])
    return None


def _path(path: str, key: str | int) -> str:
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}"


def dict_to_struct(values: dict[str, Any], target: Struct) -> None:
    """Fill a Struct. An empty object is present, not absent."""
    target.SetInParent()
    target.MergeFromString(_struct_bytes(values))


def list_to_list_value(values: list[Any], target: ListValue) -> None:
    """Fill a ListValue. An empty list is present, not absent."""
    target.SetInParent()
    target.MergeFromString(_list_bytes(values))


# Setting fields of messages one by one takes many times longer, and an item may have 15,000 values.
def _struct_bytes(values: dict[str, Any]) -> bytes:
    entries = (
        framing.submessage(1, key.encode()) + framing.submessage(2, _value_bytes(value))
        for key, value in values.items()
    )
    return framing.repeated(_FIELDS, entries)


def _list_bytes(values: list[Any]) -> bytes:
    return framing.repeated(_VALUES, map(_value_bytes, values))


def _value_bytes(value: Any) -> bytes:
    """A Value, serialized."""
    if isinstance(value, str):
        return framing.submessage(_STRING, value.encode())
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, (int, float)):
        return _NUMBER + _DOUBLE.pack(value)
    if value is None:
        return _NULL
    if isinstance(value, list):
        return framing.submessage(_LIST, _list_bytes(value))
    return framing.submessage(_STRUCT, _struct_bytes(value))


def struct_to_plain(struct: Struct) -> dict[str, Any]:
    """Object with JSON values, as they come; every number is a float."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return struct_to_plain(value.struct_value)
    if kind == "list_value":
        return [_plain(element) for element in value.list_value.values]
    return getattr(value, kind) if kind and kind != "null_value" else None
